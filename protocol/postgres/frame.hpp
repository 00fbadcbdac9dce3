// Framing. Every message but the first of a client is
//
//   tag: 1 byte | length: int32, counts itself and the payload | payload
//
// The first ones of a client (startup, SSLRequest, CancelRequest) lack the tag. Lengths are checked
// before anything is buffered. PostgreSQL documentation, 55.7 "Message Formats".
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/verdict.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::postgres {

/// All limits in bytes, of the length word's value.
inline constexpr std::uint32_t kMinStartupLength = 8;
inline constexpr std::uint32_t kMaxStartupLength = 10000;  ///< as the database server has it
/// Of a login's messages: a password of 64 KiB (tokens of cloud providers are long) and its frame.
inline constexpr std::uint32_t kMaxLoginLength = (64U << 10) + 5;
inline constexpr std::uint32_t kMaxSaslLength = 4096;
inline constexpr std::uint32_t kMaxMessageLength = 1U << 30;

inline constexpr std::size_t kHeaderSize = 5;

/// Tag and length word of a message.
struct Header {
  std::uint8_t tag = 0;
  std::uint32_t length = 0;  ///< the length word: payload + 4

  /// Bytes of the whole message on the wire.
  std::uint64_t total() const { return std::uint64_t{length} + 1; }
};

/// Reads the first five bytes of `unread`; the caller has checked that they are there.
inline Header peek_header(Bytes unread) {
  return {unread[0], std::uint32_t{unread[1]} << 24 | std::uint32_t{unread[2]} << 16 |
                         std::uint32_t{unread[3]} << 8 | std::uint32_t{unread[4]}};
}

inline bool legal_length(const Header& header, std::uint32_t limit = kMaxMessageLength) {
  return header.length >= 4 && header.length <= limit;
}

/// Appends one message to a Writer; the length is patched in when it goes out of scope.
class Framed {
 public:
  Framed(Writer& out, char tag) : out_(out) {
    out_.u8(static_cast<std::uint8_t>(tag));
    at_ = out_.size();
    out_.be32(0);
  }
  ~Framed() { out_.patch_be32(at_, static_cast<std::uint32_t>(out_.size() - at_)); }
  Framed(const Framed&) = delete;
  Framed& operator=(const Framed&) = delete;

 private:
  Writer& out_;
  std::size_t at_ = 0;
};

/// Brings a whole message of bounded size before the eyes of an engine: short ones in place, longer
/// ones by skipping them piecewise into memory of its own. Holds nothing between messages.
class Gather {
 public:
  /// No value: `message()` is the whole message of `total` bytes. Otherwise the verdict to return;
  /// then call again with the same total.
  std::optional<Verdict> collect(Bytes unread, std::uint64_t total);

  /// Valid until the next step.
  Bytes message() const { return message_; }
  /// A message is being collected whose front is no longer among the unread bytes.
  bool collecting() const { return total_ != 0; }
  std::uint64_t total() const { return total_; }
  /// Ends with the message: how many bytes of the unread ones it still occupies.
  std::uint64_t consume();

 private:
  std::vector<std::uint8_t> kept_;
  std::uint64_t total_ = 0;  ///< not zero: of the message being collected in kept_
  Bytes message_;
};

/// A backend's ParameterStatus may be so long, bytes: a client's parameters are bounded, but the
/// server may spell them longer (search_path, reported from PostgreSQL 18 on).
inline constexpr std::uint64_t kMaxParameterStatus = std::uint64_t{64} << 10;

/// What an engine still has to say before it looks at bytes again: one skip, then one send, then
/// one verdict of another kind.
class Outbox {
 public:
  explicit Outbox(Party to) : to_(to) {}

  /// What will be sent; appended to until next() hands it out.
  Writer& out() { return out_; }
  void skip(std::uint64_t count) { skip_ += count; }
  void then(const Verdict& verdict) { then_ = verdict; }
  /// The next verdict, in that order; none: the engine goes on.
  std::optional<Verdict> next() {
    const bool idle = !sent_ && skip_ == 0 && out_.empty() && !then_;
    return idle ? std::nullopt : due();
  }

 private:
  std::optional<Verdict> due();

  Party to_;
  std::uint64_t skip_ = 0;
  Writer out_;
  bool sent_ = false;
  std::optional<Verdict> then_;
};

}  // namespace weirpool::protocol::postgres
