#include "proxy/admission/loop_lag.hpp"

#include <algorithm>

#include "config/limits.hpp"

namespace weirpool::proxy::admission {
namespace {

/// Late looks in a row that mean that the loop is behind.
constexpr unsigned kLooks = 4;

}  // namespace

void LoopLag::begin(TimePoint now) {
  due_.store((now + config::kLagLook).time_since_epoch().count(), std::memory_order_relaxed);
}

Duration LoopLag::look(TimePoint now, Duration high) {
  const Duration lag = std::max<Duration>(now - due(), Duration::zero());
  const bool none = high == Duration::zero();
  late_ = none || lag <= high ? 0 : std::min(late_ + 1, kLooks);
  if (late_ == kLooks) {
    behind_.store(true, std::memory_order_relaxed);
  } else if (none || 2 * lag <= high) {
    behind_.store(false, std::memory_order_relaxed);
  }
  begin(now);
  return lag;
}

bool LoopLag::behind(TimePoint now, Duration high) const {
  if (high == Duration::zero()) return false;
  return behind_.load(std::memory_order_relaxed) || now - due() > high + kLooks * config::kLagLook;
}

}  // namespace weirpool::proxy::admission
