// The clock of the admission classes: every call is told what time it is, so that tests play hours
// in milliseconds.
#pragma once

#include <chrono>

namespace weirpool::proxy::admission {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

inline double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace weirpool::proxy::admission
