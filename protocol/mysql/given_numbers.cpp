#include "protocol/mysql/given_numbers.hpp"

#include <algorithm>
#include <charconv>

#include "protocol/mysql/words.hpp"

namespace weirpool::protocol::mysql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

class GivenNumbers::Reading {
 public:
  Reading(std::string_view sql, GivenNumbers& into) : words_(sql), into_(into) {}

  /// False: something that is not understood, or too much.
  bool all() {
    if (!words_.take("insert") && !words_.take("replace")) return false;
    for (const char* word : {"low_priority", "high_priority", "delayed", "into"}) words_.take(word);
    if (name_of(words_.next()).empty()) return false;
    if (words_.take(".") && name_of(words_.next()).empty()) return false;
    if (words_.take("(") && !columns()) return false;
    if (!words_.take("values") && !words_.take("value")) return false;
    do {
      if (!row()) return false;
    } while (words_.take(","));
    return words_.at_end();
  }

 private:
  bool columns() {
    if (words_.take(")")) return true;
    do {
      if (name_of(words_.next()).empty()) return false;
    } while (words_.take(","));
    return words_.take(")");
  }
  bool row() {
    if (!words_.take("(")) return false;
    if (words_.take(")")) return true;
    do {
      if (!value()) return false;
    } while (words_.take(","));
    return words_.take(")");
  }
  bool value() {
    for (const char* word : {"null", "default", "true", "false"}) {
      if (words_.take(word)) return *word != 't' || add(1);
    }
    for (const char* function : {"now", "current_timestamp"}) {
      if (words_.take(function)) return !words_.take("(") || words_.take(")");
    }
    const std::string_view word = words_.next();
    if (word.size() >= 2 && word.front() == '\'') {
      return number_in(word.substr(1, word.size() - 2));
    }
    return number(word);
  }

  /// 17, 17.5
  bool number(std::string_view word) {
    const auto odd = [](char c) { return !is_digit(c) && c != '.'; };
    return !word.empty() && std::none_of(word.begin(), word.end(), odd) && number_in(word);
  }
  /// The number that a text is taken for begins it; it may be rounded up.
  bool number_in(std::string_view text) {
    while (!text.empty() && (static_cast<unsigned char>(text[0]) <= ' ' || text[0] == '+')) {
      text.remove_prefix(1);
    }
    if (text.starts_with('-')) return false;
    if (text.empty() || (!is_digit(text[0]) && text[0] != '.')) return true;
    std::uint64_t whole = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, whole);
    if (error == std::errc::result_out_of_range) return false;
    if (end == last) return add(whole);
    if (*end == 'e' || *end == 'E') return false;
    if (*end != '.') return add(whole);
    const auto exponent = [](char c) { return c == 'e' || c == 'E'; };
    return std::none_of(end, last, exponent) && add(whole) && add(whole + 1);
  }
  bool add(std::uint64_t number) {
    if (into_.count_ == kMost) return false;
    into_.numbers_[into_.count_++] = number;
    return true;
  }

  Words words_;
  GivenNumbers& into_;
};

GivenNumbers GivenNumbers::of(std::string_view sql) {
  GivenNumbers given;
  given.known_ = Reading(sql, given).all();
  return given;
}

bool GivenNumbers::may_include(std::uint64_t number) const {
  const auto* const end = numbers_.begin() + count_;
  return !known_ || std::find(numbers_.begin(), end, number) != end;
}

}  // namespace weirpool::protocol::mysql
