// Users from a file in the format of PgBouncer's userlist.txt: one a line,
//
//   "user" "password"          ; plain, "md5..." or "SCRAM-SHA-256$..."
//
// Quotes are doubled inside quotes; what follows the second value is ignored, and so are lines that
// begin with a semicolon.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/hba.hpp"

namespace weirpool::config {

/// Password or verifier by name. Secret.
using UserList = std::map<std::string, std::string>;

UserList parse_user_file(std::string_view text, std::vector<LineProblem>& problems);

}  // namespace weirpool::config
