// The number a client is known by: in its greeting, in its cancel key, in KILL. It finds the client
// again: the highest byte is the instance of weirpool, the remainder by the number of workers the
// worker.
#pragma once

#include <cstdint>

namespace weirpool::proxy {

class ClientIds {
 public:
  ClientIds(std::uint32_t instance, unsigned worker, unsigned workers)
      : instance_(instance), worker_(worker), workers_(workers) {}

  /// Ids repeat after a while: whoever takes one skips those in use. Never zero.
  std::uint32_t next() {
    sequence_ = sequence_ + 1 < kPerInstance / workers_ ? sequence_ + 1 : 1;
    return instance_ * kPerInstance + sequence_ * workers_ + worker_;
  }
  static std::uint32_t instance_of(std::uint32_t id) { return id / kPerInstance; }
  static unsigned worker_of(std::uint32_t id, unsigned workers) {
    return id % kPerInstance % workers;
  }

 private:
  static constexpr std::uint32_t kPerInstance = 1U << 24;

  std::uint32_t instance_;
  unsigned worker_;
  unsigned workers_;
  std::uint32_t sequence_ = 0;
};

}  // namespace weirpool::proxy
