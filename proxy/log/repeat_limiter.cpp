#include "proxy/log/repeat_limiter.hpp"

#include <utility>

namespace weirpool::log {

std::optional<std::uint64_t> RepeatLimiter::admit(const std::string& key, Time now) {
  const auto found = seen_.find(key);
  if (found == seen_.end()) {
    if (seen_.size() >= max_keys_) make_room(now);
    seen_.emplace(key, Seen{now, 0});
    return 0;
  }
  Seen& seen = found->second;
  if (now - seen.last < interval_) {
    ++seen.held_back;
    return std::nullopt;
  }
  seen.last = now;
  return std::exchange(seen.held_back, 0);
}

void RepeatLimiter::make_room(Time now) {
  std::erase_if(seen_, [&](const auto& entry) { return now - entry.second.last >= interval_; });
  if (seen_.size() >= max_keys_) seen_.clear();
}

}  // namespace weirpool::log
