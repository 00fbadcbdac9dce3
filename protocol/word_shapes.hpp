// Words that are looked for in texts of SQL, and how most words of a text are seen to be none of
// them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weirpool::protocol {

/// Of ASCII.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// `word` in any case, `known` in lower case.
constexpr bool same_word(std::string_view word, std::string_view known) {
  if (word.size() != known.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (lower(word[i]) != known[i]) return false;
  }
  return true;
}

/// `word` in any case begins with `known`.
constexpr bool begins_with(std::string_view word, std::string_view known) {
  return word.size() >= known.size() && same_word(word.substr(0, known.size()), known);
}

/// Words of a set by their first letter and their length: most words of a text are none of them,
/// and this says so at once.
class WordShapes {
 public:
  constexpr void add(std::string_view word) { at(word[0]) |= length_bit(word.size()); }
  /// `first` in either case.
  constexpr bool maybe(char first, std::size_t length) const {
    return (lengths_[index(first)] & length_bit(length)) != 0;
  }

 private:
  static constexpr std::size_t kLetters = 26;
  static constexpr std::size_t index(char first) {
    const auto letter = static_cast<std::size_t>((first | 0x20) - 'a');
    return letter < kLetters ? letter : kLetters;
  }
  static constexpr std::uint64_t length_bit(std::size_t length) {
    return length < 64 ? std::uint64_t{1} << length : 0;
  }
  constexpr std::uint64_t& at(char first) { return lengths_[index(first)]; }

  std::array<std::uint64_t, kLetters + 1> lengths_{};
};

}  // namespace weirpool::protocol
