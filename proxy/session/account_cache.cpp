#include "proxy/session/account_cache.hpp"

#include <utility>

#include "config/limits.hpp"

namespace weirpool::proxy {

FindingRef AccountCache::in(const Map& map, const Key& key) const {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

FindingRef AccountCache::last(const Key& key) const {
  const std::lock_guard lock(mutex_);
  FindingRef found = in(known_, key);
  return found ? found : in(strangers_, key);
}

FindingRef AccountCache::find(const Key& key, TimePoint now) const {
  FindingRef found = last(key);
  return found && now < found->expires ? found : nullptr;
}

std::shared_ptr<const protocol::PreparedSecret> AccountCache::sample(BackendTarget* target) const {
  const std::lock_guard lock(mutex_);
  const auto found = samples_.find(target);
  return found == samples_.end() ? nullptr : found->second.secret;
}

bool AccountCache::begin(const Key& key, Done done) {
  const std::lock_guard lock(mutex_);
  std::vector<Done>& waiting = asking_[key];
  waiting.push_back(std::move(done));
  return waiting.size() == 1;
}

void AccountCache::put(Map& map, std::size_t most, const Key& key, const FindingRef& finding) {
  if (map.size() >= most && !map.contains(key)) {
    const TimePoint now = finding->asked;
    std::erase_if(map, [now](const auto& entry) { return entry.second->expires <= now; });
    // All at once: a bound that holds more than there are users is never reached by them.
    if (map.size() >= most) map.clear();
  }
  map[key] = finding;
}

void AccountCache::finish(const Key& key, const FindingRef& finding) {
  std::vector<Done> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto asked = asking_.find(key);
    if (asked != asking_.end()) {
      waiting = std::move(asked->second);
      asking_.erase(asked);
    }
    if (finding->fault == protocol::Fault::none) {
      known_.erase(key);
      strangers_.erase(key);
      if (finding->secret) {
        put(known_, config::kMaxCachedAccounts, key, finding);
        Sample& sample = samples_[key.target];
        if (!sample.secret) sample.user = key.user;
        if (sample.user == key.user) sample.secret = finding->secret;
      } else {
        put(strangers_, config::kMaxCachedStrangers, key, finding);
      }
    }
  }
  for (const Done& done : waiting) done(finding);
}

void AccountCache::doubt(const Key& key, TimePoint now) {
  const std::lock_guard lock(mutex_);
  for (Map* map : {&known_, &strangers_}) {
    const auto found = map->find(key);
    if (found == map->end() || now < found->second->asked + config::kLookUpAgainAfter) continue;
    auto doubted = std::make_shared<Finding>(*found->second);
    doubted->expires = TimePoint{};
    found->second = std::move(doubted);
  }
}

}  // namespace weirpool::proxy
