// How the database server cuts the bytes of a text into characters, and its literals into
// characters of values: by two parameters it reports.
#pragma once

#include <cstdint>
#include <string_view>

namespace weirpool::protocol::postgres {

/// Backslashes in '...': standard_conforming_strings.
enum class Strings : std::uint8_t { standard, escapes };

/// client_encoding, by which bytes of its characters may look like ASCII (mblen functions of
/// src/common/wchar.c). The server converts a message as a whole before it reads it.
enum class Encoding : std::uint8_t {
  ascii_safe,   ///< none
  double_byte,  ///< the second: BIG5, GBK, UHC
  shift_jis,    ///< the second, but there are one-byte characters beyond ASCII too
  gb18030,      ///< the second, or the second and the fourth
  johab,        ///< the second, or the second and the third
};

/// `name` as the server reports it.
Encoding encoding_of(std::string_view name);

struct Reading {
  Strings strings = Strings::standard;
  Encoding encoding = Encoding::ascii_safe;

  bool operator==(const Reading&) const = default;
};

/// Finds the bytes that are not the first of their character; they may come in pieces.
class Trails {
 public:
  explicit Trails(Encoding encoding) : encoding_(encoding) {}

  /// No byte of a character looks like ASCII.
  bool none() const { return encoding_ == Encoding::ascii_safe; }
  /// The next byte is not the first of its character.
  bool inside() const { return left_ != 0; }
  /// Takes note of the next byte.
  void pass(char c);

 private:
  Encoding encoding_;
  std::uint8_t left_ = 0;
  bool second_ = false;  ///< the next one is the second of its character
};

}  // namespace weirpool::protocol::postgres
