#include "protocol/postgres/transaction_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace weirpool::protocol::postgres {
namespace {

constexpr std::string_view kSpace(" \t\n\r\f\v\0", 7);

bool is_letter(char lower) { return lower >= 'a' && lower <= 'z'; }

}  // namespace

std::size_t comment_size(std::string_view text) {
  if (text.starts_with("--")) return std::min(text.find_first_of("\n\r"), text.size());
  if (!text.starts_with("/*")) return 0;
  std::size_t depth = 1;
  std::size_t at = 2;
  for (; depth > 0 && at < text.size(); ++at) {
    const std::string_view two = text.substr(at, 2);
    if (two == "/*") ++depth;
    if (two == "*/") --depth;
    if (two == "/*" || two == "*/") ++at;
  }
  return depth > 0 ? 0 : at;
}

std::string_view skip_space(std::string_view text) {
  // Most texts begin at once.
  if (!text.empty() && is_letter(static_cast<char>(text.front() | 0x20))) return text;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    const std::size_t comment = comment_size(text);
    if (comment == 0) return text;
    text.remove_prefix(comment);
  }
}

namespace {

/// In lower case. One that is longer than all that are looked for is as good as another.
class Word {
 public:
  void add(char lower) {
    if (size_ < letters_.size()) letters_[size_++] = lower;
  }
  void clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }
  bool operator==(std::string_view other) const {
    return other == std::string_view(letters_.data(), size_);
  }

 private:
  std::array<char, 16> letters_;
  std::size_t size_ = 0;
};

/// The next word, consumed; empty: something else stands there.
Word word(std::string_view& text) {
  text = skip_space(text);
  Word found;
  std::size_t size = 0;
  for (; size < text.size(); ++size) {
    const char lower = static_cast<char>(text[size] | 0x20);
    if (!is_letter(lower) && text[size] != '_') break;
    found.add(lower);
  }
  text.remove_prefix(size);
  return found;
}

/// Nothing follows but the end of the statement.
bool ends(std::string_view rest) {
  if (rest == ";") return true;  // as most do that have one
  rest = skip_space(rest);
  while (rest.starts_with(';')) rest = skip_space(rest.substr(1));
  return rest.empty();
}

bool second_statement(std::string_view text, bool whole) {
  const std::size_t semicolon = text.find(';');
  if (semicolon == std::string_view::npos) return false;
  return !whole || !ends(text.substr(semicolon));
}

/// Behind COMMIT or ROLLBACK: [WORK | TRANSACTION] [AND NO CHAIN].
bool nothing_special(std::string_view rest) {
  Word next = word(rest);
  if (next == "work" || next == "transaction") next = word(rest);
  if (next == "and") {
    if (!(word(rest) == "no") || !(word(rest) == "chain")) return false;
    next.clear();
  }
  return next.empty() && ends(rest);
}

}  // namespace

bool concerns_rows(std::string_view text) {
  if (text.size() < 3) return false;
  const auto letter = [&](std::size_t at) { return static_cast<std::uint32_t>(text[at] | 0x20); };
  constexpr auto kFront = [](char a, char b, char c) {
    return static_cast<std::uint32_t>(a) << 16 | static_cast<std::uint32_t>(b) << 8 |
           static_cast<std::uint32_t>(c);
  };
  switch (letter(0) << 16 | letter(1) << 8 | letter(2)) {
    case kFront('s', 'e', 'l'):
    case kFront('i', 'n', 's'):
    case kFront('u', 'p', 'd'):
    case kFront('d', 'e', 'l'):
    case kFront('w', 'i', 't'): return true;
    default: return false;
  }
}

Ending ending_of(std::string_view text, bool whole) {
  if (concerns_rows(text)) return second_statement(text, whole) ? Ending::unclear : Ending::none;
  std::string_view rest = text;
  const Word first = word(rest);
  if (first == "commit" || first == "end") {
    return whole && nothing_special(rest) ? Ending::commit : Ending::unclear;
  }
  if (first == "rollback" || first == "abort") {
    if (whole && nothing_special(rest)) return Ending::rollback;
    Word next = word(rest);
    if (next == "work" || next == "transaction") next = word(rest);
    // ROLLBACK TO a savepoint stays inside.
    return next == "to" && !second_statement(rest, whole) ? Ending::none : Ending::unclear;
  }
  if (first == "prepare" && word(rest) == "transaction") return Ending::unclear;
  return second_statement(text, whole) ? Ending::unclear : Ending::none;
}

Reach reach_of(std::string_view text, bool whole) {
  static constexpr std::array<std::string_view, 14> kDrawNothing{
      "abort", "begin",   "deallocate", "discard",   "listen", "lock", "notify",
      "reset", "release", "rollback",   "savepoint", "set",    "show", "start"};
  if (text.empty() || second_statement(text, whole)) return {};
  if (concerns_rows(text)) return {false, true};
  const Word first = word(text);
  const bool begins = first == "begin" || first == "start";
  const auto found = std::find(kDrawNothing.begin(), kDrawNothing.end(), first);
  return {begins, found == kDrawNothing.end()};
}

}  // namespace weirpool::protocol::postgres
