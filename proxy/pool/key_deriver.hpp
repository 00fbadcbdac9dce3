// Password-based keys cost a millisecond or more of CPU, so they are made off the I/O threads and
// remembered: a server uses one salt per user, so the second login to it costs nothing.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>

#include "protocol/engine.hpp"
#include "proxy/net/offload.hpp"

namespace weirpool::proxy {

class KeyDeriver {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit KeyDeriver(Offload& offload) : offload_(offload) {}

  /// PBKDF2-HMAC-SHA-256 of `wish`; the caller's loop goes on meanwhile. Any worker's thread.
  Task<Key> derive(Loop& loop, protocol::KeyDerivation wish);

 private:
  /// Salted by the server, so an entry is worth one login only; the bound keeps rotation bounded.
  static constexpr std::size_t kRemembered = 1024;

  bool find(const Key& fingerprint, Key& key);
  void remember(const Key& fingerprint, const Key& key);

  Offload& offload_;
  std::mutex mutex_;
  std::map<Key, Key> keys_;  ///< by SHA-256 of password, salt and iterations: no password is kept
};

}  // namespace weirpool::proxy
