#include "proxy/session/account_desk.hpp"

#include <algorithm>
#include <utility>

#include "config/limits.hpp"
#include "proxy/log/log.hpp"
#include "proxy/net/supervise.hpp"
#include "proxy/pool/exchange.hpp"

namespace weirpool::proxy {

using protocol::Fault;
using protocol::Verdict;

void AccountDesk::look_up(AccountWait& wait) {
  const Key key{&wait.target(), wait.user()};
  if (const FindingRef known = cache_.find(key, Clock::now())) {
    wait.answer(account(wait.target(), *known));
    return;
  }
  Waits& waits = waiting_[{key.target, key.user}];
  const bool first = waits.empty();
  waits.push_back(wait);
  if (!first) return;
  auto done = [this, key](const FindingRef& finding) {
    loop_.post([this, key, finding] { answered(key, finding); });
  };
  if (!cache_.begin(key, std::move(done))) return;
  lines_[key.target].next.push_back(key);
  start_next(*key.target);
}

/// Nobody is to find out by the method or the cost of an exchange who is known.
protocol::Account AccountDesk::account(BackendTarget& target, const Finding& finding) const {
  protocol::Account made;
  made.secret = finding.secret;
  if (!made.secret) made.like = cache_.sample(&target);
  return made;
}

void AccountDesk::answered(const Key& key, const FindingRef& finding) {
  const auto found = waiting_.find({key.target, key.user});
  if (found == waiting_.end()) return;
  while (!found->second.empty()) {
    found->second.front().answer(account(*key.target, *finding), finding->fault);
  }
  waiting_.erase(found);
}

void AccountDesk::start_next(BackendTarget& target) {
  Line& line = lines_[&target];
  while (line.asking < config::kMaxLookUps && !line.next.empty()) {
    ++line.asking;
    Key key = std::move(line.next.front());
    line.next.pop_front();
    supervise("look_up", ask(std::move(key)));
  }
}

Task<void> AccountDesk::ask(Key key) {
  FindingRef finding = co_await question(key);
  cache_.finish(key, std::move(finding));
  --lines_[key.target].asking;
  start_next(*key.target);
}

Task<Lease> AccountDesk::backend_for(const Key& key, TimePoint until, Fault& fault) {
  const config::Backend& backend = key.target->backend();
  const PoolKey pool{key.target, backend.auth_dbname, backend.auth_user, kLookUpVariant};
  const std::shared_ptr<PoolShard> shard = shard_of_(pool);
  Lease idle = shard->take_idle();
  if (idle) co_return idle;
  Signal signal;
  Deadline deadline(loop_.deadlines, signal);
  deadline.arm(until);
  Waiter waiter(*shard, signal, Waiter::Wish::backend);
  while (waiter.waiting() && !deadline.passed()) co_await signal.wait();
  fault = waiter.refusal();
  co_return waiter.take();
}

Task<FindingRef> AccountDesk::question(Key key) {
  const config::Snapshot config = loop_.config;
  const config::Backend& backend = key.target->backend();
  const config::Duration patience = config->timeouts.client_login_timeout;
  const TimePoint until = patience.count() == 0 ? TimePoint::max() : Clock::now() + patience;
  auto finding = std::make_shared<Finding>();
  finding->fault = Fault::backend_unavailable;
  Lease lease = co_await backend_for(key, until, finding->fault);
  finding->asked = Clock::now();
  if (!lease) {
    if (finding->fault == Fault::none) finding->fault = Fault::backend_unavailable;
    co_return finding;
  }
  const auto query = key.target->dialect().account_query(backend.auth_query, key.user);
  Standing standing;
  {
    Exchange exchange(loop_, lease->stream);
    const Verdict verdict = co_await exchange.run(*query, until);
    standing.at_boundary = verdict.kind == Verdict::Kind::done;
    standing.leftover = exchange.leftover();
  }
  finding->fault = standing.at_boundary ? Fault::none : Fault::backend_unavailable;
  lease.end(standing, false);
  if (finding->fault != Fault::none) {
    log::limited(log::Level::error, "look_up_failed", "a user could not be looked up",
                 {{"backend", backend.name}, {"detail", query->error()}});
    co_return finding;
  }
  config::Duration ttl = config->auth.query_ttl;
  if (auto account = query->take_account()) {
    finding->secret = key.target->dialect().prepare(key.user, {account->verifier});
    finding->stored = std::move(account->verifier);
    if (account->seconds_left) {
      const std::chrono::duration<double> left(
          std::min(*account->seconds_left, std::chrono::duration<double>(ttl).count()));
      ttl = std::chrono::duration_cast<config::Duration>(left);
    }
  }
  finding->expires = finding->asked + ttl;
  co_return finding;
}

}  // namespace weirpool::proxy
