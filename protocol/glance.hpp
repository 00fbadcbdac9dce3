// How a text of SQL is seen at a glance: one pass over all its words, quotes and comments or not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weirpool::protocol {

/// What a byte is to a glance. A word begins with a letter and goes on with letters and digits.
enum class Glyph : std::uint8_t { other, mark, digit, letter };

/// Of all bytes; letters of either case and all that is not ASCII are letters.
using Glyphs = std::array<Glyph, 256>;

constexpr Glyphs glyphs(std::string_view marks, std::string_view other_letters, Glyph digits) {
  Glyphs all{};
  for (std::size_t c = 0; c < all.size(); ++c) {
    const auto character = static_cast<char>(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80 ||
                        other_letters.find(character) != std::string_view::npos;
    const bool mark = marks.find(character) != std::string_view::npos;
    all[c] = letter                 ? Glyph::letter
             : c >= '0' && c <= '9' ? digits
             : mark                 ? Glyph::mark
                                    : Glyph::other;
  }
  return all;
}

constexpr Glyph glyph_of(const Glyphs& glyphs, char c) {
  return glyphs[static_cast<unsigned char>(c)];
}

/// Does `harmless(text, at)` hold of every mark in `text`, and `quiet(word)` of every word? Ends at
/// the first of which it does not.
template <typename Harmless, typename Quiet>
constexpr bool nothing_seen(std::string_view text, const Glyphs& glyphs, Harmless harmless,
                            Quiet quiet) {
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const char* const begin = at++;
    const Glyph glyph = glyph_of(glyphs, *begin);
    if (glyph == Glyph::mark && !harmless(text, static_cast<std::size_t>(begin - text.data()))) {
      return false;
    }
    if (glyph != Glyph::letter) continue;
    while (at != end && glyph_of(glyphs, *at) >= Glyph::digit) ++at;
    if (!quiet(std::string_view{begin, static_cast<std::size_t>(at - begin)})) return false;
  }
  return true;
}

}  // namespace weirpool::protocol
