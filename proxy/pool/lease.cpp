#include "proxy/pool/lease.hpp"

#include <utility>

#include "proxy/pool/pool_shard.hpp"

namespace weirpool::proxy {

Lease::Lease(PoolShard& home, std::unique_ptr<BackendConn> backend)
    : home_(&home), backend_(std::move(backend)) {}

Lease::Lease(Lease&& other) noexcept
    : home_(std::exchange(other.home_, nullptr)), backend_(std::move(other.backend_)) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    if (backend_) end(Standing{}, false);
    home_ = std::exchange(other.home_, nullptr);
    backend_ = std::move(other.backend_);
  }
  return *this;
}

Lease::~Lease() {
  if (backend_) end(Standing{}, false);
}

void Lease::end(const Standing& standing, bool executing) {
  PoolShard* home = std::exchange(home_, nullptr);
  home->take_back(std::move(backend_), standing, executing);
}

}  // namespace weirpool::proxy
