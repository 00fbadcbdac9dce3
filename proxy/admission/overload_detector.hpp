// Is the line of a pool merely busy, or does it stand? CoDel's answer (RFC 8289), in the form that
// services use it (folly/executors/Codel; Elixir's DBConnection does it inside a client): a line is
// overloaded when the wait at its old end never fell to the target during a whole interval. A burst
// that is worked off is no overload, however long the line was.
#pragma once

#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

class OverloadDetector {
 public:
  /// What the oldest one in line has waited, zero for an empty line. Ask at every departure and at
  /// least once per interval while somebody waits.
  void observe(TimePoint now, Duration oldest_wait, Duration target, Duration interval);
  /// What is going on says nothing about demand (the pool is still growing): begin anew.
  void forget(TimePoint now, Duration interval);

  bool overloaded() const { return overloaded_; }
  TimePoint interval_ends() const { return ends_; }

 private:
  bool overloaded_ = false;
  Duration least_ = Duration::max();  ///< in this interval
  TimePoint ends_{};
};

}  // namespace weirpool::proxy::admission
