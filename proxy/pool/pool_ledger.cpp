#include "proxy/pool/pool_ledger.hpp"

#include <algorithm>

#include "config/limits.hpp"

namespace weirpool::proxy {
namespace {

/// One slot in twenty, at least one if there are two.
std::uint32_t reserve_of(std::uint32_t limit) { return limit < 2 ? 0 : 1 + (limit - 1) / 20; }

}  // namespace

std::uint32_t PoolLedger::common() const {
  return keeps_reserve_ ? limit_ - reserve_of(limit_) : limit_;
}

bool PoolLedger::try_open_reserved() {
  const std::lock_guard lock(mutex_);
  if (!keeps_reserve_ || open_reserved_ >= reserve_of(limit_)) return false;
  if (open_ + open_reserved_ >= limit_) return false;  // a reload has lowered the limit
  ++open_reserved_;
  return true;
}

void PoolLedger::closed_reserved() {
  const std::lock_guard lock(mutex_);
  --open_reserved_;
}

void PoolLedger::set_limit(std::uint32_t max_connections) {
  std::list<Place> granted;
  {
    const std::lock_guard lock(mutex_);
    limit_ = max_connections;
    while (const std::optional<Place> next = grant_oldest()) granted.push_back(*next);
  }
  for (const Place& place : granted) messenger_.slot_granted(place);
}

void PoolLedger::server_full(TimePoint now) {
  const std::lock_guard lock(mutex_);
  ceiling_ = std::max(open_, 2U) - 1;
  ceiling_until_ = now + config::kFullHold;
}

/// Nobody else slows down for this pool: with none of its own it asks once per hold.
void PoolLedger::account_full(const PoolKey& key, TimePoint now) {
  const std::lock_guard lock(mutex_);
  account_ceilings_[key] = {by_pool_.at(key) - 1, now + config::kFullHold};
  accounts_full_ = true;
}

void PoolLedger::recover(TimePoint now) {
  if (ceiling_.load() == kNoCeiling && !accounts_full_.load()) return;
  std::list<Place> granted;
  {
    const std::lock_guard lock(mutex_);
    if (ceiling_ != kNoCeiling && now >= ceiling_until_) {
      ceiling_until_ = now + config::kFullStep;
      ceiling_ = ceiling_ + 1 < limit_ ? ceiling_ + 1 : kNoCeiling;
    }
    for (auto& [key, ceiling] : account_ceilings_) {
      if (now < ceiling.until) continue;
      ceiling.until = now + config::kFullStep;
      ++ceiling.bound;
    }
    std::erase_if(account_ceilings_, [&](const auto& one) { return one.second.bound >= limit_; });
    accounts_full_ = !account_ceilings_.empty();
    while (const std::optional<Place> next = grant_oldest()) granted.push_back(*next);
  }
  for (const Place& place : granted) messenger_.slot_granted(place);
}

std::uint32_t PoolLedger::bound_of(const PoolKey& key) const {
  const auto found = account_ceilings_.find(key);
  return found == account_ceilings_.end() ? kNoCeiling : found->second.bound;
}

bool PoolLedger::fits(const PoolKey& key, const Caps& caps, const PoolKey* closing) const {
  const auto below = [](const auto& counts, const auto& of, std::uint32_t cap, bool one_less) {
    const auto found = counts.find(of);
    const std::uint32_t open = found == counts.end() ? 0 : found->second;
    return open - (one_less ? 1 : 0) < cap;
  };
  const auto cap = [](std::uint32_t value) { return value == 0 ? kNoCeiling : value; };
  const std::uint32_t pool = std::min(cap(caps.pool), bound_of(key));
  return open_ - (closing ? 1 : 0) < bound() &&
         below(by_pool_, key, pool, closing && *closing == key) &&
         below(by_database_, key.database, cap(caps.database),
               closing && closing->database == key.database) &&
         below(by_user_, key.user, cap(caps.user), closing && closing->user == key.user);
}

void PoolLedger::count(const PoolKey& key) {
  ++open_;
  ++by_pool_[key];
  ++by_database_[key.database];
  ++by_user_[key.user];
}

void PoolLedger::uncount(const PoolKey& key) {
  const auto one_less = [](auto& counts, const auto& of) {
    const auto found = counts.find(of);
    if (--found->second == 0) counts.erase(found);
  };
  --open_;
  one_less(by_pool_, key);
  one_less(by_database_, key.database);
  one_less(by_user_, key.user);
}

std::optional<PoolLedger::Place> PoolLedger::grant_oldest() {
  auto oldest = wants_.end();
  for (auto want = wants_.begin(); want != wants_.end(); ++want) {
    const bool older = oldest == wants_.end() || want->since < oldest->since;
    if (older && !want->hand_over_only && fits(want->place.key, want->caps)) oldest = want;
  }
  if (oldest == wants_.end()) return std::nullopt;
  Place place = oldest->place;
  wants_.erase(oldest);
  publish_wants();
  count(place.key);
  return place;
}

bool PoolLedger::try_open(const PoolKey& key, const Caps& caps) {
  const std::lock_guard lock(mutex_);
  if (!fits(key, caps)) return false;
  const bool overtakes = std::any_of(wants_.begin(), wants_.end(), [&](const Want& want) {
    return !want.hand_over_only && fits(want.place.key, want.caps);
  });
  if (overtakes) return false;
  count(key);
  return true;
}

void PoolLedger::closed(const PoolKey& key) {
  std::optional<Place> granted;
  {
    const std::lock_guard lock(mutex_);
    uncount(key);
    granted = grant_oldest();
  }
  if (granted) messenger_.slot_granted(*granted);
}

const PoolLedger::Shard* PoolLedger::idle_for(const Want& want) const {
  const Shard* found = nullptr;
  for (const Shard& shard : shards_) {
    if (shard.place == want.place || shard.idle->load() == 0) continue;
    if (shard.place.key == want.place.key) return &shard;
    if (found || want.hand_over_only) continue;
    if (fits(want.place.key, want.caps, &shard.place.key)) found = &shard;
  }
  return found;
}

void PoolLedger::want(const Want& want) {
  std::optional<Place> from;
  std::optional<Place> granted;
  bool same_pool = false;
  {
    const std::lock_guard lock(mutex_);
    const auto known = std::find_if(wants_.begin(), wants_.end(),
                                    [&](const Want& w) { return w.place == want.place; });
    if (known != wants_.end()) {
      const bool more = known->hand_over_only && !want.hand_over_only;
      *known = want;
      if (!more) return;
    } else {
      wants_.push_back(want);
      publish_wants();
    }
    // A slot may have come free since try_open failed.
    granted = grant_oldest();
    if (!granted || *granted != want.place) {
      if (const Shard* idle = idle_for(want)) {
        from = idle->place;
        same_pool = idle->place.key == want.place.key;
      }
    }
  }
  if (granted) messenger_.slot_granted(*granted);
  if (from && same_pool) messenger_.hand_over_idle(*from, want.place);
  if (from && !same_pool) messenger_.give_up_idle(*from);
}

void PoolLedger::unwant(const Place& place) {
  const std::lock_guard lock(mutex_);
  wants_.remove_if([&](const Want& want) { return want.place == place; });
  publish_wants();
}

std::optional<PoolLedger::Want> PoolLedger::oldest_want(const Place& not_of, TimePoint than) const {
  const std::lock_guard lock(mutex_);
  const Want* oldest = nullptr;
  for (const Want& want : wants_) {
    if (want.place == not_of || want.since >= than) continue;
    const bool same_pool = want.place.key == not_of.key;
    if (!same_pool && want.hand_over_only) continue;
    if (!same_pool && !fits(want.place.key, want.caps, &not_of.key)) continue;
    if (!oldest || want.since < oldest->since) oldest = &want;
  }
  return oldest ? std::optional<Want>(*oldest) : std::nullopt;
}

std::shared_ptr<std::atomic<std::uint32_t>> PoolLedger::enroll(const Place& place) {
  auto idle = std::make_shared<std::atomic<std::uint32_t>>(0);
  const std::lock_guard lock(mutex_);
  shards_.push_back({place, idle});
  return idle;
}

std::shared_ptr<PoolTotals> PoolLedger::totals(const PoolKey& key) {
  const std::lock_guard lock(mutex_);
  std::erase_if(totals_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<PoolTotals>& known = totals_[key];
  std::shared_ptr<PoolTotals> all = known.lock();
  if (!all) known = all = std::make_shared<PoolTotals>();
  return all;
}

void PoolLedger::forget(const Place& place) {
  const std::lock_guard lock(mutex_);
  shards_.remove_if([&](const Shard& shard) { return shard.place == place; });
  wants_.remove_if([&](const Want& want) { return want.place == place; });
  publish_wants();
}

std::uint32_t PoolLedger::open() const {
  const std::lock_guard lock(mutex_);
  return open_ + open_reserved_;
}

std::uint32_t PoolLedger::open_of(const PoolKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_pool_.find(key);
  return found == by_pool_.end() ? 0 : found->second;
}

std::uint32_t PoolLedger::excess_of(const PoolKey& key, const Caps& caps) const {
  const auto above = [](const auto& counts, const auto& of, std::uint32_t cap) {
    const auto found = counts.find(of);
    return found == counts.end() || cap == 0 ? 0 : found->second - std::min(found->second, cap);
  };
  const std::lock_guard lock(mutex_);
  return std::max({open_ - std::min(open_, common()), above(by_pool_, key, caps.pool),
                   above(by_database_, key.database, caps.database),
                   above(by_user_, key.user, caps.user)});
}

std::uint32_t PoolLedger::limit() const {
  const std::lock_guard lock(mutex_);
  return limit_;
}

std::uint32_t PoolLedger::usable() const {
  const std::lock_guard lock(mutex_);
  return bound();
}

}  // namespace weirpool::proxy
