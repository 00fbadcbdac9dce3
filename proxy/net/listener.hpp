// Accepts clients of one address and hands their sockets on. Out of file descriptors it pauses
// instead of spinning, and connected clients notice nothing.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <limits>

#include "config/config.hpp"

namespace weirpool::proxy {

class Listener {
 public:
  /// Owns no socket it has passed on; fds are non-blocking and close-on-exec.
  using Accepted = std::function<void(int fd)>;
  /// The same of a client there is no descriptor for: it is to be told and closed inside the call.
  /// Without one it is closed.
  using TurnedAway = std::function<void(int fd)>;
  /// Asked before each: false leaves it, and those behind it, waiting for a while.
  using Gate = std::function<bool()>;
  static constexpr int kNoCeiling = std::numeric_limits<int>::max();

  /// Binds and listens; throws std::runtime_error with the address in its text. A client whose
  /// descriptor is `ceiling` or above is turned away, as if there were no more: numbers are given
  /// out from the lowest (POSIX), so what is above stays for those who look after us.
  Listener(boost::asio::io_context& io, const config::Address& address, const config::Tcp& tcp,
           config::Duration retry_delay, Accepted accepted, int ceiling = kNoCeiling,
           Gate gate = {}, TurnedAway turned_away = {});
  ~Listener();

  void start();
  void close();
  /// For the clients from now on, which have their options from the socket they are accepted by
  /// (tcp(7)): five system calls less for each of them.
  void set_options(const config::Tcp& tcp);
  /// The port really bound, for an address with port 0.
  std::uint16_t port() const;

 private:
  void wait();
  void accept_some();
  void pause();
  void retry_in(config::Duration delay);

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer timer_;
  config::Duration retry_delay_;
  const int ceiling_;
  Accepted accepted_;
  Gate gate_;
  TurnedAway turned_away_;
  int reserve_ =
      -1;  ///< a descriptor kept back, to turn one client away instead of leaving it hang
};

}  // namespace weirpool::proxy
