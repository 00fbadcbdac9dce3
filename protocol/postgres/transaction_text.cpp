#include "protocol/postgres/transaction_text.hpp"

#include <algorithm>
#include <string>

namespace weirpool::protocol::postgres {
namespace {

constexpr std::string_view kSpace(" \t\n\r\f\v\0", 7);

/// Behind white space and comments; a comment without an end leaves nothing.
std::string_view skip_space(std::string_view text) {
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    if (text.starts_with("--")) {
      text.remove_prefix(std::min(text.find('\n'), text.size()));
    } else if (text.starts_with("/*")) {
      std::size_t depth = 1;
      std::size_t at = 2;
      for (; depth > 0 && at < text.size(); ++at) {
        const std::string_view two = text.substr(at, 2);
        if (two == "/*") ++depth;
        if (two == "*/") --depth;
        if (two == "/*" || two == "*/") ++at;
      }
      text.remove_prefix(std::min(at, text.size()));
    } else {
      return text;
    }
  }
}

/// The next word in lower case, consumed; empty: something else stands there.
std::string word(std::string_view& text) {
  text = skip_space(text);
  std::string lower;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (!upper && (c < 'a' || c > 'z') && c != '_') break;
    lower += static_cast<char>(upper ? c - 'A' + 'a' : c);
  }
  text.remove_prefix(lower.size());
  return lower;
}

/// Nothing follows but the end of the statement.
bool ends(std::string_view rest) {
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
  std::string next = word(rest);
  if (next == "work" || next == "transaction") next = word(rest);
  if (next == "and") {
    if (word(rest) != "no" || word(rest) != "chain") return false;
    next.clear();
  }
  return next.empty() && ends(rest);
}

}  // namespace

Ending ending_of(std::string_view text, bool whole) {
  std::string_view rest = text;
  const std::string first = word(rest);
  if (first == "commit" || first == "end") {
    return whole && nothing_special(rest) ? Ending::commit : Ending::unclear;
  }
  if (first == "rollback" || first == "abort") {
    if (whole && nothing_special(rest)) return Ending::rollback;
    std::string next = word(rest);
    if (next == "work" || next == "transaction") next = word(rest);
    // ROLLBACK TO a savepoint stays inside.
    return next == "to" && !second_statement(rest, whole) ? Ending::none : Ending::unclear;
  }
  if (first == "prepare" && word(rest) == "transaction") return Ending::unclear;
  return second_statement(text, whole) ? Ending::unclear : Ending::none;
}

}  // namespace weirpool::protocol::postgres
