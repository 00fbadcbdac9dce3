#include "proxy/pool/pool_ledger.hpp"

#include <algorithm>

namespace weirpool::proxy {

void PoolLedger::set_limit(std::uint32_t max_connections) {
  std::list<Place> granted;
  {
    const std::lock_guard lock(mutex_);
    limit_ = max_connections;
    while (open_ < limit_ && !wants_.empty()) {
      ++open_;
      granted.push_back(take_oldest_want());
    }
  }
  for (const Place& place : granted) messenger_.slot_granted(place);
}

PoolLedger::Place PoolLedger::take_oldest_want() {
  const auto oldest = std::min_element(
      wants_.begin(), wants_.end(), [](const Want& a, const Want& b) { return a.since < b.since; });
  Place place = oldest->place;
  wants_.erase(oldest);
  publish_wants();
  return place;
}

bool PoolLedger::try_open() {
  const std::lock_guard lock(mutex_);
  if (open_ >= limit_ || !wants_.empty()) return false;
  ++open_;
  return true;
}

void PoolLedger::closed() {
  std::optional<Place> granted;
  {
    const std::lock_guard lock(mutex_);
    if (open_ > limit_ || wants_.empty()) {
      --open_;
      return;
    }
    granted = take_oldest_want();
  }
  messenger_.slot_granted(*granted);
}

const PoolLedger::Shard* PoolLedger::idle_for(const Place& place) const {
  const Shard* found = nullptr;
  for (const Shard& shard : shards_) {
    if (shard.place == place || shard.idle->load() == 0) continue;
    if (shard.place.key == place.key) return &shard;
    if (!found) found = &shard;
  }
  return found;
}

void PoolLedger::want(const Want& want) {
  std::optional<Place> from;
  bool granted = false;
  bool same_pool = false;
  {
    const std::lock_guard lock(mutex_);
    const auto known = std::find_if(wants_.begin(), wants_.end(),
                                    [&](const Want& w) { return w.place == want.place; });
    if (known != wants_.end()) {
      known->since = want.since;
      return;
    }
    if (open_ < limit_ && wants_.empty()) {  // a slot came free since try_open failed
      ++open_;
      granted = true;
    } else {
      wants_.push_back(want);
      publish_wants();
      if (const Shard* idle = idle_for(want.place)) {
        from = idle->place;
        same_pool = idle->place.key == want.place.key;
      }
    }
  }
  if (granted) messenger_.slot_granted(want.place);
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

void PoolLedger::forget(const Place& place) {
  const std::lock_guard lock(mutex_);
  shards_.remove_if([&](const Shard& shard) { return shard.place == place; });
  wants_.remove_if([&](const Want& want) { return want.place == place; });
  publish_wants();
}

std::uint32_t PoolLedger::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

std::uint32_t PoolLedger::limit() const {
  const std::lock_guard lock(mutex_);
  return limit_;
}

}  // namespace weirpool::proxy
