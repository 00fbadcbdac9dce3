// A client's connection: socket, TLS where it is wanted, and the words of its protocol.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "bench/overload/client_wire.hpp"
#include "bench/overload/loop.hpp"

namespace weirpool::bench {

class Link {
 public:
  /// Begins to connect. `fd` is whoever watches it to close.
  Link(int fd, const Account& account, bool tls) : fd_(fd), wire_(account, tls) {}

  /// The socket is readable or writable.
  ClientWire::State advance();
  ClientWire::State query(std::string_view text);
  std::string error() const { return wire_.error(); }
  /// There is something that the socket has not taken yet.
  bool wants_to_write() const { return !out_.empty(); }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  bool receive();
  bool transmit();
  ClientWire::State shake_hands();

  int fd_;
  ClientWire wire_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool shaking_hands_ = false;
  std::string unread_;
  std::string out_;
};

}  // namespace weirpool::bench
