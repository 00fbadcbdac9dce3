// One waiter, one thread. notify() before wait() is remembered; many notifies are one.
#pragma once

#include <coroutine>
#include <utility>

namespace weirpool::proxy {

class ReadyQueue;

class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  ~Signal();

  auto wait() noexcept {
    struct Awaiter {
      Signal& signal;
      bool await_ready() const noexcept { return std::exchange(signal.set_, false); }
      void await_suspend(std::coroutine_handle<> waiter) const noexcept { signal.waiter_ = waiter; }
      void await_resume() const noexcept { signal.set_ = false; }
    };
    return Awaiter{*this};
  }

  /// Resumes the waiter inside this call: only from the event loop itself (readiness, timers).
  void notify();
  /// Resumes the waiter from the event loop, soon: from anywhere on the same thread.
  void notify_later(ReadyQueue& queue);

 private:
  friend class ReadyQueue;
  std::coroutine_handle<> waiter_;
  ReadyQueue* queued_in_ = nullptr;
  Signal* next_ = nullptr;
  bool set_ = false;
};

}  // namespace weirpool::proxy
