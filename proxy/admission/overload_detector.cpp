#include "proxy/admission/overload_detector.hpp"

#include <algorithm>

namespace weirpool::proxy::admission {

void OverloadDetector::observe(TimePoint now, Duration oldest_wait, Duration target,
                               Duration interval) {
  if (now >= ends_) {
    // Nothing seen for a whole interval and more: nobody waited.
    const bool seen = least_ != Duration::max() && now < ends_ + interval;
    overloaded_ = seen && least_ > target;
    ends_ = now + interval;
    least_ = oldest_wait;
    return;
  }
  least_ = std::min(least_, oldest_wait);
}

void OverloadDetector::forget(TimePoint now, Duration interval) {
  overloaded_ = false;
  least_ = Duration::zero();
  ends_ = now + interval;
}

}  // namespace weirpool::proxy::admission
