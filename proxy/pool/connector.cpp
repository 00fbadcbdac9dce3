#include "proxy/pool/connector.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "config/limits.hpp"
#include "proxy/net/jitter.hpp"
#include "proxy/net/socket_options.hpp"
#include "proxy/pool/exchange.hpp"
#include "proxy/pool/pool_settings.hpp"

namespace weirpool::proxy {
namespace {

using boost::asio::ip::tcp;
using protocol::Fault;
using protocol::Verdict;

TimePoint after(config::Duration timeout) {
  return timeout.count() == 0 ? TimePoint::max() : Clock::now() + timeout;
}

// Shared, because a lookup cannot be called back and may outlive the coroutine that asked.
struct Lookup {
  explicit Lookup(Loop& loop) : resolver(loop.io) {}
  tcp::resolver resolver;
  tcp::resolver::results_type found;
  bool answered = false;
  Signal done;
};

PeerAddress address_of(const tcp::endpoint& endpoint) {
  namespace ip = boost::asio::ip;
  const ip::address address = endpoint.address();
  const ip::address_v6 v6 =
      address.is_v6() ? address.to_v6() : ip::make_address_v6(ip::v4_mapped, address.to_v4());
  return {v6.to_bytes(), endpoint.port()};
}

tcp::endpoint endpoint_of(const PeerAddress& address) {
  namespace ip = boost::asio::ip;
  const ip::address_v6 v6(address.ip);
  if (!v6.is_v4_mapped()) return {v6, address.port};
  return {ip::make_address_v4(ip::v4_mapped, v6), address.port};
}

// None: it has no name, or that was not told in time. Also tells the target, so that backends at
// addresses that are gone can go.
Task<std::vector<tcp::endpoint>> resolve(Loop& loop, BackendTarget& target,
                                         const config::Address& address, TimePoint until) {
  boost::system::error_code not_numeric;
  const auto numeric = boost::asio::ip::make_address(address.host, not_numeric);
  std::vector<tcp::endpoint> endpoints;
  if (!not_numeric) {
    endpoints.emplace_back(numeric, address.port);
  } else {
    auto lookup = std::make_shared<Lookup>(loop);
    lookup->resolver.async_resolve(
        address.host, std::to_string(address.port),
        [lookup](boost::system::error_code error, tcp::resolver::results_type found) {
          if (!error) lookup->found = std::move(found);
          lookup->answered = true;
          lookup->done.notify();
        });
    Deadline limit(loop.deadlines, lookup->done);
    limit.arm(until);
    while (!lookup->answered && !limit.passed()) co_await lookup->done.wait();
    // One that has not begun need not; what comes of one that has is nobody's.
    if (!lookup->answered) lookup->resolver.cancel();
    for (const auto& entry : lookup->found) endpoints.push_back(entry.endpoint());
  }
  std::vector<config::IpBytes> addresses;
  addresses.reserve(endpoints.size());
  for (const tcp::endpoint& endpoint : endpoints) addresses.push_back(address_of(endpoint).ip);
  target.resolved(address, std::move(addresses));
  co_return endpoints;
}

// A connecting socket; null when even that failed.
std::unique_ptr<Stream> start_connect(Loop& loop, const tcp::endpoint& endpoint) {
  const int fd = ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          IPPROTO_TCP);
  if (fd < 0) return nullptr;
  set_tcp_options(fd, loop.config->tcp);
  Stream::Parts parts;
  parts.fd = fd;
  auto stream = std::make_unique<Stream>(loop.poller, std::move(parts));
  const int result = ::connect(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size()));
  if (result != 0 && errno != EINPROGRESS) return nullptr;
  return stream;
}

// Null: it could not be reached in time.
Task<std::unique_ptr<Stream>> connect_to(Loop& loop, tcp::endpoint endpoint, TimePoint until) {
  std::unique_ptr<Stream> stream = start_connect(loop, endpoint);
  if (!stream) co_return nullptr;
  bool connected = false;
  {
    Exchange exchange(loop, *stream);
    connected = co_await exchange.connected(until);
  }
  if (!connected) stream.reset();
  co_return stream;
}

protocol::Compressing compressing_of(config::Compression compression) {
  switch (compression) {
    case config::Compression::zlib: return protocol::Compressing::zlib;
    case config::Compression::zstd: return protocol::Compressing::zstd;
    case config::Compression::off: break;
  }
  return protocol::Compressing::none;
}

protocol::BackendIdentity identity_for(const BackendTarget& target, const PoolKey& key,
                                       const PoolSettings& settings, const std::string& password) {
  const config::Backend& backend = target.backend();
  protocol::BackendIdentity identity;
  identity.server = backend.name;
  identity.user = key.user;
  identity.password = password;
  identity.database = settings.server_database;
  identity.options = settings.connect_options;
  identity.variant = key.variant;
  identity.tls_wanted = backend.tls.mode != config::SslMode::disable;
  identity.tls_required = backend.tls.mode > config::SslMode::prefer;
  identity.tls_direct = backend.tls.negotiation == config::TlsNegotiation::direct;
  // What is not asked for is the oldest one.
  identity.newest_protocol = backend.max_protocol_version != config::Backend{}.max_protocol_version;
  if (key.variant == kLookUpVariant) {
    // Names and options that clients are given do not count here.
    identity.answers_look_ups = true;
    identity.database = key.database;
    identity.options.clear();
  }
  identity.allow_public_key_retrieval = backend.allow_public_key_retrieval;
  identity.allow_cleartext_password =
      backend.allow_cleartext_password || backend.tls.mode >= config::SslMode::verify_ca;
  identity.compressing = compressing_of(backend.compression);
  return identity;
}

protocol::TlsFacts facts_of(const TlsChannel& tls) {
  return {tls.end_point(), std::string(tls.application())};
}

// The answer to start_tls; empty: TLS stands.
Task<std::string> start_tls(BackendTarget& target, const std::string& host, Exchange& exchange,
                            protocol::BackendOpening& engine, TimePoint until) {
  const std::shared_ptr<const TlsContext> context = target.tls();
  if (exchange.leftover() || !context) co_return "TLS: bytes in front of it";
  auto channel = std::make_unique<TlsChannel>(context, TlsChannel::Role::client, host);
  const TlsChannel& tls = *channel;
  const bool established = co_await exchange.start_tls(std::move(channel), until);
  if (!established) co_return "TLS: " + std::string(tls.error());
  engine.tls_established(facts_of(tls));
  co_return std::string();
}

// The login itself on a connected stream. The fault is none when the engine is done.
Task<Fault> log_in(Loop& loop, BackendTarget& target, const config::Address& host, Stream& stream,
                   protocol::BackendLogin& engine, KeyDeriver& deriver, TimePoint until,
                   std::string& detail) {
  Exchange exchange(loop, stream);
  for (;;) {
    const Verdict verdict = co_await exchange.run(engine, until);
    switch (verdict.kind) {
      case Verdict::Kind::done:
        if (exchange.leftover()) co_return Fault::backend_violation;
        co_return Fault::none;
      case Verdict::Kind::derive: {
        protocol::KeyDerivation wish = engine.derivation();
        const KeyDeriver::Key key = co_await deriver.derive(loop, std::move(wish));
        engine.derived(key);
        continue;
      }
      case Verdict::Kind::start_codec:
        if (exchange.leftover()) co_return Fault::backend_violation;
        stream.start_codec(engine.take_codec());
        continue;
      case Verdict::Kind::start_tls: {
        std::string failure = co_await start_tls(target, host.host, exchange, engine, until);
        if (!failure.empty()) {
          detail = std::move(failure);
          co_return Fault::backend_unavailable;
        }
        continue;
      }
      default:
        detail = exchange.timed_out() ? "login timed out" : std::string(engine.error());
        co_return verdict.fault == Fault::none ? Fault::backend_unavailable : verdict.fault;
    }
  }
}

/// A place among the cancel connections. False: `statement` has ended meanwhile, or none came free
/// in time.
Task<bool> await_cancel_place(Loop& loop, BackendTarget& target, const CancelFence& fence,
                              std::uint32_t statement, TimePoint until) {
  Signal wake;
  Deadline again(loop.deadlines, wake);
  while (!target.begin_cancel(loop.config->limits.max_cancel_connections)) {
    if (Clock::now() >= until) co_return false;
    again.arm_in(config::kCancelRetry);
    co_await wake.wait();
    if (fence.statement != statement) co_return false;
  }
  co_return true;
}

void landed(Loop& loop, CancelFence& fence) {
  if (--fence.in_flight == 0 && fence.waiter) fence.waiter->notify_later(loop.ready);
}

// A key that has been told inside TLS is not told outside of it. False: it cannot be protected.
Task<bool> protect(BackendTarget& target, const std::string& host, Exchange& exchange,
                   TimePoint until) {
  const bool direct = target.backend().tls.negotiation == config::TlsNegotiation::direct;
  const auto engine = target.dialect().tls_opening(direct);
  if (!engine) co_return false;
  for (;;) {
    const Verdict verdict = co_await exchange.run(*engine, until);
    if (verdict.kind == Verdict::Kind::done) co_return true;
    if (verdict.kind != Verdict::Kind::start_tls) co_return false;
    const std::string failure = co_await start_tls(target, host, exchange, *engine, until);
    if (!failure.empty()) co_return false;
  }
}

TimePoint expiry(const config::Timeouts& timeouts) {
  if (timeouts.server_lifetime.count() == 0) return TimePoint::max();
  return Clock::now() + jittered(timeouts.server_lifetime);
}

/// What all attempts of one opening share.
struct Opening {
  Loop& loop;
  BackendTarget& target;
  const PoolKey& key;
  const PoolSettings settings;
  const std::vector<std::string>& passwords;
  KeyDeriver& deriver;
  bool fallback = false;  ///< the second best role does too
};

Task<Connected> log_in_at(Opening& opening, const config::Address& host, tcp::endpoint endpoint,
                          TimePoint until) {
  Connected result;
  for (const std::string& password : opening.passwords) {
    std::unique_ptr<Stream> stream = co_await connect_to(opening.loop, endpoint, until);
    if (!stream) {
      result.fault = Fault::backend_unavailable;
      result.detail = "cannot connect";
      co_return result;
    }
    const auto engine = opening.target.dialect().backend_login(
        identity_for(opening.target, opening.key, opening.settings, password));
    const std::uint32_t generation = opening.target.generation();
    result.fault = co_await log_in(opening.loop, opening.target, host, *stream, *engine,
                                   opening.deriver, until, result.detail);
    if (result.fault == Fault::none) {
      BackendParts parts;
      parts.stream = stream->release();
      parts.state = engine->take_state();
      parts.expires = expiry(opening.loop.config->timeouts);
      parts.idle_since = parts.opened = Clock::now();
      parts.address = address_of(endpoint);
      parts.generation = generation;
      result.backend = std::make_unique<BackendConn>(opening.loop, std::move(parts));
      co_return result;
    }
    if (engine->secret_refused()) result.refused.push_back(password);
    result.answered = !engine->error().empty();
    stream->shut_down_write();
    {
      Exchange ending(opening.loop, *stream);
      co_await ending.await_end(Clock::now() + config::kLoginEndLinger);
    }
    if (result.fault != Fault::backend_refused_login) co_return result;
  }
  co_return result;
}

// False: it is of no use, or could not be asked.
Task<bool> role_fits(Loop& loop, BackendTarget& target, BackendConn& backend, bool fallback,
                     TimePoint until) {
  if (target.backend().target_session_attrs == config::TargetSession::any) co_return true;
  const auto probe = target.dialect().role_probe(*backend.state);
  Exchange exchange(loop, backend.stream);
  const Verdict answered = co_await exchange.run(*probe, until);
  if (answered.kind != Verdict::Kind::done || exchange.leftover()) co_return false;
  co_return target.role_fits(probe->role(), fallback);
}

Task<Connected> open_at(Opening& opening, const config::Address& host) {
  const TimePoint until = after(opening.loop.config->timeouts.server_connect_timeout);
  Connected result;
  result.fault = Fault::backend_unavailable;
  result.detail = "cannot find the address of " + host.host;
  const std::vector<tcp::endpoint> endpoints =
      co_await resolve(opening.loop, opening.target, host, until);
  for (const tcp::endpoint& endpoint : endpoints) {
    result = co_await log_in_at(opening, host, endpoint, until);
    if (!result.backend) {
      if (result.fault == Fault::backend_unavailable) continue;
      co_return result;
    }
    const bool fits =
        co_await role_fits(opening.loop, opening.target, *result.backend, opening.fallback, until);
    if (fits) co_return result;
    co_await part_with(opening.loop, std::move(result.backend), Parting::polite);
    result.fault = Fault::backend_unavailable;
    result.answered = false;
    result.detail = "no host has the role that target_session_attrs asks for";
  }
  co_return result;
}

}  // namespace

ConnectPacer::Outcome outcome_of(const Connected& result) {
  using Outcome = ConnectPacer::Outcome;
  if (result.backend) return Outcome::connected;
  switch (result.fault) {
    case Fault::unknown_database:
    case Fault::backend_refused_login:
    case Fault::account_full: return Outcome::refused;
    case Fault::backend_full: return Outcome::full;
    default: return result.answered ? Outcome::unwilling : Outcome::failed;
  }
}

Task<Connected> connect_backend(Loop& loop, BackendTarget& target, PoolKey key,
                                std::vector<std::string> passwords, KeyDeriver& deriver) {
  Opening opening{loop, target, key, settings_of(*loop.config, key), passwords, deriver};
  Connected result;
  if (passwords.empty()) {
    result.fault = Fault::backend_refused_login;
    result.detail = "no password to log in with";
    co_return result;
  }
  const bool second_best =
      target.backend().target_session_attrs == config::TargetSession::prefer_standby;
  for (int round = 0; round < (second_best ? 2 : 1); ++round) {
    opening.fallback = round > 0;
    const std::vector<config::Address> hosts = target.hosts();
    for (const config::Address& host : hosts) {
      result = co_await open_at(opening, host);
      if (result.backend) target.served_by(host);
      // What a server that was reached refuses, another one of the same database refuses too.
      const bool elsewhere =
          result.fault == Fault::backend_unavailable || result.fault == Fault::backend_full;
      if (result.backend || !elsewhere) co_return result;
    }
  }
  co_return result;
}

Task<Connected> connect_backend_at(Loop& loop, BackendTarget& target, PoolKey key,
                                   std::vector<std::string> passwords, KeyDeriver& deriver,
                                   PeerAddress address, std::string name) {
  Opening opening{loop, target, key, settings_of(*loop.config, key), passwords, deriver};
  const config::Address host{name.empty() ? address.text() : std::move(name), address.port};
  const TimePoint until = after(loop.config->timeouts.server_connect_timeout);
  co_return co_await log_in_at(opening, host, endpoint_of(address), until);
}

Task<void> part_with(Loop& loop, std::unique_ptr<BackendConn> backend, Parting parting) {
  Exchange exchange(loop, backend->stream);
  if (parting == Parting::polite) {
    protocol::Writer goodbye;
    backend->state->write_goodbye(goodbye);
    // One attempt: a peer that does not even take these few bytes hears the end of the stream.
    static_cast<void>(backend->stream.write_some(goodbye.view()));
  }
  backend->stream.shut_down_write();
  co_await exchange.drain_to_end();
}

Task<void> cancel_statement(Loop& loop, BackendTarget& target, const BackendConn& backend) {
  const config::Snapshot config = loop.config;
  const std::shared_ptr<CancelFence> fence = backend.fence;
  const std::uint32_t statement = fence->statement;
  protocol::Writer request;
  if (fence->in_flight > 0 || fence->queued == statement) co_return;
  if (!backend.state->write_cancel(request)) co_return;
  const TimePoint until = after(config->timeouts.cancel_wait_timeout);
  const PeerAddress address = backend.address;
  const bool encrypted = backend.stream.encrypted();
  const std::string host = encrypted ? backend.stream.tls()->peer_name() : std::string();
  fence->queued = statement;
  const bool go_on = co_await await_cancel_place(loop, target, *fence, statement, until);
  if (fence->queued == statement) fence->queued = 0;
  if (!go_on) co_return;
  fence->aimed = true;
  ++fence->in_flight;
  const tcp::endpoint endpoint = endpoint_of(address);
  std::unique_ptr<Stream> stream = co_await connect_to(loop, endpoint, until);
  if (stream) {
    Exchange exchange(loop, *stream);
    bool may_be_told = !encrypted;
    if (encrypted) may_be_told = co_await protect(target, host, exchange, until);
    if (may_be_told && fence->statement == statement) {
      static_cast<void>(stream->write_some(request.view()));
      // A connection that broke says nothing about what the server has read of it.
      const bool ended = co_await exchange.await_end(until);
      fence->uncertain |= !ended;
    }
  }
  target.end_cancel();
  landed(loop, *fence);
}

Task<bool> carry_out(Loop& loop, const Dialect& dialect, BackendConn& via, KillOrder order) {
  order.fence->queued = 0;
  order.fence->aimed = true;
  ++order.fence->in_flight;
  const TimePoint until = after(loop.config->timeouts.cancel_wait_timeout);
  Exchange exchange(loop, via.stream);
  const auto engine = dialect.kill(*via.state, order.remote_id);
  const Verdict answered = co_await exchange.run(*engine, until);
  const bool done = answered.kind == Verdict::Kind::done && !exchange.leftover();
  if (!done) order.fence->uncertain = true;
  landed(loop, *order.fence);
  co_return done;
}

void give_up(const KillOrder& order) {
  if (order.fence->queued == order.statement) order.fence->queued = 0;
}

Task<void> refresh_names(Loop& loop, BackendTarget& target) {
  const std::vector<config::Address> hosts = target.hosts();
  for (const config::Address& host : hosts) {
    co_await resolve(loop, target, host, after(loop.config->timeouts.server_connect_timeout));
  }
}

Task<void> cancels_landed(BackendConn& backend) {
  const std::shared_ptr<CancelFence> fence = backend.fence;
  Signal landed;
  fence->waiter = &landed;
  while (fence->in_flight > 0) co_await landed.wait();
  fence->waiter = nullptr;
}

Task<bool> wash(Loop& loop, BackendTarget& target, BackendConn& backend, Washing what) {
  const Dialect& dialect = target.dialect();
  const config::Snapshot config = loop.config;
  const TimePoint until = after(config->timeouts.reset_timeout);
  const std::shared_ptr<CancelFence> fence = backend.fence;
  if (fence->uncertain) co_return false;
  {
    Exchange exchange(loop, backend.stream);
    if (fence->aimed || what.check) {
      const auto ping = dialect.ping(*backend.state);
      const Verdict answered = co_await exchange.run(*ping, until);
      if (answered.kind != Verdict::Kind::done || exchange.leftover()) co_return false;
      fence->aimed = false;
    }
    if (what.reset) {
      const auto engine = dialect.reset(*backend.state);
      const Verdict answered = co_await exchange.run(*engine, until);
      if (answered.kind != Verdict::Kind::done || exchange.leftover()) co_return false;
    }
  }
  if (what.role) {
    const bool fits = co_await role_fits(loop, target, backend, true, until);
    if (!fits) target.distrust();
    co_return fits;
  }
  co_return true;
}

}  // namespace weirpool::proxy
