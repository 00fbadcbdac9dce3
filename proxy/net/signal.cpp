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
  if (scheduled_) return;
  scheduled_ = true;
  boost::asio::post(io_, [this] { drain(); });
}

void ReadyQueue::drain() {
  // Signals pushed while draining wait for the next round, so that sockets get their turn.
  scheduled_ = false;
  List now;
  now.swap(due_);
  while (!now.empty()) {
    Signal& signal = now.front();
    now.pop_front();
    signal.notify();
  }
}

}  // namespace weirpool::proxy
