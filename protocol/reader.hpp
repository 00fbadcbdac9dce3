// A bounded cursor over one message. The first read past the end sets a sticky error and every
// later read returns zero or empty, so a parser reads all its fields and asks once, through
// finish().
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/bytes.hpp"
#include "protocol/error.hpp"

namespace weirpool::protocol {

class Reader {
 public:
  /// Views returned by take() and the string readers point into `in` and live as long as it does.
  explicit Reader(Bytes in) : rest_(in) {}

  std::uint8_t u8();

  // Network byte order: PostgreSQL.
  std::uint16_t be16();
  std::uint32_t be32();

  // Little endian: MySQL.
  std::uint16_t le16();
  std::uint32_t le24();
  std::uint32_t le32();
  std::uint64_t le64();
  /// Length-encoded integer (MySQL); 0xFB (NULL) and 0xFF are errors here.
  std::uint64_t lenenc();
  /// Length-encoded string (MySQL).
  std::string_view lenenc_text();

  /// Text up to a zero byte, which is consumed; a missing zero byte is an error.
  std::string_view cstr();
  Bytes take(std::size_t count);
  void skip(std::size_t count) { take(count); }
  /// Everything left.
  Bytes rest();

  std::size_t remaining() const { return rest_.size(); }
  bool ok() const { return !error_; }
  void fail(WireError error);

  /// The sticky error; without one, WireError::trailing if bytes are left.
  boost::system::error_code finish() const;

 private:
  std::uint64_t little_endian(std::size_t width);

  Bytes rest_;
  boost::system::error_code error_;
};

}  // namespace weirpool::protocol
