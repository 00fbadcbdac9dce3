// A thread for the few things that would hold up an I/O thread: password-based keys, files.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "proxy/net/loop.hpp"
#include "proxy/net/task.hpp"

namespace weirpool::proxy {

class Offload {
 public:
  Offload() = default;
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;
  ~Offload() { stop(); }

  /// The result of `work`, which must not throw and runs on the other thread; the caller's loop
  /// goes on meanwhile. Any worker's thread.
  template <class Work>
  Task<std::invoke_result_t<Work&>> run(Loop& loop, Work work) {
    // Shared, because the job may outlive this coroutine when its worker stops.
    auto job = std::make_shared<Job<Work>>(std::move(work));
    boost::asio::post(thread_, [job, &loop] {
      job->result.emplace(job->work());
      loop.post([job] { job->done.notify(); });
    });
    co_await job->done.wait();
    co_return std::move(*job->result);
  }

  /// Nothing runs any more when it returns: call it before the loops go.
  void stop() {
    thread_.stop();
    thread_.join();
  }

 private:
  template <class Work>
  struct Job {
    explicit Job(Work doing) : work(std::move(doing)) {}
    Work work;
    std::optional<std::invoke_result_t<Work&>> result;
    Signal done;
  };

  boost::asio::thread_pool thread_{1};
};

}  // namespace weirpool::proxy
