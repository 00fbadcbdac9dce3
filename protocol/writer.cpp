#include "protocol/writer.hpp"

#include <utility>

namespace weirpool::protocol {

void Writer::be16(std::uint16_t value) {
  u8(static_cast<std::uint8_t>(value >> 8));
  u8(static_cast<std::uint8_t>(value));
}

void Writer::be32(std::uint32_t value) {
  be16(static_cast<std::uint16_t>(value >> 16));
  be16(static_cast<std::uint16_t>(value));
}

void Writer::little_endian(std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
}

void Writer::lenenc(std::uint64_t value) {
  if (value < 0xFB) {
    u8(static_cast<std::uint8_t>(value));
  } else if (value <= 0xFFFF) {
    u8(0xFC);
    little_endian(value, 2);
  } else if (value <= 0xFFFFFF) {
    u8(0xFD);
    little_endian(value, 3);
  } else {
    u8(0xFE);
    little_endian(value, 8);
  }
}

void Writer::lenenc_text(std::string_view raw) {
  lenenc(raw.size());
  text(raw);
}

void Writer::cstr(std::string_view raw) {
  text(raw);
  u8(0);
}

void Writer::patch_be32(std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i)
    out_[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

void Writer::patch_le24(std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 3; ++i) out_[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::vector<std::uint8_t> Writer::take() { return std::exchange(out_, {}); }

}  // namespace weirpool::protocol
