#include "proxy/pool/connector.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "proxy/net/jitter.hpp"
#include "proxy/net/socket_options.hpp"
#include "proxy/pool/exchange.hpp"

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
  Signal done;
};

Task<std::vector<tcp::endpoint>> resolve(Loop& loop, const config::Address& address) {
  boost::system::error_code not_numeric;
  const auto numeric = boost::asio::ip::make_address(address.host, not_numeric);
  std::vector<tcp::endpoint> endpoints;
  if (!not_numeric) {
    endpoints.emplace_back(numeric, address.port);
    co_return endpoints;
  }
  auto lookup = std::make_shared<Lookup>(loop);
  lookup->resolver.async_resolve(
      address.host, std::to_string(address.port),
      [lookup](boost::system::error_code error, tcp::resolver::results_type found) {
        if (!error) lookup->found = std::move(found);
        lookup->done.notify();
      });
  co_await lookup->done.wait();
  for (const auto& entry : lookup->found) endpoints.push_back(entry.endpoint());
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

Task<std::unique_ptr<Stream>> connect_any(Loop& loop, const config::Address& address,
                                          TimePoint until) {
  const std::vector<tcp::endpoint> endpoints = co_await resolve(loop, address);
  for (const tcp::endpoint& endpoint : endpoints) {
    std::unique_ptr<Stream> stream = start_connect(loop, endpoint);
    if (!stream) continue;
    bool connected = false;
    {
      Exchange exchange(loop, *stream);
      connected = co_await exchange.connected(until);
    }
    if (connected) co_return stream;
  }
  co_return nullptr;
}

protocol::BackendIdentity identity_for(const BackendTarget& target, const PoolKey& key,
                                       const std::string& password) {
  const config::Backend& backend = target.backend();
  protocol::BackendIdentity identity;
  identity.user = key.user;
  identity.password = password;
  identity.database = key.database;
  identity.variant = key.variant;
  identity.tls_wanted = backend.tls.mode != config::SslMode::disable;
  identity.tls_required = backend.tls.mode > config::SslMode::prefer;
  identity.allow_public_key_retrieval = backend.allow_public_key_retrieval;
  return identity;
}

// The login itself on a connected stream. The fault is none when the engine is done.
Task<Fault> log_in(Loop& loop, BackendTarget& target, Stream& stream,
                   protocol::BackendLogin& engine, KeyDeriver& deriver, TimePoint until,
                   std::string& detail) {
  Exchange exchange(loop, stream);
  for (;;) {
    const Verdict verdict = co_await exchange.run(engine, until);
    switch (verdict.kind) {
      case Verdict::Kind::done:
        if (exchange.leftover()) co_return Fault::backend_violation;
        co_return Fault::none;
      case Verdict::Kind::look_up: {
        protocol::KeyDerivation wish = engine.derivation();
        const KeyDeriver::Key key = co_await deriver.derive(loop, std::move(wish));
        engine.derived(key);
        continue;
      }
      case Verdict::Kind::start_tls: {
        const std::shared_ptr<const TlsContext> context = target.tls();
        if (exchange.leftover() || !context) co_return Fault::backend_violation;
        auto channel = std::make_unique<TlsChannel>(context, TlsChannel::Role::client,
                                                    target.backend().address.host);
        const TlsChannel& tls = *channel;
        const bool established = co_await exchange.start_tls(std::move(channel), until);
        if (!established) {
          detail = "TLS: " + std::string(tls.error());
          co_return Fault::backend_unavailable;
        }
        engine.tls_established();
        continue;
      }
      default:
        detail = exchange.timed_out() ? "login timed out" : std::string(engine.error());
        co_return verdict.fault == Fault::none ? Fault::backend_unavailable : verdict.fault;
    }
  }
}

TimePoint expiry(const config::Timeouts& timeouts) {
  if (timeouts.server_lifetime.count() == 0) return TimePoint::max();
  return Clock::now() + jittered(timeouts.server_lifetime);
}

}  // namespace

Task<Connected> connect_backend(Loop& loop, BackendTarget& target, PoolKey key,
                                std::vector<std::string> passwords, KeyDeriver& deriver) {
  const config::Snapshot config = loop.config;
  const TimePoint until = after(config->timeouts.server_connect_timeout);
  Connected result;
  if (passwords.empty()) {
    result.fault = Fault::backend_refused_login;
    result.detail = "no password to log in with";
  }
  for (const std::string& password : passwords) {
    std::unique_ptr<Stream> stream = co_await connect_any(loop, target.backend().address, until);
    if (!stream) {
      result.fault = Fault::backend_unavailable;
      result.detail = "cannot connect";
      co_return result;
    }
    const auto engine = target.dialect().backend_login(identity_for(target, key, password));
    result.fault = co_await log_in(loop, target, *stream, *engine, deriver, until, result.detail);
    if (result.fault == Fault::none) {
      BackendParts parts;
      parts.stream = stream->release();
      parts.state = engine->take_state();
      parts.expires = expiry(config->timeouts);
      parts.idle_since = Clock::now();
      result.backend = std::make_unique<BackendConn>(loop, std::move(parts));
      co_return result;
    }
    stream->shut_down_write();
    {
      Exchange ending(loop, *stream);
      co_await ending.drain_to_end();
    }
    if (result.fault != Fault::backend_refused_login) co_return result;
  }
  co_return result;
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
  protocol::Writer request;
  if (fence->in_flight > 0 || !backend.state->write_cancel(request)) co_return;
  if (!target.begin_cancel(config->limits.max_cancel_connections)) co_return;
  fence->aimed = true;
  ++fence->in_flight;
  const TimePoint until = after(config->timeouts.cancel_wait_timeout);
  std::unique_ptr<Stream> stream = co_await connect_any(loop, target.backend().address, until);
  if (stream) {
    Exchange exchange(loop, *stream);
    static_cast<void>(stream->write_some(request.view()));
    co_await exchange.await_end(until);
  }
  target.end_cancel();
  if (--fence->in_flight == 0 && fence->waiter) fence->waiter->notify_later(loop.ready);
}

Task<bool> wash(Loop& loop, const Dialect& dialect, BackendConn& backend, Wash what) {
  const config::Snapshot config = loop.config;
  const TimePoint until = after(config->timeouts.reset_timeout);
  const std::shared_ptr<CancelFence> fence = backend.fence;
  if (fence->in_flight > 0) {
    Signal landed;
    fence->waiter = &landed;
    while (fence->in_flight > 0) co_await landed.wait();
    fence->waiter = nullptr;
  }
  Exchange exchange(loop, backend.stream);
  if (fence->aimed || what == Wash::check) {
    const auto ping = dialect.ping(*backend.state);
    const Verdict answered = co_await exchange.run(*ping, until);
    if (answered.kind != Verdict::Kind::done || exchange.leftover()) co_return false;
    fence->aimed = false;
  }
  if (what == Wash::reset) {
    const auto engine = dialect.reset(*backend.state);
    const Verdict answered = co_await exchange.run(*engine, until);
    if (answered.kind != Verdict::Kind::done || exchange.leftover()) co_return false;
  }
  co_return true;
}

}  // namespace weirpool::proxy
