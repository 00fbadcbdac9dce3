#include "config/user_file.hpp"

#include <algorithm>
#include <optional>

#include "config/limits.hpp"

namespace weirpool::config {
namespace {

void skip_blanks(std::string_view& line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  line.remove_prefix(first == line.npos ? line.size() : first);
}

/// Takes a quoted value off the front; no value: there is none.
std::optional<std::string> quoted_value(std::string_view& line) {
  skip_blanks(line);
  if (!line.starts_with('"')) return std::nullopt;
  std::string value;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] != '"') {
      value += line[i];
    } else if (i + 1 < line.size() && line[i + 1] == '"') {
      value += line[i++];
    } else {
      line.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace

UserList parse_user_file(std::string_view text, std::vector<LineProblem>& problems) {
  UserList users;
  for (unsigned number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    skip_blanks(line);
    if (line.empty() || line.starts_with(';') || line.starts_with('#')) continue;
    const auto name = quoted_value(line);
    const auto password = name ? quoted_value(line) : std::nullopt;
    if (!name || !password) {
      problems.push_back({number, "a line must be \"user\" \"password\""});
    } else if (name->empty() || name->size() > kMaxNameBytes) {
      problems.push_back({number, "a user's name must have 1 to 128 bytes"});
    } else if (name->find('\0') != name->npos || password->find('\0') != password->npos) {
      problems.push_back({number, "holds a NUL byte"});
    } else if (!users.emplace(*name, *password).second) {
      problems.push_back({number, "user \"" + *name + "\" stands in the file twice"});
    }
  }
  return users;
}

}  // namespace weirpool::config
