// Appends wire bytes to a buffer it owns. Framing (length words, sequence ids) belongs to the frame
// files of each protocol, which patch the length in afterwards.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"

namespace weirpool::protocol {

class Writer {
 public:
  void u8(std::uint8_t value) { out_.push_back(value); }
  void be16(std::uint16_t value);
  void be32(std::uint32_t value);
  void le16(std::uint16_t value) { little_endian(value, 2); }
  void le24(std::uint32_t value) { little_endian(value, 3); }
  void le32(std::uint32_t value) { little_endian(value, 4); }
  void le64(std::uint64_t value) { little_endian(value, 8); }
  void lenenc(std::uint64_t value);
  void lenenc_text(std::string_view text);
  /// Text and a zero byte; the text itself must not contain one.
  void cstr(std::string_view text);
  void bytes(Bytes raw) { out_.insert(out_.end(), raw.begin(), raw.end()); }
  void text(std::string_view raw) { bytes(bytes_of(raw)); }
  void zeros(std::size_t count) { out_.insert(out_.end(), count, std::uint8_t{0}); }

  /// Overwrites four bytes written earlier, network order.
  void patch_be32(std::size_t at, std::uint32_t value);
  /// Overwrites three bytes written earlier, little endian.
  void patch_le24(std::size_t at, std::uint32_t value);

  std::size_t size() const { return out_.size(); }
  bool empty() const { return out_.empty(); }
  /// Valid until the next call that writes or clears.
  Bytes view() const { return out_; }
  void clear() { out_.clear(); }
  /// Clears and gives the memory back: nothing is held while idle.
  void release() { std::vector<std::uint8_t>().swap(out_); }
  std::vector<std::uint8_t> take();

 private:
  void little_endian(std::uint64_t value, std::size_t width);

  std::vector<std::uint8_t> out_;
};

}  // namespace weirpool::protocol
