#include "protocol/postgres/startup_options.hpp"

#include <algorithm>

namespace weirpool::protocol::postgres {
namespace {

bool separates(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && separates(text[at])) ++at;
    if (at == text.size()) return words;
    std::string word;
    for (; at < text.size() && !separates(text[at]); ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      word += text[at];
    }
    words.push_back(std::move(word));
  }
}

bool assign(std::string_view word, std::vector<NamedValue>& out) {
  const std::size_t equals = word.find('=');
  if (equals == word.npos) return false;
  std::string name(word.substr(0, equals));
  std::replace(name.begin(), name.end(), '-', '_');
  if (!legal_setting_name(name)) return false;
  out.emplace_back(std::move(name), word.substr(equals + 1));
  return true;
}

}  // namespace

bool legal_setting_name(std::string_view name) {
  bool start = true;  // of a part between dots
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = (c >= '0' && c <= '9') || c == '$';
    if (c == '.' && !start) {
      start = true;
    } else if (letter || (digit && !start)) {
      start = false;
    } else {
      return false;
    }
  }
  return !start && name.size() < 64;
}

bool parse_options(std::string_view options, std::vector<NamedValue>& out) {
  const std::vector<std::string> words = words_of(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "-c") {
      if (++i == words.size()) return false;
      word = words[i];
    } else if (word.starts_with("-c") || word.starts_with("--")) {
      word.remove_prefix(2);
    } else {
      return false;
    }
    if (!assign(word, out)) return false;
  }
  return true;
}

}  // namespace weirpool::protocol::postgres
