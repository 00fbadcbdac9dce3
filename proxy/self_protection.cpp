#include "proxy/self_protection.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <utility>

#include "config/limits.hpp"
#include "proxy/log/log.hpp"

namespace weirpool::proxy {
namespace {

using admission::MemoryState;
using protocol::Fault;

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

std::int64_t milliseconds(Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

/// What has been freed is the system's again: the allocator keeps it, and what is only kept would
/// look like memory in use for ever.
void give_back_free_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace

SelfProtection::SelfProtection(boost::asio::io_context& io,
                               const std::vector<std::unique_ptr<Worker>>& workers,
                               Population& population, Powers powers)
    : timer_(io),
      workers_(workers),
      population_(population),
      powers_(std::move(powers)),
      gate_(Clock::duration(config::kLagLook) /
                static_cast<Clock::rep>(std::max<std::size_t>(workers.size(), 1)),
            config::kLoginQueue) {}

void SelfProtection::start() {
  look();
  timer_.expires_after(config::kMemoryLook);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) start();
  });
}

void SelfProtection::look() {
  const TimePoint now = Clock::now();
  look_at_memory(now);
  look_at_workers(now);
}

// --- memory --------------------------------------------------------------------------------------

void SelfProtection::look_at_memory(TimePoint now) {
  const std::uint64_t high = powers_.config()->limits.memory_high * kMebi;
  population_.memory_high.store(high, std::memory_order_relaxed);
  if (high == 0 && memory_.state() == MemoryState::ample) return;
  std::uint64_t resident = powers_.resident();
  const bool begins = memory_.state() == MemoryState::ample && resident >= high;
  const bool lasts = memory_.state() != MemoryState::ample;
  if ((begins || lasts) && now - trimmed_ >= config::kMemoryTrim) {
    trimmed_ = now;
    give_back_free_memory();
  }
  // What the allocator only kept is no shortage, nor is one reading alone.
  if (begins) resident = powers_.resident();
  const bool changed = memory_.look(now, resident, high);
  if (!changed) return;
  population_.memory.store(memory_.state(), std::memory_order_relaxed);
  tell_memory(now, resident, high);
  for (const auto& worker : workers_) worker->set_memory(memory_.state());
}

void SelfProtection::tell_memory(TimePoint now, std::uint64_t resident, std::uint64_t high) const {
  if (memory_.state() == MemoryState::ample) {
    log::event(log::Level::warn, "memory_ample", "there is memory again",
               {{"resident_mib", resident / kMebi},
                {"memory_high_mib", high / kMebi},
                {"peak_mib", memory_.peak() / kMebi},
                {"lasted_ms", milliseconds(now - memory_.since())}});
    return;
  }
  const bool dire = memory_.state() == MemoryState::dire;
  log::event(log::Level::warn, dire ? "memory_dire" : "memory_tight",
             dire ? "memory stays short: what is not important does not wait for a backend"
                  : "memory is short: nobody new is taken in",
             {{"resident_mib", resident / kMebi},
              {"memory_high_mib", high / kMebi},
              {"clients", std::uint64_t{population_.clients.load(std::memory_order_relaxed)}},
              {"logins", std::uint64_t{population_.logins.load(std::memory_order_relaxed)}}});
}

Fault SelfProtection::refusal() const {
  return memory_.state() == MemoryState::ample ? Fault::none : Fault::short_of_memory;
}

bool SelfProtection::hears_out() const {
  return population_.logins.load(std::memory_order_relaxed) < config::kHeardWhileTight;
}

// --- workers -------------------------------------------------------------------------------------

bool SelfProtection::behind(const Worker& worker, TimePoint now) const {
  return worker.lag().behind(now, powers_.config()->limits.loop_lag_high);
}

bool SelfProtection::all_behind(TimePoint now) const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [&](const auto& worker) { return behind(*worker, now); });
}

bool SelfProtection::logins_full() const {
  return population_.logins.load(std::memory_order_relaxed) >=
         powers_.config()->limits.max_login_conn;
}

bool SelfProtection::takes_in() {
  const TimePoint now = Clock::now();
  if (gate_.admits(now, all_behind(now), logins_full())) return true;
  population_.held_accepts.fetch_add(1, std::memory_order_relaxed);
  return false;
}

Worker& SelfProtection::host() const {
  const TimePoint now = Clock::now();
  const auto burden = [&](const auto& worker) {
    return std::make_pair(behind(*worker, now), worker->sessions());
  };
  return **std::min_element(workers_.begin(), workers_.end(),
                            [&](const auto& a, const auto& b) { return burden(a) < burden(b); });
}

void SelfProtection::look_at_workers(TimePoint now) {
  const auto late = std::count_if(workers_.begin(), workers_.end(),
                                  [&](const auto& worker) { return this->behind(*worker, now); });
  population_.workers_behind.store(static_cast<std::uint32_t>(late), std::memory_order_relaxed);
  const bool behind = static_cast<std::size_t>(late) == workers_.size();
  if (behind == (behind_since_ != TimePoint{})) return;
  if (behind) {
    behind_since_ = now;
    log::limited(log::Level::warn, "workers_behind",
                 "no worker keeps up: newcomers wait to be accepted",
                 {{"workers", std::uint64_t{workers_.size()}},
                  {"clients", std::uint64_t{population_.clients.load(std::memory_order_relaxed)}},
                  {"logins", std::uint64_t{population_.logins.load(std::memory_order_relaxed)}}});
    return;
  }
  log::limited(log::Level::warn, "workers_caught_up", "newcomers are accepted at once again",
               {{"lasted_ms", milliseconds(now - std::exchange(behind_since_, TimePoint{}))}});
}

}  // namespace weirpool::proxy
