#include "proxy/session/flow.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weirpool::proxy {

using protocol::Bytes;
using protocol::MutableBytes;

MutableBytes Flow::unread() {
  if (!chunk_) return {};
  return {chunk_.get() + ready_, filled_ - ready_};
}

bool Flow::has_room() const { return !chunk_ || filled_ < kChunkFill || sent_ > 0; }

void Flow::make_room() {
  if (sent_ == 0) return;
  std::memmove(chunk_.get(), chunk_.get() + sent_, filled_ - sent_);
  ready_ -= sent_;
  filled_ -= sent_;
  sent_ = 0;
}

Io Flow::fill(Stream& from) {
  if (!from.may_read()) return {Io::Kind::blocked, 0};
  if (!chunk_) chunk_ = chunks_.borrow();
  if (filled_ >= kChunkFill / 2) make_room();
  if (filled_ >= kChunkFill) return {Io::Kind::blocked, 0};
  const Io io = from.read_some({chunk_.get() + filled_, kChunkFill - filled_});
  if (io.kind == Io::Kind::moved) {
    filled_ += static_cast<std::uint32_t>(io.count);
    keep_promises();
  }
  settle();
  return io;
}

Io Flow::flush(Stream& to) {
  while (ready_ > sent_) {
    const Io io = to.write_some({chunk_.get() + sent_, ready_ - sent_});
    if (io.kind != Io::Kind::moved) return io;
    sent_ += static_cast<std::uint32_t>(io.count);
  }
  while (!insertion_.empty()) {
    const Io io = to.write_some(insertion_);
    if (io.kind != Io::Kind::moved) return io;
    insertion_ = insertion_.subspan(io.count);
  }
  settle();
  return to.unsent() ? to.flush() : Io{Io::Kind::moved, 0};
}

void Flow::hear(Bytes bytes) {
  if (!chunk_) chunk_ = chunks_.borrow();
  std::memcpy(chunk_.get() + filled_, bytes.data(), bytes.size());
  filled_ += static_cast<std::uint32_t>(bytes.size());
}

void Flow::forward(std::uint64_t count) {
  forward_ = count;
  keep_promises();
}

void Flow::skip(std::uint64_t count) {
  skip_ = count;
  keep_promises();
}

void Flow::keep_promises() {
  const std::uint64_t unread = filled_ - ready_;
  if (forward_ > 0) {
    const std::uint64_t now = std::min(forward_, unread);
    ready_ += static_cast<std::uint32_t>(now);
    forward_ -= now;
  } else if (skip_ > 0) {
    const std::uint64_t now = std::min(skip_, unread);
    drop_unread(static_cast<std::size_t>(now));
    skip_ -= now;
  }
}

void Flow::drop_unread(std::size_t count) {
  if (count == 0) return;
  if (ready_ == sent_) {  // nothing decided waits in front: step over
    sent_ = ready_ = ready_ + static_cast<std::uint32_t>(count);
  } else {
    std::memmove(chunk_.get() + ready_, chunk_.get() + ready_ + count, filled_ - ready_ - count);
    filled_ -= static_cast<std::uint32_t>(count);
  }
  settle();
}

void Flow::insert(Bytes bytes) {
  if (bytes.empty()) return;
  if (!chunk_) chunk_ = chunks_.borrow();
  if (filled_ + bytes.size() > kChunkSize) make_room();
  if (filled_ + bytes.size() > kChunkSize) {
    insertion_ = bytes;
    return;
  }
  std::uint8_t* at = chunk_.get() + ready_;
  std::memmove(at + bytes.size(), at, filled_ - ready_);
  std::memcpy(at, bytes.data(), bytes.size());
  ready_ += static_cast<std::uint32_t>(bytes.size());
  filled_ += static_cast<std::uint32_t>(bytes.size());
}

void Flow::settle() {
  if (sent_ != filled_ || !chunk_) return;
  chunks_.give_back(std::move(chunk_));
  sent_ = ready_ = filled_ = 0;
}

void Flow::abandon() {
  sent_ = ready_;
  insertion_ = {};
  settle();
}

void Flow::cut_off() {
  skip_ = 0;
  drop_unread(filled_ - ready_);
}

void Flow::reset() {
  if (chunk_) chunks_.give_back(std::move(chunk_));
  sent_ = ready_ = filled_ = 0;
  forward_ = skip_ = 0;
  insertion_ = {};
}

}  // namespace weirpool::proxy
