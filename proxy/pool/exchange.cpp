#include "proxy/pool/exchange.hpp"

#include <sys/socket.h>

#include <utility>

namespace weirpool::proxy {

using protocol::Fault;
using protocol::Party;
using protocol::Verdict;

Exchange::Exchange(Loop& loop, Stream& stream)
    : loop_(loop), stream_(stream), deadline_(loop.deadlines, signal_) {
  stream_.watch(this);
}

Exchange::~Exchange() { stream_.watch(nullptr); }

Task<Verdict> Exchange::run(protocol::Engine& engine, TimePoint until) {
  deadline_.arm(until);
  for (;;) {
    const Verdict verdict = engine.step(Party::backend, in_);
    switch (verdict.kind) {
      case Verdict::Kind::send: out_.bytes(verdict.bytes); continue;
      case Verdict::Kind::skip:
        if (verdict.count > in_.size()) co_return Verdict::close(Fault::internal);
        in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(verdict.count));
        continue;
      case Verdict::Kind::need: {
        const bool sent = co_await flush();
        if (!sent) co_return Verdict::close(Fault::backend_unavailable);
        const bool more = co_await read_more();
        if (!more) co_return Verdict::close(Fault::backend_unavailable);
        continue;
      }
      case Verdict::Kind::done:
      case Verdict::Kind::derive:
      case Verdict::Kind::start_codec:
      case Verdict::Kind::start_tls: {
        const bool sent = co_await flush();
        if (!sent) co_return Verdict::close(Fault::backend_unavailable);
        co_return verdict;
      }
      case Verdict::Kind::close: co_return verdict;
      default: co_return Verdict::close(Fault::backend_violation);
    }
  }
}

Task<bool> Exchange::flush() {
  for (;;) {
    if (out_.empty() && !stream_.unsent()) co_return true;
    const protocol::Bytes waiting = out_.view();
    const Io io = waiting.empty() ? stream_.flush() : stream_.write_some(waiting);
    if (io.kind == Io::Kind::moved && !waiting.empty()) {
      std::vector<std::uint8_t> rest = out_.take();
      out_.bytes(protocol::Bytes(rest).subspan(io.count));
    } else if (io.kind == Io::Kind::blocked) {
      stream_.arm_write();
      co_await signal_.wait();
      if (deadline_.passed()) co_return false;
    } else if (io.kind == Io::Kind::failed) {
      co_return false;
    }
  }
}

Task<bool> Exchange::read_more() {
  const std::size_t before = in_.size();
  for (;;) {
    in_.resize(before + kChunkFill);
    const Io io = stream_.read_some(std::span(in_).subspan(before));
    in_.resize(before + (io.kind == Io::Kind::moved ? io.count : 0));
    if (io.kind == Io::Kind::moved) co_return true;
    if (io.kind != Io::Kind::blocked) co_return false;
    stream_.arm_read();
    co_await signal_.wait();
    if (deadline_.passed()) co_return false;
  }
}

Task<bool> Exchange::start_tls(std::unique_ptr<TlsChannel> channel, TimePoint until) {
  deadline_.arm(until);
  stream_.start_tls(std::move(channel));
  for (;;) {
    const Io io = stream_.handshake();
    if (io.kind == Io::Kind::moved) co_return true;
    if (io.kind != Io::Kind::blocked) co_return false;
    stream_.arm_read();
    if (stream_.unsent()) stream_.arm_write();
    co_await signal_.wait();
    if (deadline_.passed()) co_return false;
  }
}

Task<bool> Exchange::connected(TimePoint until) {
  deadline_.arm(until);
  stream_.arm_write();
  co_await signal_.wait();
  if (deadline_.passed()) co_return false;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(stream_.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  co_return error == 0;
}

Task<void> Exchange::drain_to_end() {
  deadline_.disarm();
  co_await drop_until_end();
}

Task<bool> Exchange::await_end(TimePoint until) {
  deadline_.arm(until);
  co_return co_await drop_until_end();
}

Task<bool> Exchange::drop_until_end() {
  // Raw bytes on purpose: what is dropped needs no decryption, and the end of the socket counts.
  for (;;) {
    const Io io = stream_.discard();
    if (io.kind == Io::Kind::moved) continue;
    if (io.kind != Io::Kind::blocked) co_return io.kind == Io::Kind::eof;
    stream_.arm_read();
    co_await signal_.wait();
    if (deadline_.passed()) co_return false;
  }
}

}  // namespace weirpool::proxy
