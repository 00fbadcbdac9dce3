#include "bench/overload/link.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace weirpool::bench {

namespace {

SSL_CTX* tls_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    if (!made) die("no TLS");
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    return made;
  }();
  return context;
}

/// What SSL_* could not do now it can do later.
bool for_now(SSL* ssl, int result) {
  const int why = SSL_get_error(ssl, result);
  ERR_clear_error();  // the next one's failure is not this one's
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

}  // namespace

bool Link::receive() {
  std::array<char, 16384> chunk;
  for (;;) {
    const auto got = ssl_ ? SSL_read(ssl_.get(), chunk.data(), static_cast<int>(chunk.size()))
                          : static_cast<int>(recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT));
    if (got <= 0) return ssl_ ? for_now(ssl_.get(), got) : got < 0 && errno == EAGAIN;
    unread_.append(chunk.data(), static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < chunk.size() && !ssl_) return true;
  }
}

bool Link::transmit() {
  while (!out_.empty()) {
    const auto sent =
        ssl_ ? SSL_write(ssl_.get(), out_.data(), static_cast<int>(out_.size()))
             : static_cast<int>(send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    if (sent <= 0) {
      return ssl_ ? for_now(ssl_.get(), sent) : errno == EAGAIN || errno == ENOTCONN;
    }
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

ClientWire::State Link::shake_hands() {
  const int result = SSL_connect(ssl_.get());
  if (result <= 0) {
    return for_now(ssl_.get(), result) ? ClientWire::State::login : ClientWire::State::broken;
  }
  shaking_hands_ = false;
  wire_.tls_started();
  return ClientWire::State::login;
}

ClientWire::State Link::advance() {
  if (shaking_hands_) {
    const auto state = shake_hands();
    if (shaking_hands_ || state == ClientWire::State::broken) return state;
  }
  // What came before the end is understood first: it may say why.
  const bool open = receive();
  auto state = wire_.step(unread_, out_);
  if (!transmit()) return ClientWire::State::broken;
  if (state == ClientWire::State::start_tls) {
    ssl_.reset(SSL_new(tls_context()));
    SSL_set_fd(ssl_.get(), fd_);
    shaking_hands_ = true;
    return advance();
  }
  const bool complete = state == ClientWire::State::answered || state == ClientWire::State::refused;
  return open || complete ? state : ClientWire::State::broken;
}

ClientWire::State Link::query(std::string_view text) {
  wire_.query(text, out_);
  return transmit() ? ClientWire::State::waiting : ClientWire::State::broken;
}

}  // namespace weirpool::bench
