#include "proxy/pool/pool_line.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "proxy/log/log.hpp"
#include "proxy/pool/backend_target.hpp"

namespace weirpool::proxy {

using admission::Class;
using metrics::ShedReason;
using protocol::Fault;

static_assert(metrics::kClassLabels == admission::kClassLabels);

namespace {

double random_share() {
  static thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

std::int64_t milliseconds(admission::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::uint64_t all_shed(const metrics::PoolMetrics& metrics) {
  std::uint64_t sum = 0;
  for (const metrics::ClassCounters& of_class : metrics.classes) {
    for (const metrics::Counter& shed : of_class.shed) sum += shed.get();
  }
  return sum;
}

}  // namespace

PoolLine::PoolLine(ReadyQueue& ready, const PoolKey& key, metrics::PoolMetrics& metrics)
    : ready_(ready),
      key_(key),
      metrics_(metrics),
      own_flow_(line_.queue().flow(Class::high, {}, {})) {}

TimePoint PoolLine::oldest_since() const {
  const TimePoint work = line_.queue().oldest_since();
  return facts_.empty() ? work : std::min(work, facts_.front().since());
}

void PoolLine::publish() {
  const TimePoint oldest = oldest_since();
  metrics_.waiting.set(static_cast<std::int64_t>(size()));
  metrics_.oldest_since.set(oldest == TimePoint::max() ? 0 : oldest.time_since_epoch().count());
  longest_ = std::max(longest_, size());
}

void PoolLine::push(Waiter& waiter) {
  if (waiter.wish_ == Waiter::Wish::facts) {
    facts_.push_back(waiter);
  } else {
    line_.push(waiter, waiter.flow_, waiter.since_);
  }
  publish();
}

void PoolLine::erase(Waiter& waiter) {
  if (waiter.wish_ == Waiter::Wish::facts) {
    facts_.erase(facts_.iterator_to(waiter));
  } else {
    line_.erase(waiter, Clock::now());
  }
  publish();
}

Waiter* PoolLine::next(TimePoint now) {
  auto* waiter = static_cast<Waiter*>(line_.next(now));
  note_overload();
  if (waiter == nullptr) return nullptr;
  publish();
  numbers(waiter->flow_.importance()).admitted.add(1);
  return waiter;
}

void PoolLine::refuse(Waiter& waiter, Fault fault, std::string detail) {
  waiter.refusal_ = fault;
  waiter.detail_ = std::move(detail);
  waiter.signal_.notify_later(ready_);
}

void PoolLine::shed(Waiter& waiter, ShedReason reason, Fault fault) {
  if (waiter.queued()) line_.erase(waiter, Clock::now());
  numbers(waiter.flow_.importance()).shed[static_cast<std::size_t>(reason)].add(1);
  refuse(waiter, fault, advice(waiter.flow_, Clock::now() - waiter.since_));
  publish();
}

bool PoolLine::shed_late(TimePoint now) {
  const std::vector<admission::Ticket*> late = line_.expired(now);
  for (admission::Ticket* ticket : late) {
    shed(*static_cast<Waiter*>(ticket), ShedReason::overload, Fault::pool_overloaded);
  }
  note_overload();
  return !late.empty();
}

void PoolLine::refuse_all(Fault fault, const std::string& detail) {
  while (!facts_.empty()) {
    Waiter& waiter = facts_.front();
    facts_.pop_front();
    refuse(waiter, fault, detail);
  }
  const TimePoint now = Clock::now();
  line_.queue().visit([&](admission::Ticket& ticket) {
    line_.erase(ticket, now);
    refuse(static_cast<Waiter&>(ticket), fault, detail);
  });
  publish();
}

void PoolLine::refuse_while_down(TimePoint now, admission::Duration hold) {
  for (auto next = facts_.begin(); next != facts_.end();) {
    Waiter& waiter = *next;
    const bool over = now - waiter.since_ >= hold;
    next = over ? facts_.erase(next) : std::next(next);
    if (over) refuse(waiter, Fault::backend_unavailable, {});
  }
  line_.queue().visit([&](admission::Ticket& ticket) {
    auto& waiter = static_cast<Waiter&>(ticket);
    if (is_held(waiter.flow_.importance()) && now - waiter.since_ < hold) return;
    shed(waiter, ShedReason::backend_down, Fault::backend_down);
  });
  publish();
}

void PoolLine::refuse_for_memory(admission::MemoryState state) {
  line_.queue().visit([&](admission::Ticket& ticket) {
    auto& waiter = static_cast<Waiter&>(ticket);
    if (admission::may_wait(state, waiter.flow_.importance())) return;
    shed(waiter, ShedReason::memory, Fault::line_out_of_memory);
  });
}

void PoolLine::answer_facts() {
  if (facts_.empty()) return;
  while (!facts_.empty()) {
    Waiter& waiter = facts_.front();
    facts_.pop_front();
    waiter.signal_.notify_later(ready_);
  }
  publish();
}

std::string PoolLine::advice(const admission::Flow& flow, admission::Duration waited) const {
  std::string text =
      "retry_after_ms=" + std::to_string(milliseconds(line_.retry_after(flow, random_share())));
  text += " class=";
  text += admission::kClassLabels[static_cast<std::size_t>(flow.importance())];
  text += " wait_ms=" + std::to_string(milliseconds(waited));
  return text;
}

void PoolLine::note_overload() {
  const bool overloaded = line_.overloaded();
  if (overloaded == (metrics_.overloaded.get() != 0)) return;
  metrics_.overloaded.set(overloaded ? 1 : 0);
  const TimePoint now = Clock::now();
  const std::string& backend = key_.target->backend().name;
  if (overloaded) {
    metrics_.overloads.add(1);
    overload_began_ = now;
    shed_before_ = all_shed(metrics_);
    longest_ = size();
    log::limited(log::Level::warn, "pool_overloaded", "clients come faster than they can be served",
                 {{"backend", backend},
                  {"database", key_.database},
                  {"user", key_.user},
                  {"waiting", std::uint64_t{size()}},
                  {"backends", std::uint64_t{line_.backends()}},
                  {"held_ms", milliseconds(line_.times().mean())},
                  {"target_ms", milliseconds(line_.target(now))}});
    return;
  }
  log::limited(log::Level::warn, "pool_recovered", "the line moves again",
               {{"backend", backend},
                {"database", key_.database},
                {"user", key_.user},
                {"lasted_ms", milliseconds(now - overload_began_)},
                {"refused", all_shed(metrics_) - shed_before_},
                {"longest", std::uint64_t{longest_}},
                {"held_ms", milliseconds(line_.times().mean())}});
}

}  // namespace weirpool::proxy
