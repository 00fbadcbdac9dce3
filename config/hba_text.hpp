// The lines of pg_hba.conf and pg_ident.conf: fields separated by blanks, lists separated by
// commas, quotes, comments, lines that go on behind a backslash.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/hba.hpp"

namespace weirpool::config {

struct HbaWord {
  std::string text;
  bool quoted = false;  ///< begins with a quote: never a keyword
};

/// One field is one or more words.
struct HbaLine {
  unsigned number = 0;  ///< of its first line, from 1
  std::vector<std::vector<HbaWord>> fields;
};

std::vector<HbaLine> split_hba(std::string_view text, std::vector<LineProblem>& problems);

}  // namespace weirpool::config
