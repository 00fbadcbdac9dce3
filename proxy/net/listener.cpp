#include "proxy/net/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>

#include "config/limits.hpp"
#include "proxy/log/log.hpp"
#include "proxy/net/socket_options.hpp"

namespace weirpool::proxy {

using boost::asio::ip::tcp;

Listener::Listener(boost::asio::io_context& io, const config::Address& address,
                   const config::Tcp& tcp_options, config::Duration retry_delay, Accepted accepted,
                   int ceiling, Gate gate, TurnedAway turned_away)
    : acceptor_(io),
      timer_(io),
      retry_delay_(retry_delay),
      ceiling_(ceiling),
      accepted_(std::move(accepted)),
      gate_(std::move(gate)),
      turned_away_(turned_away ? std::move(turned_away) : TurnedAway(::close)) {
  const std::string name = address.host + ":" + std::to_string(address.port);
  try {
    tcp::resolver resolver(io);
    const tcp::endpoint endpoint =
        resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive)
            .begin()
            ->endpoint();
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen(static_cast<int>(tcp_options.backlog));
    acceptor_.native_non_blocking(true);
    set_options(tcp_options);
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error("cannot listen on " + name + ": " + error.code().message());
  }
  reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

Listener::~Listener() {
  if (reserve_ >= 0) ::close(reserve_);
}

void Listener::set_options(const config::Tcp& tcp) {
  set_tcp_options(acceptor_.native_handle(), tcp);
}

std::uint16_t Listener::port() const { return acceptor_.local_endpoint().port(); }

void Listener::start() { wait(); }

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  timer_.cancel();
}

void Listener::wait() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](boost::system::error_code error) {
    if (!error) accept_some();
  });
}

void Listener::accept_some() {
  for (int i = 0; i < config::kAcceptsAtOnce; ++i) {
    if (gate_ && !gate_()) {
      retry_in(config::kLagLook);
      return;
    }
    const int fd =
        ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= ceiling_) {
      turned_away_(fd);
      pause();
      return;
    }
    if (fd >= 0) {
      accepted_(fd);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      pause();
      return;
    }
    // Anything else is the matter of one client that has already gone (ECONNABORTED, EINTR, …).
  }
  wait();
}

void Listener::pause() {
  log::limited(log::Level::error, "fd_exhausted",
               "no file descriptor for a new client; accepting pauses");
  if (reserve_ >= 0) {
    ::close(reserve_);
    const int fd = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) turned_away_(fd);
    reserve_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  retry_in(retry_delay_);
}

void Listener::retry_in(config::Duration delay) {
  timer_.expires_after(delay);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) accept_some();
  });
}

}  // namespace weirpool::proxy
