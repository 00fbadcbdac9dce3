// Threads for the few things that would hold up an I/O thread: the mathematics of a TLS handshake,
// password-based keys, files. They give way to the I/O threads where both want the processor, so
// that a flood of logins takes it from nobody who is being served.
#pragma once

#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "config/limits.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/task.hpp"

namespace weirpool::proxy {

class Offload {
 public:
  explicit Offload(unsigned threads = 1) : threads_(threads) {}
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;
  ~Offload() { stop(); }

  /// The result of `work`, which must not throw and runs on another thread, in the order of asking;
  /// the caller's loop goes on meanwhile. Any worker's thread.
  template <class Work>
  Task<std::invoke_result_t<Work&>> run(Loop& loop, Work work) {
    // Shared, because the job may outlive this coroutine when its worker stops.
    auto job = std::make_shared<Job<Work>>(std::move(work));
    boost::asio::post(threads_, [job, &loop] {
      give_way();
      job->result.emplace(job->work());
      loop.post([job] { job->done.notify(); });
    });
    co_await job->done.wait();
    co_return std::move(*job->result);
  }

  /// Nothing runs any more when it returns: call it before the loops go.
  void stop() {
    threads_.stop();
    threads_.join();
  }

 private:
  template <class Work>
  struct Job {
    explicit Job(Work doing) : work(std::move(doing)) {}
    Work work;
    std::optional<std::invoke_result_t<Work&>> result;
    Signal done;
  };

  /// Linux gives each thread a niceness of its own (setpriority(2), "C library/kernel
  /// differences").
  static void give_way() {
    thread_local const int done =
        ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + config::kOffloadNiceness);
    static_cast<void>(done);
  }

  boost::asio::thread_pool threads_;
};

}  // namespace weirpool::proxy
