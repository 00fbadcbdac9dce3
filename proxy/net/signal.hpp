// One waiter, one thread. A notify before the wait is remembered; many are one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <coroutine>
#include <utility>

namespace weirpool::proxy {

class ReadyQueue;

class Signal : public boost::intrusive::list_base_hook<
                   boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  auto wait() noexcept {
    struct Awaiter {
      Signal& signal;
      bool await_ready() const noexcept { return std::exchange(signal.set_, false); }
      void await_suspend(std::coroutine_handle<> waiter) const noexcept { signal.waiter_ = waiter; }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }

  /// Resumes the waiter inside this call: only from the event loop itself (readiness, timers).
  void notify();
  /// Resumes the waiter from the event loop, soon: from anywhere on the same thread.
  void notify_later(ReadyQueue& queue);

 private:
  std::coroutine_handle<> waiter_;
  bool set_ = false;
};

/// Signals of one worker that are due; drained by one handler in the event loop.
class ReadyQueue {
 public:
  using Duration = std::chrono::steady_clock::duration;

  /// `slice`: after so long the sockets get their turn, and the rest waits for the next round.
  explicit ReadyQueue(boost::asio::io_context& io, Duration slice = Duration::max())
      : io_(io), slice_(slice) {}
  void push(Signal& signal);

 private:
  using List = boost::intrusive::list<Signal, boost::intrusive::constant_time_size<false>>;
  void schedule();
  void drain();

  boost::asio::io_context& io_;
  const Duration slice_;
  List due_;
  bool scheduled_ = false;
};

}  // namespace weirpool::proxy
