// How far a worker's event loop is behind. At short, even intervals the worker looks at the clock;
// by how much a look comes later than it was due is what everything else on that loop waits for.
// One late look is a burst, or the machine's. A loop whose looks have all been late for a while has
// more to do than it can, whatever the reason (the least of an interval is what counts, as CoDel
// has it). Costs a transaction nothing.
//
// look() is the worker's alone; the rest is for any thread. Is told the time.
#pragma once

#include <atomic>
#include <cstdint>

#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

class LoopLag {
 public:
  explicit LoopLag(TimePoint now) { begin(now); }

  /// The first look is due an interval after `now`.
  void begin(TimePoint now);
  /// The look that was due at due() takes place now; returns how late it is. `high`: what is too
  /// late; zero: nothing is.
  Duration look(TimePoint now, Duration high);

  TimePoint due() const { return TimePoint(Duration(due_.load(std::memory_order_relaxed))); }
  /// Has the loop been behind by more than `high` for a while? Also when it has not come to look.
  bool behind(TimePoint now, Duration high) const;

 private:
  unsigned late_ = 0;  ///< looks in a row
  std::atomic<bool> behind_{false};
  std::atomic<Duration::rep> due_{0};
};

}  // namespace weirpool::proxy::admission
