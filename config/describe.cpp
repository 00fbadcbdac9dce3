// Problems as a person reads them.
#include <array>

#include "config/load.hpp"

namespace weirpool::config {

namespace {

constexpr std::size_t kMaxExcerpt = 160;

std::string_view line_of(std::string_view source, int line) {
  for (int i = 1; i < line; ++i) {
    const std::size_t end = source.find('\n');
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + 1);
  }
  return source.substr(0, source.find('\n'));
}

/// Where the value of a password key begins on this line; npos if there is none.
std::size_t secret_in(std::string_view line) {
  constexpr std::array<std::string_view, 3> kKeys{"password:", "password\":", "password':"};
  std::size_t first = std::string_view::npos;
  for (const std::string_view key : kKeys) {
    const std::size_t at = line.find(key);
    if (at != std::string_view::npos) first = std::min(first, at + key.size());
  }
  return first;
}

/// Nothing that a terminal would obey.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  return out;
}

/// The line and a caret under its column. What follows a password key stays hidden, whatever the
/// problem is: this text ends up in logs.
std::string excerpt(std::string_view source, const Problem& problem) {
  std::string line(line_of(source, problem.line));
  if (line.empty()) return {};
  const std::size_t secret = secret_in(line);
  if (secret != std::string::npos) line = line.substr(0, secret) + " <hidden>";
  if (line.size() > kMaxExcerpt) line = line.substr(0, kMaxExcerpt) + " ...";
  std::string number = std::to_string(problem.line);
  number.insert(0, number.size() < 5 ? 5 - number.size() : 0, ' ');
  std::string text = number + " | " + printable(line) + "\n";
  const auto column = static_cast<std::size_t>(problem.column);
  if (column == 0 || column > line.size()) return text;
  std::string padding(number.size(), ' ');
  padding += " | ";
  for (std::size_t i = 0; i + 1 < column; ++i) {
    const bool continues = (static_cast<unsigned char>(line[i]) & 0xC0U) == 0x80U;
    if (!continues) padding += ' ';
  }
  return text + padding + "^\n";
}

std::string count_of(int count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

std::string describe(const std::vector<Problem>& problems, std::string_view source) {
  std::string text;
  int errors = 0;
  int warnings = 0;
  for (const Problem& problem : problems) {
    const bool is_error = problem.gravity == Gravity::error;
    ++(is_error ? errors : warnings);
    text += problem.file;
    if (problem.line > 0) {
      text += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
    }
    text += is_error ? ": error: " : ": warning: ";
    if (!problem.path.empty()) text += printable(problem.path) + ": ";
    text += printable(problem.message) + "\n";
    if (problem.line > 0) text += excerpt(source, problem);
  }
  if (errors + warnings == 0) return text;
  if (errors > 0) text += count_of(errors, "error");
  if (errors > 0 && warnings > 0) text += ", ";
  if (warnings > 0) text += count_of(warnings, "warning");
  return text + "\n";
}

}  // namespace weirpool::config
