// Password-based keys cost a millisecond or more of CPU, so they are made off the I/O threads and
// remembered: a user has one salt, here and at a server, so the second login costs nothing. Many
// who want the same key at once wait for one derivation.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "config/limits.hpp"
#include "protocol/engine.hpp"
#include "proxy/net/offload.hpp"

namespace weirpool::proxy {

class KeyDeriver {
 public:
  using Key = std::array<std::uint8_t, 32>;

  explicit KeyDeriver(Offload& offload) : offload_(offload) {}

  /// What `wish` asks for; the caller's loop goes on meanwhile. Any worker's thread. Only what is
  /// worth keeping is remembered.
  Task<Key> derive(Loop& loop, protocol::KeyDerivation wish);

 private:
  /// Shared with the jobs, which may outlive the deriver.
  struct Memory {
    bool find(const Key& fingerprint, Key& key);
    void remember(const Key& fingerprint, const Key& key);

    std::mutex mutex;
    std::map<Key, Key> keys;  ///< by SHA-256 of the wish: no password is kept
  };

  Offload& offload_;
  const std::shared_ptr<Memory> memory_ = std::make_shared<Memory>();
};

}  // namespace weirpool::proxy
