// A session's right to one backend. Move-only; its destructor discards the backend, only give_back
// at a proven boundary returns it, so forgetting is safe.
#pragma once

#include <memory>

#include "proxy/pool/backend_conn.hpp"
#include "proxy/pool/reuse.hpp"

namespace weirpool::proxy {

class PoolShard;

class Lease {
 public:
  Lease() = default;
  Lease(PoolShard& home, std::unique_ptr<BackendConn> backend);
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();

  explicit operator bool() const { return backend_ != nullptr; }
  BackendConn& operator*() const { return *backend_; }
  BackendConn* operator->() const { return backend_.get(); }

  /// Ends the lease; what becomes of the backend follows from `standing` alone. `executing`: a
  /// statement of the leaving client is still running and is to be cancelled.
  void end(const Standing& standing, bool executing);

 private:
  PoolShard* home_ = nullptr;
  std::unique_ptr<BackendConn> backend_;
};

}  // namespace weirpool::proxy
