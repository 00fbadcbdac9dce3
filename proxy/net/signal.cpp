#include "proxy/net/signal.hpp"

#include <boost/asio/post.hpp>

namespace weirpool::proxy {

void Signal::notify() {
  if (waiter_) {
    std::exchange(waiter_, {}).resume();
  } else {
    set_ = true;
  }
}

void Signal::notify_later(ReadyQueue& queue) {
  if (!is_linked()) queue.push(*this);
}

void ReadyQueue::push(Signal& signal) {
  due_.push_back(signal);
  if (!scheduled_) schedule();
}

void ReadyQueue::schedule() {
  scheduled_ = true;
  boost::asio::post(io_, [this] { drain(); });
}

void ReadyQueue::drain() {
  using Clock = std::chrono::steady_clock;
  const bool sliced = slice_ != Duration::max();
  const Clock::time_point until = sliced ? Clock::now() + slice_ : Clock::time_point::max();
  // Signals pushed while draining wait for the next round, so that sockets get their turn.
  scheduled_ = false;
  List now;
  now.swap(due_);
  while (!now.empty()) {
    Signal& signal = now.front();
    now.pop_front();
    signal.notify();
    if (sliced && Clock::now() >= until) break;
  }
  if (now.empty()) return;
  due_.splice(due_.begin(), now);
  if (!scheduled_) schedule();
}

}  // namespace weirpool::proxy
