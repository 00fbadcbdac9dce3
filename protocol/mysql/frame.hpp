// The packet of the MySQL protocol: three bytes of length, one sequence id, the payload. A payload
// of 16,777,215 bytes or more is cut; a packet of exactly that length is always followed by another
// one, possibly empty. Continuation packets have no meaning of their own and are never looked at.
// Source: dev.mysql.com, "Protocol Basics, MySQL Packets".
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/verdict.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::mysql {

inline constexpr std::size_t kHeaderSize = 4;
inline constexpr std::uint32_t kMaxPayload = 0xFFFFFF;

struct FrameHeader {
  std::uint32_t length = 0;  ///< payload bytes
  std::uint8_t sequence = 0;
};

/// `bytes` holds at least kHeaderSize bytes.
inline FrameHeader header_of(Bytes bytes) {
  return {static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16), bytes[3]};
}

/// Writes the length and sequence id over the header at the front of `bytes`.
inline void patch_header(MutableBytes bytes, FrameHeader header) {
  bytes[0] = static_cast<std::uint8_t>(header.length);
  bytes[1] = static_cast<std::uint8_t>(header.length >> 8);
  bytes[2] = static_cast<std::uint8_t>(header.length >> 16);
  bytes[3] = header.sequence;
}

/// Overwrites the four bytes at the front of `bytes`, little endian.
inline void put_le32(MutableBytes bytes, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

/// Starts a packet in `out` and returns where; end_packet() fills in the length. Only for messages
/// of our own, which are far below kMaxPayload.
std::size_t begin_packet(Writer& out, std::uint8_t sequence);
void end_packet(Writer& out, std::size_t at);

/// Puts one packet together that must be seen whole. A packet that fits a chunk is looked at in
/// place; a longer one is copied piece by piece, up to `limit` payload bytes.
class PacketCollector {
 public:
  enum class Outcome : std::uint8_t {
    need,      ///< look again when `count` bytes are unread
    piece,     ///< `count` bytes have been copied: skip them
    whole,     ///< packet() is complete; its last `count` bytes are at the front of unread
    too_long,  ///< the payload is longer than the limit
  };
  struct Step {
    Outcome outcome;
    std::size_t count;
  };

  explicit PacketCollector(std::size_t limit) : limit_(limit) {}

  Step feed(MutableBytes unread);
  /// Header and payload, after whole; valid until the next feed() or release().
  MutableBytes packet() const { return packet_; }
  MutableBytes payload() const { return packet_.subspan(kHeaderSize); }
  std::uint8_t sequence() const { return packet_[3]; }
  /// A packet has been begun and is not complete.
  bool busy() const { return target_ > 0; }
  /// Gives the memory back.
  void release();

 private:
  std::size_t limit_;
  std::size_t target_ = 0;
  std::vector<std::uint8_t> copy_;
  MutableBytes packet_;
};

}  // namespace weirpool::protocol::mysql
