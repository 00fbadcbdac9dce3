#include "protocol/mysql/transaction_text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace weirpool::protocol::mysql {
namespace {

constexpr std::string_view kSpace(" \t\n\r\f\v");

/// Statements that neither commit nor run anything that can: stored functions may not.
constexpr std::array<std::string_view, 14> kInside{
    "select", "insert",   "update",  "delete", "replace",   "with", "values",
    "table",  "describe", "explain", "desc",   "savepoint", "show", "use"};

std::string_view behind(std::string_view text, std::string_view end) {
  const std::size_t at = text.find(end);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + end.size());
}

/// Behind white space and comments; what stands in an executable comment stays.
std::string_view skip_space(std::string_view text) {
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
    const bool dashes =
        text.starts_with("--") && (text.size() == 2 || kSpace.find(text[2]) != kSpace.npos);
    if (dashes || text.starts_with('#')) {
      text = behind(text, "\n");
    } else if (text.starts_with("/*") && !text.starts_with("/*!") && !text.starts_with("/*M!")) {
      text = behind(text.substr(2), "*/");
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
    const bool other = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
    if (!upper && !other) break;
    lower += static_cast<char>(upper ? c - 'A' + 'a' : c);
  }
  text.remove_prefix(lower.size());
  return lower;
}

bool ends(std::string_view rest) {
  rest = skip_space(rest);
  if (rest.starts_with(';')) rest = skip_space(rest.substr(1));
  return rest.empty();
}

/// Behind ROLLBACK or COMMIT: [WORK] [AND NO CHAIN] [NO RELEASE].
Verb rollback(std::string_view rest) {
  std::string next = word(rest);
  if (next == "work") next = word(rest);
  if (next == "to") return Verb::inside;
  if (next == "and") {
    if (word(rest) != "no" || word(rest) != "chain") return Verb::other;
    next = word(rest);
  }
  if (next == "no") next = word(rest) == "release" ? "" : "no";
  return next.empty() && ends(rest) ? Verb::rollback : Verb::other;
}

}  // namespace

Verb verb_of(std::string_view sql, bool whole) {
  std::string_view rest = skip_space(sql);
  while (rest.starts_with('(')) rest = skip_space(rest.substr(1));
  const std::string first = word(rest);
  if (std::find(kInside.begin(), kInside.end(), first) != kInside.end()) return Verb::inside;
  if (first == "release" && word(rest) == "savepoint") return Verb::inside;
  if (!whole) return Verb::other;
  if (first == "rollback") return rollback(rest);
  if (first == "begin") {
    const std::string next = word(rest);
    return (next.empty() || next == "work") && ends(rest) ? Verb::begin : Verb::other;
  }
  const bool starts = first == "start" && word(rest) == "transaction";
  const std::size_t semicolon = rest.find(';');
  const bool alone = semicolon == std::string_view::npos || ends(rest.substr(semicolon));
  return starts && alone ? Verb::begin : Verb::other;
}

bool ends_transaction(std::string_view sql) {
  const std::string first = word(sql);
  return (first == "commit" || first == "rollback") && rollback(sql) == Verb::rollback;
}

}  // namespace weirpool::protocol::mysql
