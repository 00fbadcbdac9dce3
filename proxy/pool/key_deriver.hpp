// Password-based keys cost a millisecond or more of CPU, so they are made on a thread of their own
// and remembered: a server uses one salt per user, so the second login to it costs nothing.
#pragma once

#include <array>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <map>
#include <mutex>

#include "protocol/engine.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/task.hpp"

namespace weirpool::proxy {

class KeyDeriver {
 public:
  using Key = std::array<std::uint8_t, 32>;

  KeyDeriver() = default;
  ~KeyDeriver();

  /// PBKDF2-HMAC-SHA-256 of `wish`; the caller's loop goes on meanwhile. Any worker's thread.
  Task<Key> derive(Loop& loop, protocol::KeyDerivation wish);

 private:
  /// Salted by the server, so an entry is worth one login only; the bound keeps rotation bounded.
  static constexpr std::size_t kRemembered = 1024;

  bool find(const Key& fingerprint, Key& key);
  void remember(const Key& fingerprint, const Key& key);

  std::mutex mutex_;
  std::map<Key, Key> keys_;  ///< by SHA-256 of password, salt and iterations: no password is kept
  boost::asio::thread_pool thread_{1};
};

}  // namespace weirpool::proxy
