// Whether one more client is taken in while no worker keeps up with the clients that are there.
// Then newcomers wait where they cost nothing, in the listening socket's backlog, but for a few:
// who has to get in gets in, and a machine that is always slow serves all the same. Pure. One
// thread.
#pragma once

#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

class AcceptGate {
 public:
  /// `apart`: the time between two that are taken in all the same.
  explicit AcceptGate(Duration apart) : apart_(apart) {}

  /// `behind`: all workers are. May one more come in now?
  bool admits(TimePoint now, bool behind);

  /// The last time that it was asked, all were behind.
  bool narrow() const { return narrow_; }
  TimePoint since() const { return since_; }

 private:
  const Duration apart_;
  bool narrow_ = false;
  TimePoint since_{};  ///< it is narrow
  TimePoint next_{};   ///< when the next one may come in all the same
};

}  // namespace weirpool::proxy::admission
