// Whether one more client is taken in while no worker keeps up with the clients that are there, or
// as many log in as may at a time. Then newcomers wait where they cost nothing, in the listening
// socket's backlog. While workers are behind a few are let in all the same: who has to get in gets
// in, and a machine that is always slow serves. Behind logins that do not come to an end nobody
// waits for long. Pure. One thread.
#pragma once

#include <optional>

#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

class AcceptGate {
 public:
  /// `apart`: the time between two that are taken in all the same. `patience`: how long nobody is
  /// while not one login ends.
  AcceptGate(Duration apart, Duration patience) : apart_(apart), patience_(patience) {}

  /// `behind`: all workers are; `full`: there are as many logins as may be. May one more come in
  /// now? Beyond `patience` yes, to be told that it is full.
  bool admits(TimePoint now, bool behind, bool full);

  /// The last time that it was asked, all were behind.
  bool narrow() const { return narrow_; }
  TimePoint since() const { return since_; }

 private:
  const Duration apart_;
  const Duration patience_;
  bool narrow_ = false;
  TimePoint since_{};  ///< it is narrow
  TimePoint next_{};   ///< when the next one may come in all the same
  std::optional<TimePoint> full_since_;
};

}  // namespace weirpool::proxy::admission
