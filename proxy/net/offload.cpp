#include "proxy/net/offload.hpp"

#include <sys/resource.h>

#include "config/limits.hpp"

namespace weirpool::proxy {
namespace {

/// Linux gives each thread a niceness of its own (setpriority(2), "C library/kernel differences").
void give_way() {
  ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + config::kOffloadNiceness);
}

}  // namespace

Offload::Offload(unsigned threads) {
  ::sem_init(&ready_, 0, 0);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

Offload::~Offload() {
  stop();
  ::sem_destroy(&ready_);
}

void Offload::push(std::function<void()> job) {
  // No memory is allocated or freed while others may wait for the lock.
  std::list<std::function<void()>> one;
  one.push_back(std::move(job));
  {
    const std::lock_guard lock(mutex_);
    jobs_.splice(jobs_.end(), one);
  }
  ::sem_post(&ready_);
}

void Offload::serve() {
  give_way();
  for (;;) {
    while (::sem_wait(&ready_) != 0) {  // a signal came between
    }
    std::list<std::function<void()>> job;
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
      job.splice(job.begin(), jobs_, jobs_.begin());
    }
    job.front()();
  }
}

void Offload::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  for (std::size_t i = 0; i < threads_.size(); ++i) ::sem_post(&ready_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace weirpool::proxy
