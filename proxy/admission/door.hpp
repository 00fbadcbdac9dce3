// Who is let into an overloaded line. Overload alone turns nobody away: a crowd of patient clients
// that each wait for the one before is served, as long as the line ends within what may be waited
// at most. Where it does not, more come than can be served, and somebody has to be refused: then
// those who come, at once, and not those who have waited.
//
// While that goes on the line is made short, so that who is served is served soon. It falls half as
// fast as time passes: some are let in meanwhile. The door is wide again when for an interval
// nobody had to be turned away. Pure. One thread.
#pragma once

#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

class Door {
 public:
  /// `line`: how long it takes to serve all who stand in it; `most`: what may be waited.
  void observe(TimePoint now, bool overloaded, Duration line, Duration most, Duration interval);
  /// What happens says nothing about demand.
  void forget() { narrow_ = false; }

  /// May one come in that would wait for `wait`, where its class may wait for `most`?
  /// `least`: what the line is never made shorter than.
  bool admits(TimePoint now, Duration wait, Duration most, Duration least);

  bool narrow() const { return narrow_; }
  /// What of `most` may be waited now; max: anything.
  Duration room(TimePoint now, Duration most, Duration least) const;

 private:
  bool narrow_ = false;
  TimePoint since_{};    ///< it is narrow
  Duration fall_{};      ///< the time in which it would close
  TimePoint refused_{};  ///< somebody, the last time
};

}  // namespace weirpool::proxy::admission
