// For how long a peer has answered nothing that was sent to it. Told the time and what the kernel
// knows; pure.
#pragma once

#include "config/limits.hpp"
#include "proxy/net/deadlines.hpp"

namespace weirpool::proxy {

class Silence {
 public:
  /// `unanswered`: just now something has been sent again without an answer. To be asked once per
  /// sweep interval: what was so at an earlier time, with no look in between, says nothing.
  Clock::duration look(TimePoint now, bool unanswered) {
    const bool in_a_row = now - looked_ <= 2 * config::kSweepInterval;
    looked_ = now;
    if (!unanswered) since_ = {};
    if (unanswered && (since_ == TimePoint{} || !in_a_row)) since_ = now;
    return unanswered ? now - since_ : Clock::duration::zero();
  }

 private:
  TimePoint looked_{};
  TimePoint since_{};
};

}  // namespace weirpool::proxy
