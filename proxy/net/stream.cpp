#include "proxy/net/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace weirpool::proxy {

using protocol::Bytes;
using protocol::MutableBytes;

// What the poller knows of the stream. It stays where it is when the stream is moved.
struct Stream::Watch final : Poller::Entry {
  Watch(Poller& all, int socket) : poller(all), fd(socket), broken(!poller.add(fd, *this)) {}

  void ready(std::uint32_t events) override {
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) ending = true;
    if ((events & EPOLLIN) != 0 || ending) may_read = true;
    if ((events & EPOLLOUT) != 0 || ending) may_write = true;
    const bool told = (read_armed && may_read) || (write_armed && may_write) || broken;
    read_armed = read_armed && !may_read;
    write_armed = write_armed && !may_write;
    if (told && watcher) watcher->stream_ready();  // the last line: it may end the stream
  }

  Poller& poller;
  int fd;
  Watcher* watcher = nullptr;
  bool may_read = true;    ///< false: every byte that epoll told of has been read
  bool may_write = false;  ///< false: epoll has not said so, or the kernel's buffer was full since
  bool ending = false;     ///< nothing comes behind what is there, and so epoll will not tell again
  bool read_armed = false;
  bool write_armed = false;
  bool broken;
};

Stream::Stream(Poller& poller, Parts parts)
    : watch_(std::make_unique<Watch>(poller, parts.fd)),
      tls_(std::move(parts.tls)),
      codec_(std::move(parts.codec)) {}

Stream::Stream(Stream&&) noexcept = default;

Stream::~Stream() { close(); }

void Stream::close() noexcept {
  if (!watch_) return;
  watch_->poller.remove(watch_->fd, *watch_, true);
  ::close(watch_->fd);
}

int Stream::fd() const { return watch_->fd; }
void Stream::watch(Watcher* watcher) { watch_->watcher = watcher; }
bool Stream::may_read() const { return watch_->may_read || buffered(); }

void Stream::arm_read() {
  watch_->read_armed = true;
  if (watch_->may_read) watch_->poller.come_back(*watch_);
}

void Stream::arm_write() {
  watch_->write_armed = true;
  if (watch_->may_write) watch_->poller.come_back(*watch_);
}

Io Stream::receive(MutableBytes into) {
  if (watch_->broken) return {Io::Kind::failed, 0};
  if (!watch_->may_read) return {Io::Kind::blocked, 0};
  ssize_t count = 0;
  do {
    count = ::recv(fd(), into.data(), into.size(), MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    // A short read has emptied the socket; asking again would cost a system call to hear EAGAIN.
    if (static_cast<std::size_t>(count) < into.size()) watch_->may_read = watch_->ending;
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
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    watch_->may_write = false;
    return {Io::Kind::blocked, 0};
  }
  return {Io::Kind::failed, 0};
}

Io Stream::read_some(MutableBytes into) { return codec_ ? read_codec(into) : read_plain(into); }

Io Stream::read_codec(MutableBytes into) {
  for (;;) {
    const protocol::Codec::Outcome got = codec_->read(into);
    if (got.status == protocol::Codec::Status::ok) return {Io::Kind::moved, got.count};
    if (got.status == protocol::Codec::Status::failed) return {Io::Kind::failed, 0};
    std::array<std::uint8_t, 16 * 1024> wire;
    const Io io = read_plain(wire);
    if (io.kind != Io::Kind::moved) return io;
    codec_->feed({wire.data(), io.count});
  }
}

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
  if (!codec_) return tls_ ? write_tls(from) : transmit(from);
  Io flushed = flush();
  if (flushed.kind != Io::Kind::moved) return flushed;
  codec_->write(from);
  flushed = flush();
  if (flushed.kind == Io::Kind::failed) return flushed;
  return {Io::Kind::moved, from.size()};
}

Io Stream::write_tls(Bytes from) {
  Io flushed = flush_tls();
  if (flushed.kind != Io::Kind::moved) return flushed;
  const TlsChannel::Outcome put = tls_->write(from);
  if (put.status == TlsChannel::Status::failed) return {Io::Kind::failed, 0};
  if (put.count == 0) return {Io::Kind::blocked, 0};
  flushed = flush_tls();
  if (flushed.kind == Io::Kind::failed) return flushed;
  return {Io::Kind::moved, put.count};
}

bool Stream::unsent_inside() const {
  return (tls_ && !tls_->outgoing().empty()) || (codec_ && !codec_->outgoing().empty());
}

Clock::duration Stream::silence(TimePoint now) {
  tcp_info info{};
  socklen_t size = sizeof info;
  const bool known = ::getsockopt(watch_->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
  // Both fall back to zero with the next acknowledgement.
  return silence_.look(now, known && (info.tcpi_retransmits > 0 || info.tcpi_probes > 0));
}

void Stream::give_up() { ::shutdown(watch_->fd, SHUT_RDWR); }

Io Stream::flush() {
  while (codec_ && !codec_->outgoing().empty()) {
    const Bytes frames = codec_->outgoing();
    const Io io = tls_ ? write_tls(frames) : transmit(frames);
    if (io.kind != Io::Kind::moved) return io;
    codec_->consumed(io.count);
  }
  return flush_tls();
}

Io Stream::flush_tls() {
  while (tls_ && !tls_->outgoing().empty()) {
    const Io io = transmit(tls_->outgoing());
    if (io.kind != Io::Kind::moved) return io;
    tls_->consumed(io.count);
  }
  return {Io::Kind::moved, 0};
}

void Stream::start_codec(std::unique_ptr<protocol::Codec> codec) { codec_ = std::move(codec); }

void Stream::start_tls(std::unique_ptr<TlsChannel> channel) { tls_ = std::move(channel); }

Io Stream::handshake() {
  for (;;) {
    const TlsChannel::Status status = tls_->handshake();
    const Io io = carry(status);
    if (status == TlsChannel::Status::ok || io.kind != Io::Kind::moved) return io;
  }
}

Io Stream::carry(TlsChannel::Status step) {
  const Io flushed = flush();
  if (flushed.kind == Io::Kind::failed) return flushed;
  if (step == TlsChannel::Status::ok) return flushed;
  if (step != TlsChannel::Status::need_input) return {Io::Kind::failed, 0};
  std::array<std::uint8_t, 16 * 1024> ciphertext;
  const Io io = receive(ciphertext);
  if (io.kind == Io::Kind::moved) tls_->feed({ciphertext.data(), io.count});
  return io;
}

bool Stream::ending() const { return watch_->ending; }

bool Stream::ended() const {
  if (!watch_->ending || buffered()) return false;
  std::uint8_t byte = 0;
  const ssize_t count = ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool Stream::quiet() const {
  if (buffered()) return false;
  std::uint8_t byte = 0;
  const ssize_t count = ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return false;
  watch_->may_read = false;
  return true;
}

Io Stream::discard() {
  std::array<std::uint8_t, 4096> dropped;
  return receive(dropped);
}

void Stream::shut_down_write() { ::shutdown(fd(), SHUT_WR); }

Stream::Parts Stream::release() {
  watch_->poller.remove(watch_->fd, *watch_, false);
  Parts parts{watch_->fd, std::move(tls_), std::move(codec_)};
  watch_.reset();
  return parts;
}

}  // namespace weirpool::proxy
