#include "proxy/session/session.hpp"

#include <algorithm>
#include <utility>

#include "config/limits.hpp"
#include "proxy/log/log.hpp"

namespace weirpool::proxy {

using protocol::Fault;
using protocol::Party;
using protocol::Verdict;

namespace {

/// A transfer that never runs dry lets the other sessions have a turn after this many chunks.
constexpr int kRounds = 32;

}  // namespace

Session::Session(SessionHost& host, std::shared_ptr<const ListenerSite> site, Stream::Parts client,
                 std::uint32_t id, Fault refusal)
    : host_(host),
      site_(std::move(site)),
      address_(peer_of(client.fd)),
      client_(host.loop().poller, std::move(client)),
      clock_(host.loop().deadlines, signal_),
      up_(host.loop().chunks),
      down_(host.loop().chunks),
      since_(Clock::now()),
      id_(id),
      refusal_(refusal),
      state_(State::login) {
  client_.watch(this);
  host_.metrics().clients[static_cast<std::size_t>(state_)].add(1);
}

Session::~Session() {
  client_.watch(nullptr);
  if (lease_) end_lease(true);
  if (state_ == State::login) host_.login_over();
  if (conversation_) shard_->metrics().clients.add(-1);
  if (console_) host_.metrics().console.add(-1);
  host_.metrics().clients[static_cast<std::size_t>(state_)].add(-1);
  host_.left(*this);
}

Task<void> Session::run(std::unique_ptr<Session> session) {
  const bool logged_in = co_await session->log_in();
  if (logged_in && session->console_) {
    co_await session->serve_console();
  } else if (logged_in) {
    co_await session->serve();
  }
  if (session->lease_) session->end_lease(true);
  if (session->parting_ != Fault::none) co_await session->farewell();
}

Task<void> Session::serve() {
  for (;;) {
    const Next next = relay();
    if (next == Next::leave || drained()) co_return;
    if (winding_up() && wound_up()) co_return;
    if (next == Next::lease) {
      const bool go_on = co_await obtain_lease();
      if (!go_on) co_return;
      continue;
    }
    if (next == Next::log_in) {
      const bool go_on = co_await log_in_again();
      if (!go_on) co_return;
      continue;
    }
    if (next == Next::kill) {
      co_await kill_other();
      continue;
    }
    arm();
    co_await signal_.wait();
    if (next_ == Next::leave || time_is_up()) co_return;
  }
}

// --- moving bytes --------------------------------------------------------------------------------

Session::Next Session::relay() {
  if (cancelling_ && cancel_uncertain()) ended(Party::backend);
  // Who stands still has nothing to do until the other one has moved, or made room.
  bool client_may = true;
  bool backend_may = true;
  while ((client_may || backend_may) && next_ == Next::wait) {
    if (std::exchange(client_may, false)) {
      const bool clogged = !steppable(down_);
      backend_may |= speaks() && drive(Party::client);
      backend_may |= clogged && steppable(down_);
    }
    if (next_ == Next::wait && std::exchange(backend_may, false) && lease_) {
      const bool clogged = !steppable(up_);
      client_may = drive(Party::backend);
      client_may |= clogged && steppable(up_);
    }
    if (next_ == Next::lease) {
      if (retry_refused_) break;
      Lease idle = shard_->take_idle(&flow_of_request());
      if (!idle) break;
      attach(std::move(idle));
      client_may = backend_may = true;
    }
  }
  const Next next = next_;
  if (next_ == Next::lease || next_ == Next::log_in || next_ == Next::kill) next_ = Next::wait;
  return next;
}

bool Session::drive(Party from) {
  Flow& flow = flow_from(from);
  const bool client = from == Party::client;
  bool moved = false;
  for (int round = 0; round < kRounds; ++round) {
    bool waits = false;
    while (steppable(flow)) {
      const Verdict verdict = conversation_->step(from, flow.unread());
      waits = !apply(from, verdict);
      if (waits) break;
      moved = true;
      if (next_ != Next::wait || (client ? !speaks() : !lease_)) {
        flush();
        return true;
      }
    }
    if (!flush()) return true;
    if (!client && !lease_) return true;
    // What stood in the way of a step has been written.
    if (!waits && steppable(flow)) continue;
    if (client && winding_up()) return moved;
    if (stands_still()) return moved;
    const Io io = flow.fill(client ? client_ : lease_->stream);
    if (io.kind == Io::Kind::blocked) return moved;
    moved = true;
    idle_since_ = {};
    if (io.kind != Io::Kind::moved) {
      ended(from);
      return true;
    }
    metrics::PoolMetrics& numbers = shard_->metrics();
    (client ? numbers.received : numbers.sent).add(io.count);
  }
  signal_.notify_later(host_.loop().ready);
  return false;
}

bool Session::apply(Party from, const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::need:
    case Verdict::Kind::hold: return false;
    case Verdict::Kind::forward: flow_from(from).forward(verdict.count); return true;
    case Verdict::Kind::skip: flow_from(from).skip(verdict.count); return true;
    case Verdict::Kind::send: flow_from(other(verdict.to)).insert(verdict.bytes); return true;
    case Verdict::Kind::lease: next_ = Next::lease; return true;
    case Verdict::Kind::kill: next_ = Next::kill; return true;
    case Verdict::Kind::release: release_backend(); return true;
    case Verdict::Kind::log_in: next_ = Next::log_in; return true;
    case Verdict::Kind::done: depart(Departure::goodbye); return true;
    case Verdict::Kind::close: leave(verdict.fault); return true;
    default: leave(Fault::internal); return true;
  }
}

bool Session::flush() {
  if (lease_ && (up_.pending() || lease_->stream.unsent())) {
    // A backend that takes no more bytes may still have last words: reading goes on until its end.
    if (up_.flush(lease_->stream).kind == Io::Kind::failed) up_.abandon();
  }
  if (deaf_) {
    down_.abandon();
  } else if (down_.pending() || client_.unsent()) {
    const std::size_t before = down_.backlog();
    if (down_.flush(client_).kind == Io::Kind::failed) {
      winding_up() ? turn_deaf() : depart(Departure::vanished);
    }
    if (down_.backlog() < before) idle_since_ = {};
  }
  return next_ != Next::leave;
}

void Session::ended(Party party) {
  if (party == Party::client) {
    const bool goodbye = conversation_->says_goodbye(up_.unread());
    return depart(goodbye ? Departure::goodbye : Departure::vanished);
  }
  const bool torn = up_.mid_message() || down_.mid_message() || down_.inserting();
  const Verdict verdict = conversation_->backend_lost(torn);
  up_.abandon();
  end_lease(false);
  log::limited(log::Level::warn, "backend_lost", "a database connection was lost under a client",
               {{"backend", shard_->key().target->backend().name},
                {"database", shard_->key().database},
                {"user", shard_->key().user}});
  if (winding_up()) return leave(Fault::none);
  if (verdict.kind == Verdict::Kind::close) return leave(verdict.fault);
  enter(State::idle);
  // What is unread has reached nobody; it goes to another backend, but not to any number of them.
  const bool again = verdict.kind == Verdict::Kind::lease;
  if (!again) return;
  if (++fresh_losses_ > config::kMaxFreshAttempts) return leave(Fault::backend_lost);
  retry_refused_ = !shard_->may_retry();
}

// --- the lease -----------------------------------------------------------------------------------

void Session::attach(Lease lease) {
  lease_ = std::move(lease);
  lease_->stream.watch(this);
  lease_->client = this;
  conversation_->attach(*lease_->state);
  answered_before_ = conversation_->answered();
  next_ = Next::wait;
  enter(State::active);
}

Task<bool> Session::obtain_lease() {
  const admission::Flow& flow = flow_of_request();
  if (std::exchange(retry_refused_, false)) {
    refuse(Fault::backend_down, shard_->no_retry(flow));
    co_return true;
  }
  const Patience patient = patience(flow.importance());
  const PoolShard::Refusal refused = shard_->admit(flow, patient.time);
  if (refused.fault != Fault::none) {
    refuse(patient.own && refused.hopeless ? Fault::own_deadline : refused.fault, refused.detail);
    co_return true;
  }
  Waiter waiter(*shard_, signal_, Waiter::Wish::backend, &flow);
  const bool for_ever = patient.time == admission::Duration::max();
  clock_.arm(for_ever ? TimePoint::max() : waiter.since() + patient.time);
  requested_ = waiter.since();
  enter(State::waiting);
  cancelled_ = false;
  while (waiter.waiting() && !clock_.passed() && !cancelled_) {
    if (next_ == Next::leave || client_.ended()) co_return false;
    if (!client_.may_read()) client_.arm_read();
    co_await signal_.wait();
  }
  clock_.disarm();
  if (next_ == Next::leave) co_return false;
  Lease granted = waiter.take();
  if (granted) {
    attach(std::move(granted));
    cancel_wanted_ = cancelled_;
    co_return true;
  }
  enter(State::idle);
  if (waiter.refusal() == Fault::shutting_down) {
    host_.metrics().faults[static_cast<std::size_t>(Fault::shutting_down)].add(1);
    leave(Fault::shutting_down);
    co_return false;
  }
  if (waiter.refusal() != Fault::none) {
    // What a database has said to weirpool is for the log.
    const bool advised = protocol::row_of(waiter.refusal()).severity == protocol::Severity::error;
    refuse(waiter.refusal(), advised ? waiter.detail() : std::string_view{});
  } else if (cancelled_) {
    refuse(Fault::cancelled, {});
  } else {
    refuse(patient.own ? Fault::own_deadline : Fault::pool_timeout,
           shard_->gave_up(flow, waiter.since()));
  }
  co_return true;
}

void Session::release_backend() {
  shard_->metrics().transactions.add(1);
  fresh_losses_ = 0;
  end_lease(true);
  enter(State::idle);
}

void Session::end_lease(bool backend_healthy) {
  const std::size_t leftover = down_.unread().size();
  Standing standing;
  standing.stream_healthy = backend_healthy;
  standing.at_boundary = conversation_->at_boundary();
  standing.half_forwarded = up_.pending() || up_.mid_message() || !down_.steppable();
  standing.leftover = leftover > 0 || lease_->stream.buffered();
  standing.refused_to_write = conversation_->refused_to_write();
  standing.role_doubtful = standing.refused_to_write && shard_->key().target->wants_writer();
  standing.needs_reset = reset_always_ || conversation_->needs_reset();
  const bool executing = conversation_->executing();
  down_.cut_off();
  conversation_->detach();
  pin_ = {};
  cancel_wanted_ = false;
  if (std::exchange(cancelling_, false)) lease_->fence->waiter = nullptr;
  requested_ = lease_->lent;
  Lease ending = std::move(lease_);
  ending.end(standing, executing);
}

// --- leaving -------------------------------------------------------------------------------------

void Session::leave(Fault fault, std::string_view detail) {
  next_ = Next::leave;
  parting_ = fault;
  parting_words_ = detail;
}

Task<void> Session::farewell() {
  host_.metrics().faults[static_cast<std::size_t>(parting_)].add(1);
  const protocol::FaultRow& row = protocol::row_of(parting_);
  log::limited(log::Level::info, "client_refused", "a client was told goodbye",
               {{"reason", row.label},
                {"backend", site_->target->backend().name},
                {"address", address_.text()},
                {"client_id", std::uint64_t{id_}}});
  // In the middle of a message no error can be put into the stream: the only honest end is to
  // close.
  if (!down_.mid_message() && !down_.inserting()) {
    protocol::Writer words;
    if (console_) {
      console_->write_fault(parting_, parting_words_, words);
    } else if (conversation_) {
      conversation_->write_fault(parting_, parting_words_, words);
    } else if (login_) {
      login_->write_fault(parting_, parting_words_, words);
    }
    down_.insert(words.view());
  }
  clock_.arm_in(config::kFarewellLinger);
  while (down_.flush(client_).kind == Io::Kind::blocked) {
    client_.arm_write();
    co_await signal_.wait();
    if (clock_.passed()) co_return;
  }
  client_.shut_down_write();
  co_await linger();
}

Task<void> Session::linger() {
  for (int round = 0; !clock_.passed(); ++round) {
    up_.reset();
    const Io io = up_.fill(client_);
    if (io.kind == Io::Kind::eof || io.kind == Io::Kind::failed) co_return;
    if (io.kind == Io::Kind::blocked) {
      client_.arm_read();
    } else if (round % kRounds != 0) {
      continue;
    } else {
      signal_.notify_later(host_.loop().ready);
    }
    co_await signal_.wait();
  }
}

// --- waiting -------------------------------------------------------------------------------------

void Session::arm() {
  if (up_.has_room() && !winding_up() && speaks() && !stands_still()) client_.arm_read();
  if (!deaf_ && (down_.pending() || client_.unsent())) client_.arm_write();
  if (lease_) {
    if (cancel_wanted_ && conversation_->executing()) {
      cancel_wanted_ = false;
      order_cancel();
    }
    note_pin();
    const bool resting = !conversation_->executing() || conversation_->endless();
    if (resting != lease_->resting) {
      shard_->rests(*lease_, resting, !conversation_->at_boundary());
    }
    if (down_.has_room() && !stands_still()) lease_->stream.arm_read();
    if (up_.pending() || lease_->stream.unsent()) lease_->stream.arm_write();
  }
  set_clock();
}

/// A client that keeps its backend at a boundary does so for a reason; each is counted when it
/// begins.
void Session::note_pin() {
  if (!conversation_->at_boundary()) return;
  shard_->metrics().work.take(lease_->state->tally);
  const std::string_view reason = conversation_->pin_reason();
  if (reason == pin_) return;
  pin_ = reason;
  if (!reason.empty()) shard_->metrics().pins.add(reason);
}

void Session::set_clock() {
  using Own = config::UserTimeouts;
  const config::Timeouts& timeouts = host_.loop().config->timeouts;
  TimePoint until = TimePoint::max();
  const auto bound = [&](Fault fault, config::Duration timeout, TimePoint& since) {
    if (timeout.count() == 0) return;
    if (since == TimePoint{}) since = Clock::now();
    if (since + timeout >= until) return;
    until = since + timeout;
    overdue_ = fault;
  };
  TimePoint now{};
  if (winding_up()) {
    const bool vanished = departure_ == Departure::vanished;
    bound(Fault::none, vanished ? config::kCallOff : timeouts.wind_up_timeout, transaction_since_);
  } else if (!lease_ || conversation_->at_boundary()) {
    transaction_since_ = query_since_ = {};
    bound(Fault::client_idle_timeout,
          idle_limit(timeout(timeouts.client_idle_timeout, &Own::client_idle_timeout)), now);
  } else if (!conversation_->endless()) {
    bound(Fault::transaction_timeout,
          timeout(timeouts.transaction_timeout, &Own::transaction_timeout), transaction_since_);
    const std::uint32_t answered = conversation_->answered();
    if (!conversation_->executing() || std::exchange(query_number_, answered) != answered) {
      query_since_ = {};
    }
    if (conversation_->executing()) {
      bound(Fault::query_timeout, timeout(timeouts.query_timeout, &Own::query_timeout),
            query_since_);
    }
    if (!conversation_->executing() || stalls()) {
      if (idle_since_ == TimePoint{}) idle_since_ = Clock::now();
      bound(Fault::idle_transaction_timeout,
            timeout(timeouts.idle_transaction_timeout, &Own::idle_transaction_timeout),
            idle_since_);
      const TimePoint look = idle_transaction_end();
      if (look < until) {
        until = look;
        overdue_ = Fault::idle_transaction_timeout;
      }
    }
  }
  clock_.arm(until);
}

/// The backend could go on with what it executes if only the client did: it has sent a part of a
/// message, of a batch or of its rows, or does not take its answers. That holds a backend as much
/// as a transaction in which nothing is said.
bool Session::stalls() const {
  if (down_.pending() || client_.unsent()) return true;
  if (up_.pending() || lease_->stream.unsent()) return false;
  return up_.mid_message() || conversation_->kept_waiting();
}

/// The shorter of what the configuration and the client itself allow; zero: none.
config::Duration Session::idle_limit(config::Duration configured) const {
  const config::Duration own = std::chrono::seconds(conversation_->idle_limit_seconds());
  if (own.count() == 0) return configured;
  return configured.count() == 0 ? own : std::min(own, configured);
}

/// When to look whether somebody else needs the backend more than a client that is idle in its
/// transaction.
TimePoint Session::idle_transaction_end() {
  const config::Duration limit = host_.loop().config->timeouts.idle_transaction_timeout_waiting;
  if (limit.count() == 0) return TimePoint::max();
  const TimePoint now = Clock::now();
  const TimePoint end = idle_since_ + limit;
  return end > now || shard_->line_stands() ? end : now + config::kIdleLook;
}

bool Session::time_is_up() {
  if (!clock_.passed()) return false;
  if (overdue_ == Fault::idle_transaction_timeout) {
    const config::Duration limit = timeout(host_.loop().config->timeouts.idle_transaction_timeout,
                                           &config::UserTimeouts::idle_transaction_timeout);
    const TimePoint now = Clock::now();
    const bool up = limit.count() != 0 && idle_since_ + limit <= now;
    if (!up && idle_transaction_end() > now) return false;
  }
  leave(overdue_);
  return true;
}

bool Session::drained() {
  const Fault why = host_.draining() ? Fault::shutting_down : dismissal_;
  if (why == Fault::none || !up_.empty() || down_.pending() || client_.unsent()) return false;
  if (lease_ && (!conversation_->at_boundary() || conversation_->executing())) return false;
  leave(why);
  return true;
}

void Session::stream_ready() {
  const bool idle_end = state_ == State::idle && client_.ending();
  if (state_ != State::login && !idle_end) return signal_.notify();
  signal_.notify_later(host_.loop().patient);
}

void Session::nudge() { signal_.notify_later(host_.loop().ready); }

void Session::evict() {
  leave(Fault::shutting_down);
  nudge();
}

void Session::enter(State state) {
  if (state == state_) return;
  host_.metrics().clients[static_cast<std::size_t>(state_)].add(-1);
  host_.metrics().clients[static_cast<std::size_t>(state)].add(1);
  state_ = state;
}

}  // namespace weirpool::proxy
