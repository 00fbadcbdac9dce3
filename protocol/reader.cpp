#include "protocol/reader.hpp"

#include <algorithm>

namespace weirpool::protocol {

void Reader::fail(WireError error) {
  if (!error_) error_ = error;
  rest_ = {};
}

Bytes Reader::take(std::size_t count) {
  if (count > rest_.size()) {
    fail(WireError::truncated);
    return {};
  }
  const Bytes taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

Bytes Reader::rest() { return take(rest_.size()); }

std::uint8_t Reader::u8() {
  const Bytes b = take(1);
  return b.empty() ? std::uint8_t{0} : b[0];
}

std::uint16_t Reader::be16() {
  const Bytes b = take(2);
  return b.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(b[0] << 8 | b[1]);
}

std::uint32_t Reader::be32() {
  const std::uint32_t high = be16();
  return high << 16 | be16();
}

std::uint64_t Reader::little_endian(std::size_t width) {
  const Bytes b = take(width);
  std::uint64_t value = 0;
  for (std::size_t i = b.size(); i > 0; --i) value = value << 8 | b[i - 1];
  return value;
}

std::uint16_t Reader::le16() { return static_cast<std::uint16_t>(little_endian(2)); }
std::uint32_t Reader::le24() { return static_cast<std::uint32_t>(little_endian(3)); }
std::uint32_t Reader::le32() { return static_cast<std::uint32_t>(little_endian(4)); }
std::uint64_t Reader::le64() { return little_endian(8); }

std::uint64_t Reader::lenenc() {
  const std::uint8_t first = u8();
  switch (first) {
    case 0xFB:
    case 0xFF: fail(WireError::malformed); return 0;
    case 0xFC: return le16();
    case 0xFD: return le24();
    case 0xFE: return le64();
    default: return first;
  }
}

std::string_view Reader::lenenc_text() {
  const std::uint64_t length = lenenc();
  if (length > rest_.size()) {
    fail(WireError::truncated);
    return {};
  }
  return text_of(take(static_cast<std::size_t>(length)));
}

std::string_view Reader::cstr() {
  const auto zero = std::find(rest_.begin(), rest_.end(), std::uint8_t{0});
  if (zero == rest_.end()) {
    fail(WireError::truncated);
    return {};
  }
  const std::string_view text = text_of(take(static_cast<std::size_t>(zero - rest_.begin())));
  take(1);
  return text;
}

boost::system::error_code Reader::finish() const {
  if (error_) return error_;
  if (!rest_.empty()) return WireError::trailing;
  return {};
}

}  // namespace weirpool::protocol
