// The compressed protocol: after the OK of the login both sides put their packets into frames, at
// any boundary, each frame compressed by itself.
//
//   u24 length of the payload · u8 frame sequence · u24 length uncompressed, 0: stored · payload
//
// Frames are numbered apart from packets. A side that answers goes on from the last frame it has
// read; a new command begins at 0. Where a turn begins shows in the packets inside: their own ids
// go on by one within a turn, and begin behind those of what is answered.
//
// Memory: a frame is decoded as it arrives, never collected; a decoder lives as long as its frame.
// Sources: dev.mysql.com, "Compression"; RFC 1950 (zlib), RFC 8878 (zstd).
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "protocol/codec.hpp"
#include "protocol/mysql/frame.hpp"

namespace weirpool::protocol::mysql {

enum class Compression : std::uint8_t { none, zlib, zstd };

/// What clients may name as zstd's level in their handshake, and what a client library names that
/// was not told any.
inline constexpr int kMinZstdLevel = 1;
inline constexpr int kUsualZstdLevel = 3;
inline constexpr int kMaxZstdLevel = 22;

/// Decodes one frame after the other, of one algorithm.
class Inflater;

/// Finds the headers of the packets in a stream that comes in pieces.
class PacketWalk {
 public:
  /// Passes over bytes to the end of the next header, or to the end of `bytes`; returns how many.
  std::size_t step(Bytes bytes);
  /// A header ended where step() did.
  bool header_ended() const { return ended_; }
  /// The sequence id in it.
  std::uint8_t sequence() const { return header_[3]; }
  /// The header that ended will come once more.
  void forget_header() { left_ = 0; }

 private:
  std::array<std::uint8_t, kHeaderSize> header_{};
  std::size_t size_ = 0;
  std::size_t left_ = 0;
  bool ended_ = false;
};

class CompressedFrames final : public Codec {
 public:
  /// Which side of the connection this is.
  enum class Side : std::uint8_t { client, server };

  /// `level`: of zstd, clamped to what zstd knows; zlib has its default.
  CompressedFrames(Side side, Compression algorithm, int level);
  ~CompressedFrames() override;

  void feed(Bytes wire) override;
  Outcome read(MutableBytes plain) override;
  bool has_pending_input() const override {
    return !starved_ && (frame_left_ > 0 || inflater_ || read_ < in_.size());
  }
  void write(Bytes plain) override;
  Bytes outgoing() const override { return Bytes(out_).subspan(sent_); }
  void consumed(std::size_t count) override;

 private:
  static constexpr std::size_t kFrameHeader = 7;

  bool begin_frame();
  Outcome stored(MutableBytes plain);
  Outcome inflate(MutableBytes plain);
  Outcome starve();
  /// How many bytes at the front of `plain` belong to the same turn as what was written before.
  std::size_t same_turn(Bytes plain);
  void hear(Bytes plain);
  bool turn_begins(std::uint8_t packet_sequence) const;
  void begin_turn(std::uint8_t packet_sequence);
  void write_frame(Bytes plain);

  const Side side_;
  const Compression algorithm_;
  const int level_;

  std::vector<std::uint8_t> in_;
  std::size_t read_ = 0;
  std::size_t frame_left_ = 0;  ///< payload bytes of the frame at hand still to be decoded
  std::size_t plain_left_ = 0;  ///< plain bytes it still owes; unless stored
  bool failed_ = false;
  bool starved_ = true;
  bool command_read_ = false;  ///< a frame 0 has come since the last turn of ours began
  std::uint8_t last_read_ = 0;
  std::unique_ptr<Inflater> inflater_;  ///< until the compressed frame at hand has ended

  std::vector<std::uint8_t> out_;
  std::size_t sent_ = 0;
  std::uint8_t next_frame_ = 0;
  // The packets inside.
  PacketWalk heard_;
  PacketWalk said_;
  std::uint8_t last_heard_ = 0;
  bool heard_since_said_ = false;
  std::uint8_t last_said_ = 0;
};

}  // namespace weirpool::protocol::mysql
