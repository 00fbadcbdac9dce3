// How long a lent backend is at work on statements, and how long inside transactions, for a client
// that may keep it through many of both. Told the time; pure.
#pragma once

#include "proxy/net/deadlines.hpp"

namespace weirpool::proxy {

class BusyTime {
 public:
  /// What has come to an end.
  struct Spent {
    Clock::duration queries{};
    Clock::duration transactions{};
  };

  /// It is lent, or has been given something to do.
  void begin(TimePoint now) {
    if (working_ == TimePoint{}) working_ = now;
    if (open_ == TimePoint{}) open_ = now;
  }
  /// Its client lets it wait, `inside` a transaction or not.
  Spent pause(TimePoint now, bool inside) {
    Spent spent;
    if (working_ != TimePoint{}) spent.queries = now - working_;
    working_ = {};
    if (inside || open_ == TimePoint{}) return spent;
    spent.transactions = now - open_;
    open_ = {};
    return spent;
  }

 private:
  TimePoint working_{};
  TimePoint open_{};
};

}  // namespace weirpool::proxy
