// Who is served by a shard, see pool_shard.hpp: standing in line, leaving it, being next, and being
// refused.
#include <algorithm>
#include <utility>
#include <vector>

#include "config/limits.hpp"
#include "proxy/net/supervise.hpp"
#include "proxy/pool/pool_shard.hpp"

namespace weirpool::proxy {

using admission::Class;
using admission::WaitingLine;
using metrics::CloseReason;
using metrics::ShedReason;
using protocol::Fault;

Waiter::Waiter(PoolShard& shard, Signal& signal, Wish wish, const admission::Flow* flow)
    : shard_(shard),
      signal_(signal),
      wish_(wish),
      flow_(flow ? *flow : shard.line_.own_flow()),
      since_(Clock::now()) {
  shard_.enqueue(*this);
}

Waiter::~Waiter() { shard_.leave(*this); }

Lease Waiter::take() {
  if (!granted_) return {};
  return Lease(shard_, std::move(granted_));
}

// --- without a line ------------------------------------------------------------------------------

Lease PoolShard::take_idle(const admission::Flow* flow) {
  const admission::Flow& mine = flow ? *flow : line_.own_flow();
  const Class importance = mine.importance();
  // What is kept back for class critical is idle while others wait.
  const bool may_overtake = importance == Class::critical && !idle_.empty() &&
                            line_.work().queue().waiting(Class::critical) == 0;
  if ((!line_.empty() && !may_overtake) || within_reserve(importance)) return {};
  if (!within_share(importance)) return {};
  while (!idle_.empty()) {
    const TimePoint now = Clock::now();
    // Whoever asks stands in line next; what is idle is checked for the head of it.
    if (needs_check(*idle_.back(), now)) return {};
    std::unique_ptr<BackendConn> backend = sound(pop_idle(true), now);
    if (!backend) continue;
    backend->lent = now;
    backend->busy.begin(now);
    backend->borrower = mine.node();
    backend->advance = {};
    metrics::ClassCounters& numbers = line_.numbers(importance);
    numbers.offered.add(1);
    numbers.admitted.add(1);
    metrics_.wait.observe(0);
    metrics_.active.add(1);
    return Lease(*this, std::move(backend));
  }
  return {};
}

std::unique_ptr<BackendConn> PoolShard::sound(std::unique_ptr<BackendConn> idle, TimePoint now) {
  if (idle->expires <= now) {
    retire(std::move(idle), Parting::polite, CloseReason::lifetime);
  } else if (outdated(*idle)) {
    retire(std::move(idle), Parting::polite, CloseReason::outdated);
  } else if (!idle->stream.quiet()) {
    retire(std::move(idle), Parting::abrupt, CloseReason::stale);
  }
  return idle;
}

void PoolShard::note_served(BackendConn& backend, TimePoint now) {
  line_.work().served(std::exchange(backend.borrower, nullptr), now - backend.lent, backend.advance,
                      now);
}

/// A share of the backends, where any rule knows critical work and there are enough to divide.
std::size_t PoolShard::reserve() const {
  constexpr std::size_t kDivisible = 4;
  const config::Admission& admission = loop_.config->admission;
  if (admission.rules.empty() || admission.critical_reserve == 0 || backends_ < kDivisible) {
    return 0;
  }
  const bool known = std::any_of(
      admission.rules.begin(), admission.rules.end(),
      [](const auto& rule) { return rule.importance == config::AdmissionClass::critical; });
  return known ? std::max<std::size_t>(backends_ * admission.critical_reserve / 100, 1) : 0;
}

// --- in line -------------------------------------------------------------------------------------

void PoolShard::note_part() { part_.note(backends_ - connecting_, line_.work().queue().size()); }

void PoolShard::supply_line(TimePoint now, std::size_t in_hand) {
  note_part();
  const std::size_t own =
      static_cast<std::size_t>(metrics_.active.get()) + idle_.size() + washing_ + in_hand;
  WaitingLine::Supply supply;
  supply.backends = part_.serving(own);
  supply.pool = own + part_.backends_elsewhere();
  const std::uint32_t share = share_->load(std::memory_order_relaxed);
  if (share != Arbiter::kUnlimited) {
    const auto resting = static_cast<std::size_t>(metrics_.resting.get());
    supply.backends = std::min(supply.backends, share + resting);
  }
  supply.coming = connecting_;
  // By the pace of connecting, by a server that is down, or by an administrator.
  supply.held_up = paused_ || (retry_pending_ && (target_.pace() == 100 || target_.down()));
  supply.target = loop_.config->admission.queue_target;
  line_.work().supply(supply, now);
}

PoolShard::Refusal PoolShard::admit(const admission::Flow& flow, admission::Duration patience) {
  metrics::ClassCounters& numbers = line_.numbers(flow.importance());
  numbers.offered.add(1);
  const auto refused = [&](ShedReason reason, Fault fault) -> Refusal {
    numbers.shed[static_cast<std::size_t>(reason)].add(1);
    return {fault, line_.advice(flow, {}), reason == ShedReason::hopeless};
  };
  if (target_.down() && !PoolLine::is_held(flow.importance())) {
    return refused(ShedReason::backend_down, Fault::backend_down);
  }
  if (!admission::may_wait(memory_, flow.importance())) {
    return refused(ShedReason::memory, Fault::line_out_of_memory);
  }
  const TimePoint now = Clock::now();
  supply_line(now);
  if (loop_.config->admission.queue_target.count() != 0) {
    switch (line_.work().admit(flow, patience, now)) {
      case WaitingLine::Answer::hopeless:
        return refused(ShedReason::hopeless, Fault::pool_overloaded);
      case WaitingLine::Answer::flooded:
        return refused(ShedReason::overload, Fault::pool_overloaded);
      case WaitingLine::Answer::queue: break;
    }
  }
  const std::uint32_t quota = loop_.config->limits.max_source_waiting_clients;
  if (quota != 0 && admission::FairQueue::waiting_beside(flow) >= quota) {
    return refused(ShedReason::source_quota, Fault::source_quota);
  }
  const Fault full = make_room(flow);
  return full == Fault::none ? Refusal{} : refused(ShedReason::queue_full, full);
}

/// At the bound of the line the source goes that has most in it: the newcomer, or its oldest.
Fault PoolShard::make_room(const admission::Flow& flow) {
  using admission::FairQueue;
  const std::size_t most = loop_.config->limits.max_waiting_clients;
  if (line_.size() < most) return Fault::none;
  FairQueue& queue = line_.work().queue();
  if (queue.empty() || most == 0) return Fault::pool_queue_full;
  auto& victim = static_cast<Waiter&>(queue.victim());
  const Class theirs = victim.flow_.importance();
  const bool mine = flow.importance() > theirs ||
                    (flow.importance() == theirs &&
                     FairQueue::waiting_beside(flow) >= FairQueue::waiting_beside(victim.flow_));
  if (mine) return Fault::pool_queue_full;
  line_.shed(victim, ShedReason::queue_full, Fault::pool_queue_full);
  return Fault::none;
}

bool PoolShard::may_retry() {
  note_requests();
  return target_.take_retry();
}

std::uint64_t PoolShard::admitted() const {
  std::uint64_t sum = 0;
  for (const metrics::ClassCounters& of_class : metrics_.classes) sum += of_class.admitted.get();
  return sum;
}

/// The budget is of the whole server; what it is a share of is told seldom.
void PoolShard::note_requests() {
  const std::uint64_t all = admitted();
  target_.note_requests(all - std::exchange(noted_requests_, all));
}

std::string PoolShard::no_retry(const admission::Flow& flow) {
  metrics::ClassCounters& numbers = line_.numbers(flow.importance());
  numbers.offered.add(1);
  numbers.shed[static_cast<std::size_t>(ShedReason::backend_down)].add(1);
  return line_.advice(flow, {});
}

void PoolShard::set_memory(admission::MemoryState state) {
  memory_ = state;
  line_.refuse_for_memory(state);
  if (line_.empty()) stop_wanting();
}

std::string PoolShard::gave_up(const admission::Flow& flow, TimePoint since) {
  line_.numbers(flow.importance()).shed[static_cast<std::size_t>(ShedReason::timeout)].add(1);
  return line_.advice(flow, Clock::now() - since);
}

void PoolShard::enqueue(Waiter& waiter) {
  line_.push(waiter);
  if (draining_) {
    refuse_all(Fault::shutting_down, {});
    return;
  }
  if (refused_ != Fault::none && Clock::now() < refused_until_ && !has_backends()) {
    refuse_all(refused_, refused_detail_);
    return;
  }
  if (!within_reserve(waiter.flow_.importance()) &&
      within_share(waiter.flow_.importance(), washing_)) {
    if (std::unique_ptr<BackendConn> idle = pop_idle(true)) {
      supervise("check", wash_and_lend(std::move(idle), Washing{.check = true}));
    }
  }
  open_where_needed();
}

void PoolShard::leave(Waiter& waiter) {
  if (waiter.waiting()) {
    line_.erase(waiter);
    note_part();
    if (line_.empty()) stop_wanting();
  }
  if (waiter.granted_) {
    metrics_.active.add(-1);
    // It has not been used: what was charged in advance is given back.
    line_.work().queue().charge(std::exchange(waiter.granted_->borrower, nullptr),
                                -waiter.granted_->advance, Clock::now());
    lend(std::move(waiter.granted_));
  }
}

/// Null: nobody, or only those that have to leave what is idle to class critical.
Waiter* PoolShard::next_in_line(TimePoint now) {
  supply_line(now, 1);
  const Class importance = foremost();
  const std::size_t kept = importance == Class::critical ? 0 : reserve();
  if (idle_.size() < kept || !within_share(importance)) return nullptr;
  return line_.next(now);
}

void PoolShard::grant(Waiter& waiter, std::unique_ptr<BackendConn> backend) {
  const TimePoint now = Clock::now();
  metrics_.wait.observe(std::chrono::duration<double>(now - waiter.since_).count());
  metrics_.active.add(1);
  backend->lent = now;
  backend->busy.begin(now);
  backend->borrower = waiter.flow_.node();
  backend->advance = line_.work().advance();
  waiter.granted_ = std::move(backend);
  waiter.signal_.notify_later(loop_.ready);
  if (line_.empty()) stop_wanting();
  tend(now);
}

void PoolShard::stop_wanting() {
  if (std::exchange(wanting_, false)) target_.ledger().unwant(place_);
}

void PoolShard::refuse_all(Fault fault, const std::string& detail) {
  line_.refuse_all(fault, detail);
  stop_wanting();
}

/// The server cannot be reached: important work is held for a while, in case it is back soon.
void PoolShard::refuse_while_down() {
  line_.refuse_while_down(Clock::now(), loop_.config->timeouts.failover_hold);
  if (line_.empty()) stop_wanting();
}

bool PoolShard::wants_backends() const {
  return line_.size() > connecting_ + washing_ && within_share(foremost(), connecting_ + washing_);
}

// --- as time goes by -----------------------------------------------------------------------------

/// Sees to it that the line is looked at when it has to be.
void PoolShard::tend(TimePoint now) {
  supply_line(now);
  const TimePoint at = line_.work().wake_at(now);
  if (at == TimePoint::max() || draining_) return;
  // Never later than was meant: grants that follow each other quickly would put it off for ever.
  line_clock_.arm(std::min(at, line_clock_.at()));
  if (!tending_) supervise("line", tend_line());
}

Task<void> PoolShard::tend_line() {
  tending_ = true;
  while (line_clock_.armed() && !draining_) {
    co_await line_wake_.wait();
    const TimePoint now = Clock::now();
    supply_line(now);
    const bool shed = line_.shed_late(now);
    if (line_.empty()) stop_wanting();
    // The ledger is told who is the oldest now.
    if (shed && wanting_) open_where_needed();
    const TimePoint at = line_.work().wake_at(now);
    line_clock_.arm(at);
  }
  tending_ = false;
}

/// For the scaling signal, and to forget who has not been here for long.
void PoolShard::note_sources(TimePoint now) {
  admission::FairQueue& queue = line_.work().queue();
  queue.sweep(now, config::kSourceForgotten);
  std::vector<std::uint64_t> live;
  queue.visit_sources([&](std::uint64_t key, TimePoint used) {
    if (key != 0 && now - used < config::kSourceLive) live.push_back(key);
  });
  metrics_.sources.set(std::move(live));
}

}  // namespace weirpool::proxy
