// What the files and texts of the group auth say, read as one. Blocks on the disk: not on an I/O
// thread.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/hba.hpp"
#include "config/user_file.hpp"

namespace weirpool::config {

struct RuleProblem {
  std::string option;  ///< auth.hba_file
  std::string message;
};

struct AuthRules {
  bool by_rule = false;  ///< false: auth.method counts for everybody
  Hba hba;
  IdentMap ident;
};

AuthRules read_auth_rules(const Auth& auth, std::vector<RuleProblem>& problems);
UserList read_user_file(const std::string& path, std::vector<RuleProblem>& problems);

}  // namespace weirpool::config
