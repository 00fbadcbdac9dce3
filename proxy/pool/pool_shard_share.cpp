// How many statements may execute for a shard, see arbiter.hpp: it lends within its share. What is
// idle and may not be lent stays open, for the share changes every moment.
#include <utility>

#include "proxy/net/supervise.hpp"
#include "proxy/pool/pool_shard.hpp"

namespace weirpool::proxy {

using admission::Class;

/// `soon`: backends that will be lent besides. What is kept for class critical comes on top.
bool PoolShard::within_share(Class importance, std::size_t soon) const {
  const std::uint32_t share = share_->load(std::memory_order_relaxed);
  if (share == Arbiter::kUnlimited) return true;
  const std::size_t kept = importance == Class::critical ? reserve() : 0;
  return executing() + soon < share + kept;
}

Class PoolShard::foremost() const {
  return line_.work().queue().waiting(Class::critical) > 0 ? Class::critical : Class::normal;
}

/// Idle backends and a line: where fewer could execute than now.
void PoolShard::serve_line() {
  if (idle_.empty()) return;
  const TimePoint now = Clock::now();
  for (std::size_t tries = idle_.size(); tries > 0 && !idle_.empty(); --tries) {
    if (draining_ || paused_ || line_.work().queue().size() <= washing_) return;
    const Class importance = foremost();
    if (within_reserve(importance) || !within_share(importance, washing_)) return;
    if (needs_check(*idle_.back(), now)) {
      supervise("check", wash_and_lend(pop_idle(true), Washing{.check = true}));
    } else if (std::unique_ptr<BackendConn> backend = sound(pop_idle(true), now)) {
      lend(std::move(backend));
    }
  }
}

void PoolShard::share_raised() { open_where_needed(); }

void PoolShard::rests(BackendConn& backend, bool resting, bool inside) {
  if (std::exchange(backend.resting, resting) == resting) return;
  if (resting) {
    note_busy(backend, Clock::now(), inside);
  } else {
    backend.busy.begin(Clock::now());
  }
  metrics_.resting.add(resting ? 1 : -1);
  const bool limited = share_->load(std::memory_order_relaxed) != Arbiter::kUnlimited;
  if (resting && limited && !line_.empty()) open_where_needed();
}

}  // namespace weirpool::proxy
