// The waiting line of a pool: bounds the delay, not the length. Who may stand in it, who is next,
// and who has waited too long to be worth serving.
//
//   admit -> refused at once (it could not be served in its time) | push -> next -> served
//                                                                       \-> expired: refused
//
// First in first out with a long deadline is how poolers collapse: whoever reaches the head has no
// time left, its client has gone, and the work is wasted. So: fair between sources (FairQueue);
// overload means that the oldest wait stays above a target for an interval (OverloadDetector);
// while it lasts what has waited a few targets is refused, so that everybody who is served still
// has time to use the answer; and where more come than that leaves room for, they are refused when
// they come (Door), and the newest of a source goes first until the line is short ("Fail at Scale",
// ACM Queue 2015; measured in bench/RESULTS.md). Pure: no socket, no clock, no signal. One thread.
#pragma once

#include <cstdint>

#include "config/limits.hpp"
#include "proxy/admission/door.hpp"
#include "proxy/admission/fair_queue.hpp"
#include "proxy/admission/overload_detector.hpp"
#include "proxy/admission/service_times.hpp"

namespace weirpool::proxy::admission {

class WaitingLine {
 public:
  enum class Answer : std::uint8_t {
    queue,     ///< push it
    hopeless,  ///< the wait ahead is longer than its time: refuse now
    flooded    ///< others come faster than they can be served, and as many as can be are in line
  };

  /// What is there to serve the line with.
  struct Supply {
    std::size_t backends = 0;  ///< lent or idle, that serve this line
    std::size_t coming = 0;    ///< being opened; while the pool grows a line is no overload
    /// The least of what overload is measured by; zero: there is none.
    Duration target = config::kLineTarget;
    /// Who waits does so for something else, and says nothing about demand.
    bool held_up = false;
    std::size_t pool = 0;  ///< lent or idle, with those that serve others; if less: as `backends`
  };

  void supply(const Supply& supply, TimePoint now);

  /// `patience`: how long it can wait, for a client's own deadline what is left of it;
  /// Duration::max(): for ever.
  Answer admit(const Flow& flow, Duration patience, TimePoint now);
  void push(Ticket& ticket, const Flow& flow, TimePoint now);
  void erase(Ticket& ticket, TimePoint now);

  /// A backend is free: who gets it, taken out of the line; null: nobody.
  Ticket* next(TimePoint now);
  /// What next() has charged in advance.
  Duration advance() const { return times_.mean(); }
  /// Who is too many for an overloaded pool or has waited too long for it, taken out of the line;
  /// not more at once than the other work of the thread can wait for.
  std::vector<Ticket*> expired(TimePoint now);
  /// When expired() has to be asked next; max: not before something else happens.
  TimePoint wake_at(TimePoint now) const;

  /// A backend came back after `held`; `advance` of that had been charged to `borrower`.
  void served(FlowNode* borrower, Duration held, Duration advance, TimePoint now);

  bool overloaded() const { return detector_.overloaded() || door_.narrow(); }
  bool overloadable() const { return !unsettled_ && supply_.target > Duration::zero(); }
  /// How long a ticket of `flow` would stand in line if it came now; zero while that is not known.
  Duration predicted_wait(const Flow& flow) const;
  /// What a refused client is advised to wait before it tries again; `random` in [0, 1).
  Duration retry_after(const Flow& flow, double random) const;
  /// The patience of this class, given what everybody gets: the least important may only use short
  /// gaps.
  static Duration patience_of(Class importance, Duration query_wait);

  Duration target(TimePoint now) const;
  Duration interval() const;
  /// How long one of this class may stand in an overloaded line.
  Duration slough(Class importance, TimePoint now) const;
  /// How long it may have to, to be let in.
  Duration welcome(Class importance, TimePoint now) const { return slough(importance, now) / 2; }

  FairQueue& queue() { return queue_; }
  const FairQueue& queue() const { return queue_; }
  const ServiceTimes& times() const { return times_; }
  std::size_t backends() const { return supply_.backends; }

 private:
  void look(TimePoint now);
  bool grows(TimePoint now) const;
  void note_size(std::size_t backends, TimePoint now);
  /// The time between two departures.
  Duration gap() const;
  /// Does its source's own line leave room? While a line never ends, more come who go before it.
  bool may_join(const Flow& flow, Duration most) const;
  /// The time until everybody in line is served; zero while that is not known.
  Duration length() const;
  /// The line is never made shorter than this: beside its service nobody minds that.
  Duration least(Class importance) const;
  bool too_long(TimePoint now) const;
  void take_surplus(TimePoint now, std::vector<Ticket*>& late);
  void take_outwaited(TimePoint now, std::vector<Ticket*>& late);

  FairQueue queue_;
  OverloadDetector detector_;
  Door door_;
  ServiceTimes times_;
  Supply supply_;
  bool unsettled_ = false;                   ///< the pool grows, is cold, or is held up
  TimePoint grown_{};                        ///< the last time that it did, or began to
  std::size_t usual_ = 0;                    ///< backends; half of what it has had since is more
  TimePoint fewer_since_{TimePoint::max()};  ///< than usual
  TimePoint doubled_{};
  TimePoint last_departure_{};
};

}  // namespace weirpool::proxy::admission
