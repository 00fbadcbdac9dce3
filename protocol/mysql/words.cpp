#include "protocol/mysql/words.hpp"

#include <algorithm>

namespace weirpool::protocol::mysql {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }
bool is_quote(char c) { return c == '\'' || c == '"' || c == '`'; }

}  // namespace

void Words::skip_space() {
  for (;;) {
    const auto visible = std::find_if_not(rest_.begin(), rest_.end(), is_blank);
    rest_.remove_prefix(static_cast<std::size_t>(visible - rest_.begin()));
    // A comment between words; one that is executed is no comment.
    if (!rest_.starts_with("/*") || rest_.starts_with("/*!") || rest_.starts_with("/*M!")) return;
    const std::size_t end = rest_.find("*/", 2);
    if (end == std::string_view::npos) return;
    rest_.remove_prefix(end + 2);
  }
}

/// Up to the closing quote. A backslash inside may or may not escape: no word at all.
std::size_t Words::quoted_size(char quote) const {
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '\\') return 0;
    if (rest_[i] != quote) continue;
    if (i + 1 == rest_.size() || rest_[i + 1] != quote) return i + 1;
    ++i;
  }
  return 0;
}

void Words::advance() {
  skip_space();
  if (rest_.empty()) {
    word_ = {};
    return;
  }
  std::size_t size = 1;
  const char first = rest_[0];
  if (is_quote(first)) {
    size = std::max<std::size_t>(quoted_size(first), 1);
  } else if (first == '@') {
    while (size < rest_.size() &&
           (is_letter(rest_[size]) || rest_[size] == '@' || rest_[size] == '.'))
      ++size;
  } else if (is_letter(first)) {
    const bool number = first >= '0' && first <= '9';
    while (size < rest_.size() && (is_letter(rest_[size]) || (number && rest_[size] == '.')))
      ++size;
  } else if (rest_.starts_with(":=")) {
    size = 2;
  }
  word_ = rest_.substr(0, size);
}

std::string_view Words::next() {
  const std::string_view word = word_;
  rest_.remove_prefix(word_.size());
  advance();
  return word;
}

bool Words::take(std::string_view lower) {
  if (!same_word(word_, lower)) return false;
  next();
  return true;
}

bool Words::at_end() {
  take(";");
  return word_.empty();
}

std::string_view Words::rest() const { return rest_; }

bool same_word(std::string_view word, std::string_view lower) {
  return std::equal(word.begin(), word.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

std::string_view name_of(std::string_view word) {
  if (word.empty()) return {};
  if (word[0] == '`') {
    if (word.size() < 3 || word.back() != '`') return {};
    word = word.substr(1, word.size() - 2);
    return word.find('`') == std::string_view::npos ? word : std::string_view{};
  }
  return is_letter(word[0]) ? word : std::string_view{};
}

}  // namespace weirpool::protocol::mysql
