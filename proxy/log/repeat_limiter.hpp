// Events that may come ten thousand at once: the first of each key is let through, the rest are
// counted until the interval has passed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace weirpool::log {

/// Not thread-safe; the clock is the caller's. Memory is bounded by the number of keys.
class RepeatLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  RepeatLimiter(std::chrono::milliseconds interval, std::size_t max_keys)
      : interval_(interval), max_keys_(max_keys) {}

  /// How many events of this key were held back since the last one that passed; nothing if this one
  /// is held back too.
  std::optional<std::uint64_t> admit(const std::string& key, Time now);

 private:
  struct Seen {
    Time last;
    std::uint64_t held_back = 0;
  };
  /// Room for a new key: the expired ones go, and if none is, all of them.
  void make_room(Time now);

  std::chrono::milliseconds interval_;
  std::size_t max_keys_;
  std::unordered_map<std::string, Seen> seen_;
};

}  // namespace weirpool::log
