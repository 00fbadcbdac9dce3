#include "protocol/postgres/sql_prepare.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "protocol/postgres/parameters.hpp"
#include "protocol/postgres/transaction_text.hpp"

namespace weirpool::protocol::postgres {
namespace {

constexpr std::size_t kLongestName = 63;

bool name_part(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return letter || (!first && ((c >= '0' && c <= '9') || c == '$'));
}

/// An unquoted word of ASCII in lower case; empty: there is none.
std::string take_word(std::string_view& text) {
  text = skip_space(text);
  std::size_t size = 0;
  while (size < text.size() && name_part(text[size], size == 0)) ++size;
  std::string word = lower_case(text.substr(0, size));
  text.remove_prefix(size);
  return word;
}

std::string take_quoted(std::string_view& text) {
  std::string name;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (i + 1 == text.size() || text[i + 1] != '"') {
        text.remove_prefix(i + 1);
        return name;
      }
      ++i;
    }
    name += text[i];
  }
  return {};
}

/// The options of EXPLAIN: words, or words and values in parentheses.
std::string word_behind_options(std::string_view& text) {
  text = skip_space(text);
  if (text.starts_with('(')) text.remove_prefix(std::min(text.find(')'), text.size() - 1) + 1);
  std::string word = take_word(text);
  while (word == "analyze" || word == "analyse" || word == "verbose") word = take_word(text);
  return word;
}

}  // namespace

std::optional<NamedAt> executed_name(std::string_view text) {
  std::string_view rest = text;
  std::string word = take_word(rest);
  if (word == "explain") word = word_behind_options(rest);
  if (word != "execute") return std::nullopt;
  rest = skip_space(rest);
  NamedAt found;
  found.at = text.size() - rest.size();
  found.name = rest.starts_with('"') ? take_quoted(rest) : take_word(rest);
  found.size = text.size() - rest.size() - found.at;
  if (found.name.empty() || found.name.size() > kLongestName) return std::nullopt;
  return found;
}

std::optional<std::string> deallocated_name(std::string_view text) {
  if (take_word(text) != "deallocate") return std::nullopt;
  const auto take_name = [&text] {
    text = skip_space(text);
    const bool quoted = text.starts_with('"');
    return std::pair(quoted ? take_quoted(text) : take_word(text), quoted);
  };
  auto [name, quoted] = take_name();
  if (!quoted && name == "prepare") {
    const std::string_view behind = text;
    std::tie(name, quoted) = take_name();
    // A statement may have the name of the noise word.
    if (name.empty()) {
      name = "prepare";
      text = behind;
    }
  }
  text = skip_space(text);
  if (text.starts_with(';')) text.remove_prefix(1);
  text = skip_space(text);
  const bool all = !quoted && name == "all";
  if (name.empty() || all || name.size() > kLongestName || !text.empty()) return std::nullopt;
  return std::move(name);
}

}  // namespace weirpool::protocol::postgres
