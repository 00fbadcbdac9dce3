#include "proxy/net/stream.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace weirpool::proxy {

using protocol::Bytes;
using protocol::MutableBytes;

// What outlives the stream: handlers of armed waits hold it until the event loop has called them.
// Counted without atomics, because handlers and stream live on one thread.
struct Stream::Watch {
  Watch(boost::asio::io_context& io, int fd) : descriptor(io, fd) {}

  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> descriptor;
  Watcher* watcher = nullptr;
  unsigned references = 0;
  bool may_read = true;
  bool read_armed = false;
  bool write_armed = false;

  friend void intrusive_ptr_add_ref(Watch* watch) { ++watch->references; }
  friend void intrusive_ptr_release(Watch* watch) {
    if (--watch->references == 0) delete watch;
  }
};

Stream::Stream(boost::asio::io_context& io, Parts parts)
    : watch_(new Watch(io, parts.fd)), tls_(std::move(parts.tls)) {}

Stream::~Stream() { close(); }

void Stream::close() noexcept {
  if (!watch_) return;
  watch_->watcher = nullptr;
  boost::system::error_code ignored;
  watch_->descriptor.close(ignored);
}

int Stream::fd() const { return watch_->descriptor.native_handle(); }
void Stream::watch(Watcher* watcher) { watch_->watcher = watcher; }
bool Stream::may_read() const { return watch_->may_read || buffered(); }

void Stream::arm_read() {
  if (watch_->read_armed) return;
  watch_->read_armed = true;
  watch_->descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                                [watch = watch_](boost::system::error_code) {
                                  watch->read_armed = false;
                                  watch->may_read = true;
                                  if (watch->watcher) watch->watcher->stream_ready();
                                });
}

void Stream::arm_write() {
  if (watch_->write_armed) return;
  watch_->write_armed = true;
  watch_->descriptor.async_wait(boost::asio::posix::descriptor_base::wait_write,
                                [watch = watch_](boost::system::error_code) {
                                  watch->write_armed = false;
                                  if (watch->watcher) watch->watcher->stream_ready();
                                });
}

Io Stream::receive(MutableBytes into) {
  if (!watch_->may_read) return {Io::Kind::blocked, 0};
  ssize_t count = 0;
  do {
    count = ::recv(fd(), into.data(), into.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    // A short read has emptied the socket; asking again would cost a system call to hear EAGAIN.
    if (static_cast<std::size_t>(count) < into.size()) watch_->may_read = false;
    return {Io::Kind::moved, static_cast<std::size_t>(count)};
  }
  if (count == 0) return {Io::Kind::eof, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    watch_->may_read = false;
    return {Io::Kind::blocked, 0};
  }
  return {Io::Kind::failed, 0};
}

Io Stream::transmit(Bytes from) {
  ssize_t count = 0;
  do {
    count = ::send(fd(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return {Io::Kind::moved, static_cast<std::size_t>(count)};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {Io::Kind::blocked, 0};
  return {Io::Kind::failed, 0};
}

Io Stream::read_some(MutableBytes into) { return tls_ ? read_tls(into) : receive(into); }

Io Stream::read_tls(MutableBytes into) {
  for (;;) {
    const TlsChannel::Outcome got = tls_->read(into);
    if (got.status == TlsChannel::Status::ok) return {Io::Kind::moved, got.count};
    if (got.status == TlsChannel::Status::closed) return {Io::Kind::eof, 0};
    if (got.status == TlsChannel::Status::failed) return {Io::Kind::failed, 0};
    std::array<std::uint8_t, 16 * 1024> ciphertext;
    const Io io = receive(ciphertext);
    if (io.kind != Io::Kind::moved) return io;
    tls_->feed({ciphertext.data(), io.count});
  }
}

Io Stream::write_some(Bytes from) {
  if (!tls_) return transmit(from);
  Io flushed = flush();
  if (flushed.kind != Io::Kind::moved) return flushed;
  const TlsChannel::Outcome put = tls_->write(from);
  if (put.status == TlsChannel::Status::failed) return {Io::Kind::failed, 0};
  if (put.count == 0) return {Io::Kind::blocked, 0};
  flushed = flush();
  if (flushed.kind == Io::Kind::failed) return flushed;
  return {Io::Kind::moved, put.count};
}

bool Stream::unsent() const { return tls_ && !tls_->outgoing().empty(); }

Io Stream::flush() {
  while (unsent()) {
    const Io io = transmit(tls_->outgoing());
    if (io.kind != Io::Kind::moved) return io;
    tls_->consumed(io.count);
  }
  return {Io::Kind::moved, 0};
}

void Stream::start_tls(std::unique_ptr<TlsChannel> channel) { tls_ = std::move(channel); }

Io Stream::handshake() {
  for (;;) {
    const TlsChannel::Status status = tls_->handshake();
    const Io flushed = flush();
    if (flushed.kind == Io::Kind::failed) return flushed;
    if (status == TlsChannel::Status::ok) return flushed;
    if (status != TlsChannel::Status::need_input) return {Io::Kind::failed, 0};
    std::array<std::uint8_t, 16 * 1024> ciphertext;
    const Io io = receive(ciphertext);
    if (io.kind != Io::Kind::moved) return io;
    tls_->feed({ciphertext.data(), io.count});
  }
}

bool Stream::ended() const {
  if (buffered()) return false;
  std::uint8_t byte = 0;
  const ssize_t count = ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool Stream::quiet() const {
  if (buffered()) return false;
  std::uint8_t byte = 0;
  const ssize_t count = ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Stream::shut_down_write() { ::shutdown(fd(), SHUT_WR); }

Stream::Parts Stream::release() {
  watch_->watcher = nullptr;
  Parts parts{watch_->descriptor.release(), std::move(tls_)};
  watch_.reset();
  return parts;
}

}  // namespace weirpool::proxy
