// Threads for the few things that would hold up an I/O thread: the mathematics of a TLS handshake,
// password-based keys, files. They give way to the I/O threads where both want the processor, so
// that a flood of logins takes it from nobody who is being served.
#pragma once

#include <semaphore.h>

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "proxy/net/loop.hpp"
#include "proxy/net/task.hpp"

namespace weirpool::proxy {

class Offload {
 public:
  explicit Offload(unsigned threads = 1);
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;
  ~Offload();

  /// The result of `work`, which must not throw and runs on another thread, in the order of asking;
  /// the caller's loop goes on meanwhile. Any worker's thread.
  template <class Work>
  Task<std::invoke_result_t<Work&>> run(Loop& loop, Work work) {
    // Shared, because the job may outlive this coroutine when its worker stops.
    auto job = std::make_shared<Job<Work>>(std::move(work));
    push([job, &loop] {
      job->result.emplace(job->work());
      loop.post([job] { job->done.notify(); });
    });
    co_await job->done.wait();
    co_return std::move(*job->result);
  }

  /// Nothing runs any more when it returns: call it before the loops go.
  void stop();

 private:
  template <class Work>
  struct Job {
    explicit Job(Work doing) : work(std::move(doing)) {}
    Work work;
    std::optional<std::invoke_result_t<Work&>> result;
    Signal done;
  };

  void push(std::function<void()> job);
  void serve();

  // A condition variable can make who signals wait until who was woken before has run, which is
  // long where that one gives way; a semaphore never does.
  sem_t ready_;  ///< counts the jobs, and at the end one for each thread
  std::mutex mutex_;
  std::list<std::function<void()>> jobs_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace weirpool::proxy
