#include "proxy/pool/pool_shard.hpp"

#include <algorithm>
#include <utility>

#include "config/limits.hpp"
#include "proxy/log/log.hpp"
#include "proxy/net/supervise.hpp"

namespace weirpool::proxy {

using metrics::CloseReason;
using protocol::Fault;

PoolShard::PoolShard(Loop& loop, unsigned worker, PoolKey key, Passwords passwords, Refused refused,
                     KeyDeriver& deriver, std::shared_ptr<metrics::PoolMetrics> metrics)
    : loop_(loop),
      place_{worker, std::move(key)},
      target_(*place_.key.target),
      passwords_(std::move(passwords)),
      tell_refused_(std::move(refused)),
      deriver_(deriver),
      shared_metrics_(std::move(metrics)),
      metrics_(*shared_metrics_),
      idle_count_(target_.ledger().enroll(place_)),
      share_(target_.arbiter().enroll(place_, shared_metrics_)),
      part_(target_.ledger().totals(place_.key)),
      line_(loop.ready, place_.key, metrics_),
      line_clock_(loop.deadlines, line_wake_) {
  // What has been counted outlives the shards of a pool.
  noted_requests_ = admitted();
}

PoolShard::~PoolShard() {
  target_.arbiter().forget(place_);
  target_.ledger().forget(place_);
}

// --- lending -------------------------------------------------------------------------------------

void PoolShard::take_back(std::unique_ptr<BackendConn> backend, const Standing& standing,
                          bool executing) {
  metrics_.active.add(-1);
  if (std::exchange(backend->resting, false)) metrics_.resting.add(-1);
  backend->stream.watch(nullptr);
  backend->fence->statement_over();
  backend->client = nullptr;
  metrics_.work.take(backend->state->tally);
  const TimePoint now = Clock::now();
  const auto lent = std::chrono::duration_cast<std::chrono::microseconds>(now - backend->lent);
  metrics_.lent_microseconds.add(static_cast<std::uint64_t>(lent.count()));
  note_busy(*backend, now, false);
  note_served(*backend, now);
  Standing full = standing;
  // Its server may have closed behind its last answer, and somebody may be next in line for it.
  full.stream_healthy = standing.stream_healthy && !backend->stream.ended();
  full.expired = backend->expires <= now;
  full.recalled = paused_ || backend->expires == kRecalled;
  full.outdated = outdated(*backend);
  full.aimed = backend->fence->aimed;
  full.draining = draining_;
  if (full.refused_to_write) look_up_names(now);
  const Judgement judgement = judge(full);
  switch (judgement.reuse) {
    case Reuse::lend: lend(std::move(backend)); break;
    case Reuse::wash: {
      const Washing what{.reset = full.needs_reset, .role = full.role_doubtful};
      supervise("wash", wash_and_lend(std::move(backend), what));
      break;
    }
    case Reuse::retire:
      if (executing && full.stream_healthy) cancel(*backend);
      retire(std::move(backend),
             full.at_boundary && !full.half_forwarded && full.stream_healthy ? Parting::polite
                                                                             : Parting::abrupt,
             judgement.reason);
      serve_line();
      break;
  }
}

/// Its client lets it wait, or does not have it any more.
void PoolShard::note_busy(BackendConn& backend, TimePoint now, bool inside) {
  const auto whole = [](Clock::duration spent) {
    const auto count = std::chrono::duration_cast<std::chrono::microseconds>(spent).count();
    return static_cast<std::uint64_t>(count);
  };
  const BusyTime::Spent spent = backend.busy.pause(now, inside);
  metrics_.query_microseconds.add(whole(spent.queries));
  metrics_.transaction_microseconds.add(whole(spent.transactions));
}

/// A database that has failed over may have its name elsewhere already, and this server none.
void PoolShard::look_up_names(TimePoint now) {
  const bool wanted = loop_.config->timeouts.dns_max_ttl.count() > 0;
  if (wanted && target_.may_look_up(now)) supervise("names", refresh_names(loop_, target_));
}

void PoolShard::lend(std::unique_ptr<BackendConn> backend) {
  if (draining_) {
    retire(std::move(backend), Parting::polite, CloseReason::shutdown);
    return;
  }
  if (paused_ || backend->expires == kRecalled) {
    retire(std::move(backend), Parting::polite, CloseReason::recalled);
    open_where_needed();
    return;
  }
  // Its facts are not believed any more, but it is still good enough to be lent.
  if (line_.curious()) target_.publish(place_.key, backend->state->facts());
  line_.answer_facts();
  if (target_.ledger().wanted() && lend_elsewhere(backend)) return;
  if (line_.work().queue().size() > 0) {
    if (Waiter* next = next_in_line(Clock::now())) {
      grant(*next, std::move(backend));
      return;
    }
  }
  put_idle(std::move(backend));
  // The want may have come between the look above and the count that put_idle published.
  if (target_.ledger().wanted() && !idle_.empty()) {
    std::unique_ptr<BackendConn> last = pop_idle(true);
    if (!lend_elsewhere(last)) put_idle(std::move(last));
  }
}

bool PoolShard::lend_elsewhere(std::unique_ptr<BackendConn>& backend) {
  const TimePoint mine = line_.oldest_since();
  const auto not_before = [mine](config::Duration skew) {
    return mine == TimePoint::max() ? mine : mine - skew;
  };
  PoolLedger& ledger = target_.ledger();
  const std::optional<PoolLedger::Want> want =
      ledger.oldest_want(place_, not_before(config::kHandOverSkew));
  if (!want) return false;
  if (want->place.key == place_.key) {
    auto parts = std::make_shared<BackendParts>(std::move(*backend).take_apart());
    backend.reset();
    --backends_;
    ledger.messenger().deliver(want->place, std::move(parts));
    return true;
  }
  if (want->since >= not_before(config::kEvictionSkew)) return false;
  retire(std::move(backend), Parting::polite, CloseReason::evicted);
  return true;
}

void PoolShard::put_idle(std::unique_ptr<BackendConn> backend) {
  backend->idle_since = Clock::now();
  backend->idle_home = this;
  backend->stream.watch(backend.get());
  backend->stream.arm_read();
  idle_.push_back(std::move(backend));
  metrics_.idle.add(1);
  publish_idle();
}

std::unique_ptr<BackendConn> PoolShard::pop_idle(bool newest) {
  if (idle_.empty()) return nullptr;
  return take_out(newest ? idle_.end() - 1 : idle_.begin());
}

std::unique_ptr<BackendConn> PoolShard::take_out(Idle::iterator at) {
  std::unique_ptr<BackendConn> backend = std::move(*at);
  idle_.erase(at);
  backend->idle_home = nullptr;
  backend->stream.watch(nullptr);
  metrics_.idle.add(-1);
  publish_idle();
  return backend;
}

/// What is kept back is not there for others either.
void PoolShard::publish_idle() {
  const std::size_t kept = std::min(reserve(), idle_.size());
  idle_count_->store(static_cast<std::uint32_t>(idle_.size() - kept));
}

void PoolShard::idle_backend_stirred(BackendConn& backend) {
  const auto found = std::find_if(idle_.begin(), idle_.end(),
                                  [&](const auto& idle) { return idle.get() == &backend; });
  if (found == idle_.end()) return;
  if (backend.stream.quiet()) {
    // Readiness from before the release, for bytes that its lease has read.
    backend.stream.arm_read();
    return;
  }
  retire(take_out(found), Parting::abrupt, CloseReason::stale);
}

// --- opening and closing -------------------------------------------------------------------------

void PoolShard::open_where_needed() {
  open_what_fits();
  if (!line_.empty()) tend(Clock::now());
}

void PoolShard::open_what_fits() {
  if (target_.down()) refuse_while_down();
  serve_line();
  while (!draining_ && !paused_ && (wants_backends() || keeps_trying())) {
    const PoolLedger::Caps caps = settings_of(*loop_.config, place_.key).caps;
    const bool worth = worth_trying();
    if (!worth || !target_.ledger().try_open(place_.key, caps)) {
      if (wants_backends()) {
        wanting_ = true;
        target_.ledger().want({place_, line_.oldest_since(), caps, !worth});
      }
      if (!worth) retry_later();
      return;
    }
    if (!open_with_slot()) {
      retry_later();
      return;
    }
  }
}

void PoolShard::retry_later() {
  if (retry_pending_) return;
  supervise("retry", retry(next_attempt()));
}

Task<void> PoolShard::retry(TimePoint at) {
  retry_pending_ = true;
  Deadline deadline(loop_.deadlines, retry_wake_);
  deadline.arm(at);
  co_await retry_wake_.wait();
  retry_pending_ = false;
  open_where_needed();
}

Task<void> PoolShard::open_one() {
  ++backends_;
  metrics_.connecting.add(1);
  const TimePoint began = Clock::now();
  std::vector<std::string> passwords = co_await passwords_();
  Connected result =
      co_await connect_backend(loop_, target_, place_.key, std::move(passwords), deriver_);
  metrics_.connecting.add(-1);
  --connecting_;
  attempt_ended(outcome_of(result), began);
  if (!result.refused.empty()) tell_refused_(result.refused);
  if (!result.backend) {
    --backends_;
    if (result.fault == Fault::backend_full) target_.ledger().server_full(Clock::now());
    if (result.fault == Fault::account_full) {
      target_.ledger().account_full(place_.key, Clock::now());
    }
    target_.ledger().closed(place_.key);
    connect_failed(result);
    open_where_needed();
    co_return;
  }
  metrics_.connects_ok.add(1);
  if (began <= recalled_at_) result.backend->expires = kRecalled;
  all_.push_back(*result.backend);
  target_.serves(1);
  refused_ = Fault::none;
  target_.publish(place_.key, result.backend->state->facts());
  line_.answer_facts();
  lend(std::move(result.backend));
  open_where_needed();
}

void PoolShard::attempt_ended(ConnectPacer::Outcome outcome, TimePoint began) {
  target_.attempt_ended(outcome, Clock::now() - began, ConnectPacer::Limits::of(*loop_.config));
}

void PoolShard::connect_failed(const Connected& result) {
  metrics_.connects_failed.add(1);
  log::limited(log::Level::warn, "backend_connect_failed", "cannot open a database connection",
               {{"backend", target_.backend().name},
                {"database", place_.key.database},
                {"user", place_.key.user},
                {"reason", protocol::row_of(result.fault).label},
                {"detail", result.detail}});
  if (result.fault == Fault::unknown_database || result.fault == Fault::backend_refused_login) {
    refused_ = result.fault;
    refused_detail_ = result.detail;
    refused_until_ = Clock::now() + loop_.config->timeouts.unknown_database_ttl;
    if (!has_backends()) refuse_all(refused_, refused_detail_);
  }
}

void PoolShard::slot_granted() {
  // The line may have emptied and filled again while the grant was on its way: one want too many.
  stop_wanting();
  if (!draining_ && !paused_ && wants_backends()) {
    open_with_slot();
  } else {
    target_.ledger().closed(place_.key);
  }
  open_where_needed();
}

void PoolShard::give_up_idle() {
  std::unique_ptr<BackendConn> oldest = pop_idle(false);
  if (oldest) retire(std::move(oldest), Parting::polite, CloseReason::evicted);
}

std::unique_ptr<BackendParts> PoolShard::release_idle() {
  while (std::unique_ptr<BackendConn> backend = pop_idle(true)) {
    if (backend->stream.quiet()) {
      --backends_;
      return std::make_unique<BackendParts>(std::move(*backend).take_apart());
    }
    retire(std::move(backend), Parting::abrupt, CloseReason::stale);
  }
  return nullptr;
}

void PoolShard::receive(BackendParts parts) {
  metrics_.hand_overs.add(1);
  ++backends_;
  stop_wanting();
  auto backend = std::make_unique<BackendConn>(loop_, std::move(parts));
  all_.push_back(*backend);
  if (needs_check(*backend, Clock::now())) {
    supervise("check", wash_and_lend(std::move(backend), Washing{.check = true}));
  } else {
    lend(std::move(backend));
  }
  open_where_needed();
}

void PoolShard::retire(std::unique_ptr<BackendConn> backend, Parting parting, CloseReason reason) {
  metrics_.closed[static_cast<std::size_t>(reason)].add(1);
  target_.serves(-1);
  if (reason == CloseReason::backend_lost || reason == CloseReason::stale) target_.lost_one();
  supervise("part", part(std::move(backend), parting));
}

Task<void> PoolShard::part(std::unique_ptr<BackendConn> backend, Parting parting) {
  metrics_.closing.add(1);
  co_await part_with(loop_, std::move(backend), parting);
  metrics_.closing.add(-1);
  --backends_;
  target_.ledger().closed(place_.key);
  open_where_needed();
}

bool PoolShard::needs_check(const BackendConn& backend, TimePoint now) const {
  return now - backend.idle_since >= loop_.config->timeouts.server_check_delay;
}

bool PoolShard::outdated(BackendConn& backend) const {
  const std::uint32_t generation = target_.generation();
  if (backend.generation == generation) return false;
  if (target_.outdated(backend.address.ip, backend.opened)) return true;
  backend.generation = generation;
  return false;
}

Task<void> PoolShard::wash_and_lend(std::unique_ptr<BackendConn> backend, Washing what) {
  metrics_.resetting.add(1);
  if (backend->fence->in_flight > 0) {
    // That may take long: others are not to count on it.
    open_where_needed();
    co_await cancels_landed(*backend);
  }
  ++washing_;
  const bool clean = co_await wash(loop_, target_, *backend, what);
  metrics_.resetting.add(-1);
  --washing_;
  if (clean) {
    lend(std::move(backend));
  } else {
    retire(std::move(backend), Parting::abrupt, what.on_failure());
  }
  // Gone, or gone to another worker: who counted on it needs another one.
  open_where_needed();
}

void PoolShard::cancel(const BackendConn& backend) {
  if (target_.dialect().kill_needs_login()) {
    order_kill(backend);
    return;
  }
  metrics_.cancels.add(1);
  supervise("cancel", run_cancel(backend));
}

Task<void> PoolShard::run_cancel(const BackendConn& backend) {
  ++cancelling_;
  metrics_.cancelling.add(1);
  co_await cancel_statement(loop_, target_, backend);
  --cancelling_;
  metrics_.cancelling.add(-1);
}

void PoolShard::sweep() {
  const TimePoint now = Clock::now();
  note_sources(now);
  note_part();  // backends go where nobody waits, too
  note_requests();
  give_up_silent(now);
  const config::Duration idle_timeout = loop_.config->timeouts.server_idle_timeout;
  const PoolSettings settings = settings_of(*loop_.config, place_.key);
  target_.ledger().recover(now);
  std::uint32_t surplus = target_.ledger().open_of(place_.key);
  surplus -= std::min(surplus, settings.min_size);
  for (std::size_t i = 0; i < idle_.size();) {
    BackendConn& backend = *idle_[i];
    const bool old = backend.expires <= now;
    const bool gone = outdated(backend);
    const bool bored =
        surplus > 0 && idle_timeout.count() > 0 && backend.idle_since + idle_timeout <= now;
    if (bored) --surplus;
    if (!old && !gone && !bored) {
      ++i;
      continue;
    }
    std::swap(idle_[i], idle_.front());
    retire(pop_idle(false), Parting::polite,
           old    ? CloseReason::lifetime
           : gone ? CloseReason::outdated
                  : CloseReason::idle_timeout);
    i = 0;
  }
  shrink(settings);
  fill_up(settings);
}

/// After a bound has been lowered: what is idle goes, what is lent is not lent again. One per
/// sweep, for the other workers do the same.
void PoolShard::shrink(const PoolSettings& settings) {
  const std::uint32_t excess = target_.ledger().excess_of(place_.key, settings.caps);
  if (excess <= recalled()) return;
  if (std::unique_ptr<BackendConn> idle = pop_idle(false)) {
    return retire(std::move(idle), Parting::polite, CloseReason::recalled);
  }
  for (BackendConn& backend : all_) {
    if (backend.client == nullptr || backend.expires == kRecalled) continue;
    backend.expires = kRecalled;
    return;
  }
}

/// Those that are at work; idle ones are left to the kernel's keepalive.
void PoolShard::give_up_silent(TimePoint now) {
  const config::Duration patience = loop_.config->tcp.user_timeout;
  if (patience.count() == 0) return;
  for (BackendConn& backend : all_) {
    if (!backend.idle_home && backend.stream.silence(now) >= patience) backend.stream.give_up();
  }
}

/// One per sweep, and only where nobody waits for a slot: a minimum takes nothing from others.
void PoolShard::fill_up(const PoolSettings& settings) {
  PoolLedger& ledger = target_.ledger();
  while (!draining_ && !paused_ && ledger.open_of(place_.key) < settings.min_size) {
    if (ledger.wanted() || !worth_trying()) return;
    if (!ledger.try_open(place_.key, settings.caps) || !open_with_slot()) return;
  }
}

/// Nobody waits for a server that refuses work at once: it is tried all the same until it is back.
bool PoolShard::keeps_trying() const {
  return target_.circuit() != Circuit::closed && connecting_ == 0;
}

/// Before a slot is taken for it.
bool PoolShard::worth_trying() const { return Clock::now() >= next_attempt(); }

TimePoint PoolShard::next_attempt() const {
  const TimePoint at = target_.retry_at(ConnectPacer::Limits::of(*loop_.config));
  return refused_ == Fault::none ? at : std::max(at, refused_until_);
}

/// Some of this pool's serve on, here or elsewhere, whatever becomes of new ones.
bool PoolShard::has_backends() const {
  return !all_.empty() || target_.ledger().open_of(place_.key) > backends_;
}

/// Opens a backend with a slot that is ours, if the server is worth trying now.
bool PoolShard::open_with_slot() {
  if (!target_.begin_attempt(ConnectPacer::Limits::of(*loop_.config))) {
    target_.ledger().closed(place_.key);
    return false;
  }
  ++connecting_;
  supervise("connect", open_one());
  return true;
}

}  // namespace weirpool::proxy
