// All deadlines of one worker behind one timer. Arming and disarming cost a store: an entry that
// moved later stays where it is and is put in its new place when its old time comes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/set.hpp>
#include <chrono>

#include "proxy/net/signal.hpp"

namespace weirpool::proxy {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

class Deadlines;

/// Belongs to its waiter; when it passes, passed() turns true and the waiter's signal is notified.
class Deadline : public boost::intrusive::set_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Deadline(Deadlines& all, Signal& signal) : all_(all), signal_(signal) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(TimePoint at);
  /// Zero means never, as everywhere in the configuration.
  void arm_in(std::chrono::milliseconds delay);
  void disarm();
  bool passed() const { return passed_; }
  bool armed() const { return at_ != TimePoint::max(); }
  /// max: not armed.
  TimePoint at() const { return at_; }

 private:
  friend class Deadlines;
  struct Earlier {
    bool operator()(const Deadline& a, const Deadline& b) const { return a.queued_ < b.queued_; }
  };

  Deadlines& all_;
  Signal& signal_;
  TimePoint at_ = TimePoint::max();
  TimePoint queued_{};
  bool passed_ = false;
};

class Deadlines {
 public:
  explicit Deadlines(boost::asio::io_context& io) : timer_(io) {}

 private:
  friend class Deadline;
  void enqueue(Deadline& deadline);
  void set_timer(TimePoint at);
  void fire();

  boost::intrusive::multiset<Deadline, boost::intrusive::compare<Deadline::Earlier>,
                             boost::intrusive::constant_time_size<false>>
      queue_;
  boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>,
                                    boost::asio::io_context::executor_type>
      timer_;
  TimePoint timer_at_ = TimePoint::max();
};

}  // namespace weirpool::proxy
