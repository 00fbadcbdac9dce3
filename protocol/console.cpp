#include "protocol/console.hpp"

#include <utility>

namespace weirpool::protocol::console {
namespace {

/// Walks over a text; every step takes one character, quoted thing or comment.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : rest_(text) {}

  std::vector<std::string> run() {
    while (!rest_.empty()) step();
    end_statement();
    return std::move(statements_);
  }

 private:
  void step() {
    const char c = rest_.front();
    if (c == ';') {
      end_statement();
      rest_.remove_prefix(1);
    } else if (c == '\'' || c == '"') {
      take_quoted(c);
    } else if (rest_.starts_with("--")) {
      const std::size_t end = rest_.find('\n');
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
      current_ += ' ';
    } else if (rest_.starts_with("/*")) {
      drop_block();
      current_ += ' ';
    } else {
      current_ += c;
      rest_.remove_prefix(1);
    }
  }

  /// A doubled quote is two quoted things in a row: the same text.
  void take_quoted(char quote) {
    const std::size_t end = rest_.find(quote, 1);
    const std::size_t size = end == std::string_view::npos ? rest_.size() : end + 1;
    current_ += rest_.substr(0, size);
    rest_.remove_prefix(size);
  }

  void drop_block() {
    std::size_t depth = 0;
    do {
      if (rest_.starts_with("/*")) {
        ++depth;
        rest_.remove_prefix(2);
      } else if (rest_.starts_with("*/")) {
        --depth;
        rest_.remove_prefix(2);
      } else if (!rest_.empty()) {
        rest_.remove_prefix(1);
      }
    } while (depth > 0 && !rest_.empty());
  }

  void end_statement() {
    constexpr std::string_view kSpace = " \t\r\n\f\v";
    const std::size_t first = current_.find_first_not_of(kSpace);
    if (first != std::string::npos) {
      const std::size_t last = current_.find_last_not_of(kSpace);
      statements_.push_back(current_.substr(first, last - first + 1));
    }
    current_.clear();
  }

  std::string_view rest_;
  std::string current_;
  std::vector<std::string> statements_;
};

}  // namespace

Answer Answer::done(std::string tag) {
  Answer answer;
  answer.tag = std::move(tag);
  return answer;
}

Answer Answer::failed(std::string sqlstate, std::string message) {
  Answer answer;
  answer.sqlstate = std::move(sqlstate);
  answer.error = std::move(message);
  return answer;
}

std::vector<std::string> split(std::string_view text) { return Splitter(text).run(); }

bool reserved(std::string_view database) {
  return database == "pgbouncer" || database == "weirpool";
}

}  // namespace weirpool::protocol::console
