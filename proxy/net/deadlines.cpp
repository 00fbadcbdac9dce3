#include "proxy/net/deadlines.hpp"

namespace weirpool::proxy {

void Deadline::arm(TimePoint at) {
  at_ = at;
  passed_ = false;
  if (is_linked() && queued_ <= at) return;
  unlink();
  if (at != TimePoint::max()) all_.enqueue(*this);
}

void Deadline::arm_in(std::chrono::milliseconds delay) {
  arm(delay.count() == 0 ? TimePoint::max() : Clock::now() + delay);
}

void Deadline::disarm() {
  at_ = TimePoint::max();
  passed_ = false;
}

void Deadlines::enqueue(Deadline& deadline) {
  deadline.queued_ = deadline.at_;
  queue_.insert(deadline);
  if (deadline.at_ < timer_at_) set_timer(deadline.at_);
}

void Deadlines::set_timer(TimePoint at) {
  timer_at_ = at;
  timer_.expires_at(at);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) fire();
  });
}

void Deadlines::fire() {
  timer_at_ = TimePoint::max();
  const TimePoint now = Clock::now();
  while (!queue_.empty() && queue_.begin()->queued_ <= now) {
    Deadline& due = *queue_.begin();
    due.unlink();
    if (due.at_ == TimePoint::max()) continue;
    if (due.at_ > now) {
      enqueue(due);
      continue;
    }
    due.at_ = TimePoint::max();
    due.passed_ = true;
    due.signal_.notify();  // may destroy `due`
  }
  if (!queue_.empty() && queue_.begin()->queued_ < timer_at_) set_timer(queue_.begin()->queued_);
}

}  // namespace weirpool::proxy
