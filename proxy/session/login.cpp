// The login of a client, see session.hpp: drives ClientLogin until it is done.
#include <openssl/rand.h>

#include <utility>

#include "protocol/proxy_header.hpp"
#include "proxy/log/log.hpp"
#include "proxy/session/session.hpp"

namespace weirpool::proxy {

using protocol::Fault;
using protocol::Party;
using protocol::Verdict;

Task<bool> Session::log_in() {
  if (site_->behind_proxy(address_.ip)) {
    clock_.arm_in(host_.loop().config->timeouts.client_login_timeout);
    const bool introduced = co_await take_proxy_header();
    if (!introduced) co_return false;
  }
  protocol::LoginContext context;
  counted_[0] = host_.census().enter(Census::Kind::source, address_.text(),
                                     host_.loop().config->limits.max_source_client_connections);
  if (!counted_[0] && refusal_ == Fault::none) refusal_ = Fault::too_many_of_source;
  context.connection_id = id_;
  context.tls_available = site_->tls != nullptr;
  context.tls_required = site_->tls_required;
  RAND_bytes(context.cancel_key.data(), static_cast<int>(context.cancel_key.size()));
  cancel_key_ = context.cancel_key;
  login_ = site_->target->dialect().client_login(context);
  co_return co_await conduct_login();
}

/// A client of a running session becomes somebody else: its pool, its settings, everything but its
/// connection is new.
Task<bool> Session::log_in_again() {
  if (lease_) end_lease(true);
  login_ = conversation_->take_login();
  conversation_.reset();
  shard_->metrics().clients.add(-1);
  line_ = {};
  tagged_line_ = {};
  shard_.reset();
  counted_[static_cast<std::size_t>(Census::Kind::user)] = {};
  counted_[static_cast<std::size_t>(Census::Kind::database)] = {};
  host_.login_again();
  enter(State::login);
  co_return co_await conduct_login();
}

Task<bool> Session::conduct_login() {
  clock_.arm_in(host_.loop().config->timeouts.client_login_timeout);
  for (;;) {
    const bool bytes_moved = up_.steppable() && !down_.inserting();
    const Verdict verdict =
        bytes_moved ? login_->step(Party::client, up_.unread()) : Verdict::need(0);
    bool go_on = true;
    switch (verdict.kind) {
      case Verdict::Kind::need: go_on = co_await move_login_bytes(); break;
      case Verdict::Kind::skip: up_.skip(verdict.count); break;
      case Verdict::Kind::send: down_.insert(verdict.bytes); break;
      case Verdict::Kind::start_tls: go_on = co_await start_client_tls(); break;
      case Verdict::Kind::look_up: go_on = co_await look_up(); break;
      case Verdict::Kind::derive: go_on = co_await derive(); break;
      case Verdict::Kind::learn: go_on = co_await learn(); break;
      case Verdict::Kind::cancel: co_await cancel_other(verdict.bytes); co_return false;
      case Verdict::Kind::done: {
        std::unique_ptr<protocol::Codec> codec = login_->take_codec();
        if (codec) {
          const bool flushed = co_await flush_login_bytes();
          if (!flushed) co_return false;
          client_.start_codec(std::move(codec));
        }
        co_return finish_login();
      }
      case Verdict::Kind::close:
        if (verdict.fault == Fault::login_denied) doubt_user();
        leave(verdict.fault);
        co_return false;
      default: leave(Fault::internal); co_return false;
    }
    if (!go_on) co_return false;
  }
}

/// Nothing of the protocol itself is said or read before: who does not begin as agreed is no
/// balancer.
Task<bool> Session::take_proxy_header() {
  for (;;) {
    const auto header = protocol::ProxyHeader::parse(up_.unread());
    if (header.outcome == protocol::ProxyHeader::Outcome::malformed) {
      leave(Fault::proxy_header);
      co_return false;
    }
    if (header.outcome == protocol::ProxyHeader::Outcome::complete) {
      up_.skip(header.size);
      if (header.proxied) address_ = {header.address, header.port};
      co_return true;
    }
    const bool more = co_await move_login_bytes();
    if (!more) co_return false;
  }
}

/// Waits for something of the login that is no byte of the client's; false: no longer.
Task<bool> Session::login_pause() {
  if (!client_.may_read()) client_.arm_read();
  co_await signal_.wait();
  co_return !clock_.passed() && !client_.ended() && !host_.draining();
}

Task<bool> Session::look_up() {
  // Who looks after a full house must get in.
  const bool full = refusal_ == Fault::too_many_clients || refusal_ == Fault::short_of_memory;
  if (refusal_ != Fault::none && !(full && for_console())) {
    leave(refusal_);
    co_return false;
  }
  const protocol::Identity& identity = login_->identity();
  const Ruling ruling = host_.rule(*site_->target, arrival(), client_.tls());
  if (ruling.refusal != Fault::none) {
    leave(ruling.refusal, ruling.detail);
    co_return false;
  }
  AccountWait wait(directory(), identity.user, signal_);
  host_.look_up(wait);
  while (!wait.answered()) {
    const bool patient = co_await login_pause();
    if (patient) continue;
    leave(host_.draining() ? Fault::shutting_down : Fault::login_timeout);
    co_return false;
  }
  if (wait.fault() != Fault::none) {
    leave(wait.fault());
    co_return false;
  }
  protocol::Account account = wait.account();
  account.proof = ruling.proof;
  login_->answer(account);
  co_return true;
}

config::Arrival Session::arrival() const {
  const protocol::Identity& identity = login_->identity();
  config::Arrival arrival;
  arrival.user = identity.user;
  arrival.database = identity.database;
  arrival.encrypted = client_.encrypted();
  arrival.replication = identity.whole_server;
  arrival.address = address_.ip;
  return arrival;
}

Task<bool> Session::derive() {
  protocol::KeyDerivation wish = login_->derivation();
  const KeyDeriver::Key key = co_await host_.deriver().derive(host_.loop(), std::move(wish));
  login_->derived(key);
  co_return true;
}

/// What was believed about the user may not be true any more.
void Session::doubt_user() { host_.doubt(directory(), login_->identity().user); }

/// The database server that knows the user, if the configuration does not.
BackendTarget& Session::directory() const {
  const std::optional<PoolKey> key = host_.route(*site_, login_->identity());
  return key ? *key->target : *site_->target;
}

Task<bool> Session::move_login_bytes() {
  for (;;) {
    const Io out = down_.flush(client_);
    if (out.kind == Io::Kind::failed) co_return false;
    if (out.kind == Io::Kind::moved) {
      const Io in = up_.fill(client_);
      if (in.kind == Io::Kind::moved) co_return true;
      if (in.kind != Io::Kind::blocked) co_return false;
      client_.arm_read();
    } else {
      client_.arm_write();
    }
    co_await signal_.wait();
    if (clock_.passed()) {
      leave(Fault::login_timeout);
      co_return false;
    }
    if (host_.draining()) {
      leave(Fault::shutting_down);
      co_return false;
    }
  }
}

/// Everything said so far leaves as it is, before bytes take another form.
Task<bool> Session::flush_login_bytes() {
  Io io = down_.flush(client_);
  while (io.kind == Io::Kind::blocked) {
    client_.arm_write();
    co_await signal_.wait();
    if (clock_.passed()) co_return false;
    io = down_.flush(client_);
  }
  co_return io.kind != Io::Kind::failed;
}

/// A signature with the certificate's key takes as long as many transactions.
Task<TlsChannel::Status> Session::handshake_step() {
  struct Step {
    std::unique_ptr<TlsChannel> channel;
    TlsChannel::Status status;
  };
  auto work = [channel = client_.lend_tls()]() mutable {
    const TlsChannel::Status status = channel->handshake();
    return Step{std::move(channel), status};
  };
  Step step = co_await host_.handshakes().run(host_.loop(), std::move(work));
  client_.start_tls(std::move(step.channel));
  co_return step.status;
}

Task<bool> Session::start_client_tls() {
  // The answer to the TLS request is the last plaintext. What the client sent behind its request is
  // the handshake's: plaintext that pretends to be protected ends there.
  const bool flushed = co_await flush_login_bytes();
  if (!flushed) co_return false;
  auto channel = std::make_unique<TlsChannel>(site_->tls, TlsChannel::Role::server, std::string());
  channel->feed(up_.unread());
  up_.skip(up_.unread().size());
  client_.start_tls(std::move(channel));
  TlsChannel::Status step{};
  do {
    step = co_await handshake_step();
    Io io = client_.carry(step);
    while (io.kind == Io::Kind::blocked && !clock_.passed()) {
      client_.arm_read();
      if (client_.unsent()) client_.arm_write();
      co_await signal_.wait();
      io = client_.carry(step);
    }
    if (clock_.passed()) co_return false;
    if (io.kind != Io::Kind::moved) {
      host_.metrics().tls_failed.add(1);
      co_return false;
    }
  } while (step != TlsChannel::Status::ok);
  host_.metrics().tls_handshakes.add(1);
  const TlsChannel& tls = *client_.tls();
  const protocol::TlsFacts facts{tls.end_point(), std::string(tls.application())};
  login_->tls_established(facts);
  co_return true;
}

bool Session::for_console() const {
  return site_->target->dialect().is_console(login_->identity());
}

Fault Session::find_pool() {
  const protocol::Identity& identity = login_->identity();
  const std::optional<PoolKey> key = host_.route(*site_, identity);
  if (!key) return Fault::unknown_database;
  // Only now that it has proven to be that user: nobody else may use up its places.
  const PoolSettings settings = settings_of(*host_.loop().config, *key);
  using Kind = Census::Kind;
  // The client's own user, whoever the pool logs in as.
  counted_[1] = host_.census().enter(Kind::user, identity.user,
                                     max_clients_of(*host_.loop().config, identity.user));
  if (!counted_[1]) return Fault::too_many_of_user;
  counted_[2] =
      host_.census().enter(Kind::database, identity.database, settings.max_database_clients);
  if (!counted_[2]) return Fault::too_many_of_database;
  shard_ = host_.shard(*key);
  return Fault::none;
}

Task<bool> Session::learn() {
  if (for_console()) {
    const bool allowed = host_.may_use_console(login_->identity().user);
    login_->learned(allowed ? site_->target->dialect().console_facts() : nullptr,
                    Fault::console_denied, {});
    co_return true;
  }
  if (host_.disabled(login_->identity().database)) {
    login_->learned(nullptr, Fault::database_disabled, {});
    co_return true;
  }
  if (const auto revealed = login_->revealed()) host_.reveal(*revealed);
  const bool anonymous = login_->identity().user.empty();
  const Fault refused = anonymous ? Fault::none : find_pool();
  if (refused != Fault::none) {
    login_->learned(nullptr, refused, {});
    co_return true;
  }
  const PoolKey key = anonymous ? PoolKey{site_->target, {}, host_.probe_user(), 0} : shard_->key();
  BackendTarget& target = *key.target;
  // While there is no server to ask, what it was must do.
  auto known = [&] {
    const bool whatever = target.down();
    return anonymous ? target.any_facts(whatever) : target.facts(key, whatever);
  };
  std::shared_ptr<const protocol::BackendFacts> facts = known();
  Fault why = Fault::backend_unavailable;
  if (!facts) {
    const std::shared_ptr<PoolShard> shard = host_.shard(key);
    Waiter waiter(*shard, signal_, Waiter::Wish::facts);
    bool patient = !clock_.passed() && !client_.ended() && !host_.draining();
    while (waiter.waiting() && patient) patient = co_await login_pause();
    facts = known();
    if (waiter.refusal() != Fault::none) why = waiter.refusal();
    if (why == Fault::backend_refused_login && !anonymous) doubt_user();
  }
  login_->learned(std::move(facts), why, {});
  co_return true;
}

void Session::take_timeouts() {
  const auto& users = host_.loop().config->users;
  const auto known = users.find(user_);
  const bool own = known != users.end() && known->second.timeouts != config::UserTimeouts{};
  own_timeouts_ = own ? std::make_unique<config::UserTimeouts>(known->second.timeouts) : nullptr;
}

void Session::begin_conversation() {
  cancel_key_size_ = login_->cancel_key_size();
  user_ = login_->identity().user;
  take_timeouts();
  conversation_ = login_->take_conversation();
  const PoolSettings settings = settings_of(*host_.loop().config, shard_->key());
  reset_always_ = settings.reset_always || settings.pooling == protocol::Pooling::session;
  conversation_->place(settings.pooling, settings.server_database, reset_always_);
  join_pool();
  shard_->metrics().clients.add(1);
}

bool Session::finish_login() {
  if (for_console()) {
    console_ = site_->target->dialect().console(login_->identity());
    host_.metrics().console.add(1);
  } else {
    begin_conversation();
  }
  host_.metrics().logins_ok.add(1);
  if (log::connections_enabled()) {
    log::event(log::Level::info, "client_login", "client logged in",
               {{"backend", (shard_ ? shard_->key().target : site_->target)->backend().name},
                {"database", login_->identity().database},
                {"user", login_->identity().user},
                {"application", login_->identity().application},
                {"address", address_.text()},
                {"client_id", std::uint64_t{id_}}});
  }
  login_.reset();
  clock_.disarm();
  enter(State::idle);
  host_.login_over();
  return true;
}

}  // namespace weirpool::proxy
