// The number a client is known by: in its greeting, in its cancel key, in KILL. It finds the client
// again: instance of weirpool and, by the number of workers, the worker.
//
//   bit 31: 0 · bit 30: 1 · 8 bits instance · 22 bits, by turns the workers'
//
// All of them are larger than what database servers call their own connections (process ids, or
// numbers counted from 1), and none is negative to a library that reads them signed. So a client
// that names its number to a server where weirpool cannot see it, in a text put together there or
// inside a procedure, is told that there is no such connection and hits nobody else's.
#pragma once

#include <cstdint>

namespace weirpool::proxy {

class ClientIds {
 public:
  ClientIds(std::uint32_t instance, unsigned worker, unsigned workers)
      : instance_(instance), worker_(worker), workers_(workers) {}

  /// Ids repeat after a while: whoever takes one skips those in use.
  std::uint32_t next() {
    sequence_ = sequence_ + 1 < kPerInstance / workers_ ? sequence_ + 1 : 1;
    return kFirst + instance_ * kPerInstance + sequence_ * workers_ + worker_;
  }
  static std::uint32_t instance_of(std::uint32_t id) { return id % kFirst / kPerInstance; }
  static unsigned worker_of(std::uint32_t id, unsigned workers) {
    return id % kPerInstance % workers;
  }

  static constexpr std::uint32_t kFirst = 1U << 30;

 private:
  static constexpr std::uint32_t kPerInstance = 1U << 22;

  std::uint32_t instance_;
  unsigned worker_;
  unsigned workers_;
  std::uint32_t sequence_ = 0;
};

}  // namespace weirpool::proxy
