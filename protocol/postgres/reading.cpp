#include "protocol/postgres/reading.hpp"

#include <array>
#include <utility>

namespace weirpool::protocol::postgres {

Encoding encoding_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Encoding>, 7> kEncodings{
      {{"BIG5", Encoding::double_byte},
       {"GB18030", Encoding::gb18030},
       {"GBK", Encoding::double_byte},
       {"JOHAB", Encoding::johab},
       {"SHIFT_JIS_2004", Encoding::shift_jis},
       {"SJIS", Encoding::shift_jis},
       {"UHC", Encoding::double_byte}}};
  for (const auto& [known, encoding] : kEncodings) {
    if (known == name) return encoding;
  }
  return Encoding::ascii_safe;
}

void Trails::pass(char c) {
  const auto byte = static_cast<unsigned char>(c);
  const bool second = std::exchange(second_, false);
  if (left_ != 0) {
    --left_;
    if (second && encoding_ == Encoding::gb18030 && byte >= '0' && byte <= '9') left_ = 2;
    return;
  }
  if (none() || byte < 0x80) return;
  if (encoding_ == Encoding::shift_jis && byte >= 0xA1 && byte <= 0xDF) return;
  left_ = encoding_ == Encoding::johab && byte == 0x8F ? 2 : 1;
  second_ = true;
}

}  // namespace weirpool::protocol::postgres
