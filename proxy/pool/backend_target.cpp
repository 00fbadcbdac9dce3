#include "proxy/pool/backend_target.hpp"

#include <algorithm>
#include <utility>

#include "config/limits.hpp"
#include "proxy/log/log.hpp"

namespace weirpool::proxy {
namespace {

auto index_of(const PoolKey& key) { return std::make_tuple(key.database, key.user, key.variant); }

}  // namespace

BackendTarget::BackendTarget(config::Backend backend, const Dialect& dialect)
    : backend_(std::move(backend)),
      dialect_(dialect),
      ledger_(backend_.max_connections, dialect.kill_needs_login()) {}

std::shared_ptr<const TlsContext> BackendTarget::tls() const {
  const std::lock_guard lock(mutex_);
  return tls_;
}

void BackendTarget::set_tls(std::shared_ptr<const TlsContext> context) {
  const std::lock_guard lock(mutex_);
  tls_ = std::move(context);
}

std::shared_ptr<const protocol::BackendFacts> BackendTarget::believed(const Told& told,
                                                                      bool whatever) const {
  return whatever || told.era == era_ ? told.facts : nullptr;
}

std::shared_ptr<const protocol::BackendFacts> BackendTarget::facts(const PoolKey& key,
                                                                   bool whatever) const {
  const std::lock_guard lock(mutex_);
  const auto found = facts_.find(index_of(key));
  return found == facts_.end() ? nullptr : believed(found->second, whatever);
}

std::shared_ptr<const protocol::BackendFacts> BackendTarget::any_facts(bool whatever) const {
  const std::lock_guard lock(mutex_);
  return believed(any_facts_, whatever);
}

void BackendTarget::lost_one() {
  if (serving_.load(std::memory_order_relaxed) != 0) return;
  const std::lock_guard lock(mutex_);
  ++era_;
}

void BackendTarget::publish(const PoolKey& key,
                            std::shared_ptr<const protocol::BackendFacts> facts) {
  const std::lock_guard lock(mutex_);
  any_facts_ = {facts, era_};
  facts_[index_of(key)] = {std::move(facts), era_};
}

std::vector<config::Address> BackendTarget::hosts() const {
  std::vector<config::Address> all{backend_.address};
  all.insert(all.end(), backend_.address.others.begin(), backend_.address.others.end());
  const std::lock_guard lock(mutex_);
  std::stable_partition(all.begin(), all.end(),
                        [this](const config::Address& host) { return host == preferred_; });
  return all;
}

void BackendTarget::served_by(const config::Address& host) {
  const std::lock_guard lock(mutex_);
  preferred_ = host;
}

void BackendTarget::resolved(const config::Address& host, std::vector<config::IpBytes> addresses) {
  if (addresses.empty()) return;
  std::sort(addresses.begin(), addresses.end());
  const std::lock_guard lock(mutex_);
  std::vector<config::IpBytes>& known = resolved_[{host.host, host.port}];
  if (known == addresses) return;
  if (!known.empty()) ++era_;
  known = std::move(addresses);
  ++generation_;
}

void BackendTarget::distrust() {
  const std::lock_guard lock(mutex_);
  trusted_since_ = Clock::now();
  preferred_ = {};
  ++era_;
  ++generation_;
}

bool BackendTarget::may_look_up(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (now < looked_up_ + config::kLookUpAgain) return false;
  looked_up_ = now;
  return true;
}

bool BackendTarget::outdated(const config::IpBytes& address, TimePoint since) const {
  const std::lock_guard lock(mutex_);
  if (since < trusted_since_) return true;
  // A host that has not been looked up yet may be the one it was opened at.
  if (resolved_.size() < 1 + backend_.address.others.size()) return false;
  return std::none_of(resolved_.begin(), resolved_.end(), [&](const auto& host) {
    return std::binary_search(host.second.begin(), host.second.end(), address);
  });
}

bool BackendTarget::role_fits(const protocol::ServerRole& role, bool fallback) const {
  switch (backend_.target_session_attrs) {
    case config::TargetSession::any: return true;
    case config::TargetSession::read_write: return !role.standby && !role.read_only;
    case config::TargetSession::read_only: return role.standby || role.read_only;
    case config::TargetSession::primary: return !role.standby;
    case config::TargetSession::standby: return role.standby;
    case config::TargetSession::prefer_standby: return role.standby || fallback;
  }
  return false;
}

TimePoint BackendTarget::retry_at(const ConnectPacer::Limits& limits) const {
  const std::lock_guard lock(mutex_);
  return pacer_.again_at(Clock::now(), limits);
}

bool BackendTarget::begin_attempt(const ConnectPacer::Limits& limits) {
  const std::lock_guard lock(mutex_);
  const bool begun = pacer_.begin(Clock::now(), limits);
  publish_pace();
  return begun;
}

void BackendTarget::attempt_ended(ConnectPacer::Outcome outcome, Clock::duration took,
                                  const ConnectPacer::Limits& limits) {
  const TimePoint now = Clock::now();
  Circuit before{};
  Circuit after{};
  TimePoint since;
  {
    const std::lock_guard lock(mutex_);
    before = pacer_.circuit();
    since = pacer_.failing_since();
    pacer_.ended(outcome, now, took, limits);
    after = pacer_.circuit();
    publish_pace();
    if (before == Circuit::closed && down()) ++era_;
  }
  if ((before == Circuit::closed) == (after == Circuit::closed)) return;
  const auto lasted = std::chrono::duration_cast<std::chrono::milliseconds>(now - since).count();
  if (after == Circuit::closed) {
    log::event(log::Level::warn, "backend_back", "the database server can be reached again",
               {{"backend", backend_.name}, {"lasted_ms", lasted}});
  } else {
    log::event(log::Level::error, "backend_down", "the database server cannot be reached",
               {{"backend", backend_.name}, {"failing_ms", lasted}});
  }
}

void BackendTarget::publish_pace() {
  circuit_.store(pacer_.circuit(), std::memory_order_relaxed);
  pace_.store(static_cast<std::uint32_t>(pacer_.share() * 100), std::memory_order_relaxed);
}

void BackendTarget::note_requests(std::uint64_t count) {
  if (count == 0) return;
  const std::lock_guard lock(mutex_);
  retry_budget_.note(Clock::now(), count);
}

bool BackendTarget::take_retry() {
  const std::lock_guard lock(mutex_);
  const bool taken = retry_budget_.take(Clock::now());
  (taken ? retries_ : retries_refused_).fetch_add(1, std::memory_order_relaxed);
  return taken;
}

bool BackendTarget::begin_cancel(std::uint32_t limit) {
  if (cancels_.fetch_add(1) < limit) return true;
  cancels_.fetch_sub(1);
  return false;
}

}  // namespace weirpool::proxy
