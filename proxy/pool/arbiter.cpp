#include "proxy/pool/arbiter.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "config/limits.hpp"

namespace weirpool::proxy {
namespace {

std::uint32_t of_gauge(std::int64_t value) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(value, 0));
}

}  // namespace

std::vector<std::uint32_t> shares_of(std::uint32_t limit,
                                     const std::vector<std::uint32_t>& demand) {
  const std::uint64_t sum = std::accumulate(demand.begin(), demand.end(), std::uint64_t{0});
  std::vector<std::uint32_t> shares(demand.size());
  if (sum <= limit) {
    const auto left = static_cast<std::uint32_t>(limit - sum);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      shares[i] = std::max(demand[i] + left, 1U);
    }
    return shares;
  }
  // By largest remainders: rounding loses nothing.
  std::uint64_t given = 0;
  std::vector<std::pair<std::uint64_t, std::size_t>> remainders;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const std::uint64_t part = std::uint64_t{limit} * demand[i];
    shares[i] = static_cast<std::uint32_t>(part / sum);
    if (shares[i] == 0) {
      shares[i] = 1;
    } else {
      remainders.emplace_back(part % sum, i);
    }
    if (demand[i] > 0) given += shares[i];
  }
  std::sort(remainders.rbegin(), remainders.rend());
  for (const auto& [remainder, i] : remainders) {
    if (given >= limit) break;
    ++shares[i];
    ++given;
  }
  return shares;
}

std::shared_ptr<const Arbiter::Share> Arbiter::enroll(
    const PoolLedger::Place& place, std::shared_ptr<const metrics::PoolMetrics> numbers) {
  auto share = std::make_shared<Share>(kUnlimited);
  const std::lock_guard lock(mutex_);
  Seat& seat = seats_.emplace_back();
  seat.place = place;
  seat.completed = numbers->work.transactions.get();
  seat.refused = refused(*numbers);
  seat.numbers = std::move(numbers);
  seat.share = share;
  return share;
}

void Arbiter::forget(const PoolLedger::Place& place) {
  const std::lock_guard lock(mutex_);
  seats_.remove_if([&](const Seat& seat) { return seat.place == place; });
}

Arbiter::Finding Arbiter::finding() const {
  const std::lock_guard lock(mutex_);
  return finding_;
}

/// Those that a longer line or a longer wait would have kept.
std::uint64_t Arbiter::refused(const metrics::PoolMetrics& numbers) {
  using metrics::ShedReason;
  std::uint64_t sum = 0;
  for (const metrics::ClassCounters& one : numbers.classes) {
    for (const ShedReason reason : {ShedReason::overload, ShedReason::hopeless, ShedReason::timeout,
                                    ShedReason::queue_full}) {
      sum += one.shed[static_cast<std::size_t>(reason)].get();
    }
  }
  return sum;
}

admission::Elasticity::Sample Arbiter::look() {
  admission::Elasticity::Sample sample;
  for (Seat& seat : seats_) {
    const metrics::PoolMetrics& numbers = *seat.numbers;
    const std::uint64_t completed = numbers.work.transactions.get();
    sample.completed += completed - std::exchange(seat.completed, completed);
    const std::uint64_t refused_now = refused(numbers);
    seat.executing = of_gauge(numbers.active.get() - numbers.resting.get());
    seat.waiting = of_gauge(numbers.waiting.get());
    sample.executing += seat.executing;
    sample.wanted |= seat.waiting > 0 || refused_now != std::exchange(seat.refused, refused_now);
  }
  return sample;
}

void Arbiter::raise(Seat& seat, std::uint32_t share) {
  const std::uint32_t before = seat.share->exchange(share, std::memory_order_relaxed);
  if (share > before && seat.numbers->waiting.get() > 0) raised_.push_back(seat.place);
}

void Arbiter::lift() {
  if (!std::exchange(limiting_, false)) return;
  for (Seat& seat : seats_) raise(seat, kUnlimited);
}

void Arbiter::divide(std::uint32_t limit) {
  limiting_ = true;
  std::vector<std::uint32_t> demand;
  demand.reserve(seats_.size());
  for (const Seat& seat : seats_) demand.push_back(seat.executing + seat.waiting);
  const std::vector<std::uint32_t> shares = shares_of(limit, demand);
  std::size_t i = 0;
  for (Seat& seat : seats_) raise(seat, shares[i++]);
}

admission::Duration Arbiter::tick(config::ElasticityMode mode, std::uint32_t most, TimePoint now) {
  using Mode = config::ElasticityMode;
  raised_.clear();
  bool busy = false;
  {
    const std::lock_guard lock(mutex_);
    if (mode == Mode::off) {
      lift();
      elasticity_ = {};
      finding_ = {};
    } else {
      const admission::Elasticity::Sample sample = look();
      elasticity_.observe(sample, {.least = config::kUsefulLeast, .most = most}, now);
      const std::uint32_t limit =
          mode == Mode::enforce ? elasticity_.limit() : elasticity_.trial_limit();
      // As many as may be open: then there is nothing to divide.
      limit < most ? divide(limit) : lift();
      finding_ = {elasticity_.useful(), elasticity_.elasticity()};
      busy = sample.wanted || elasticity_.measuring();
    }
  }
  for (const PoolLedger::Place& place : raised_) share_raised_(place);
  return busy ? config::kArbiterTick : config::kArbiterCalmTick;
}

}  // namespace weirpool::proxy
