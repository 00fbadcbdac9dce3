// One direction of a session: bytes read from one party on their way to the other.
//
//   chunk:  | sent | ready | unread | free |
//                  ^ready_         ^filled_
//           bytes before ready_ are decided (forwarded or inserted) and wait to be written;
//           bytes behind it belong to the engine. What an engine promised beyond the chunk
//           (forward, skip) is kept as a count and applied as bytes arrive.
//
// Bounded: nothing is read that has no room. Holds no memory while empty.
#pragma once

#include <cstdint>

#include "protocol/bytes.hpp"
#include "proxy/net/chunk_pool.hpp"
#include "proxy/net/stream.hpp"

namespace weirpool::proxy {

class Flow {
 public:
  explicit Flow(ChunkPool& chunks) : chunks_(chunks) {}
  ~Flow() { reset(); }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  /// Reads what fits. moved: bytes came; blocked: none now, or no room before a flush.
  Io fill(Stream& from);
  /// Writes what is decided. moved: nothing is left; blocked: the peer must take some first.
  Io flush(Stream& to);

  /// The engine may be asked about unread(): nothing promised is outstanding.
  bool steppable() const { return forward_ == 0 && skip_ == 0 && insertion_.empty(); }
  protocol::MutableBytes unread();
  bool has_room() const;

  void forward(std::uint64_t count);
  void skip(std::uint64_t count);
  /// Puts bytes where those that are read come; a few, into an empty flow.
  void hear(protocol::Bytes bytes);
  /// Puts bytes behind everything decided so far. Large ones are not copied: they must stay valid
  /// until inserting() is false.
  void insert(protocol::Bytes bytes);
  bool inserting() const { return !insertion_.empty(); }

  /// Part of a message has been promised and has not passed yet.
  bool mid_message() const { return forward_ > 0; }
  bool empty() const { return sent_ == filled_ && insertion_.empty(); }
  /// Decided bytes that wait to be written.
  std::size_t backlog() const { return ready_ - sent_ + insertion_.size(); }
  /// There are some.
  bool pending() const { return ready_ > sent_ || !insertion_.empty(); }
  /// Forgets what is decided and not written: nobody takes it any more. What is unread stays.
  void abandon();
  /// Whoever is read from has gone: forgets what is unread and what was to be skipped of the rest.
  /// A message that is half passed on stays so.
  void cut_off();
  /// Forgets everything and gives the chunk back.
  void reset();

 private:
  void keep_promises();
  void make_room();
  void drop_unread(std::size_t count);
  void settle();

  ChunkPool& chunks_;
  Chunk chunk_;
  std::uint32_t sent_ = 0;
  std::uint32_t ready_ = 0;
  std::uint32_t filled_ = 0;
  std::uint64_t forward_ = 0;
  std::uint64_t skip_ = 0;
  protocol::Bytes insertion_;  ///< goes out behind [sent, ready), before anything else is decided
};

}  // namespace weirpool::proxy
