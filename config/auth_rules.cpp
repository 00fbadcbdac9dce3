#include "config/auth_rules.hpp"

#include <utility>

#include "config/limits.hpp"
#include "config/text_file.hpp"

namespace weirpool::config {
namespace {

void add(std::vector<RuleProblem>& problems, const std::string& option,
         const std::vector<LineProblem>& found) {
  for (const LineProblem& problem : found) {
    problems.push_back({option, "line " + std::to_string(problem.line) + ": " + problem.message});
  }
}

/// The file's text; empty and a problem where it cannot be read.
std::string content(const std::string& path, std::size_t most, const std::string& option,
                    std::vector<RuleProblem>& problems) {
  TextFile file = read_text_file(path, most);
  if (!file.error.empty()) problems.push_back({option, path + ": " + file.error});
  return std::move(file.text);
}

}  // namespace

AuthRules read_auth_rules(const Auth& auth, std::vector<RuleProblem>& problems) {
  AuthRules rules;
  rules.by_rule = !auth.hba.empty() || !auth.hba_file.empty();
  const std::string option = auth.hba_file.empty() ? "auth.hba" : "auth.hba_file";
  std::vector<LineProblem> found;
  if (auth.hba_file.empty()) {
    rules.hba = parse_hba(auth.hba, found);
  } else {
    rules.hba = parse_hba(content(auth.hba_file, kMaxFileBytes, option, problems), found);
  }
  add(problems, option, found);
  if (auth.ident_file.empty()) return rules;
  found.clear();
  rules.ident =
      parse_ident(content(auth.ident_file, kMaxFileBytes, "auth.ident_file", problems), found);
  add(problems, "auth.ident_file", found);
  return rules;
}

UserList read_user_file(const std::string& path, std::vector<RuleProblem>& problems) {
  std::vector<LineProblem> found;
  UserList users =
      parse_user_file(content(path, kMaxUserFileBytes, "auth.user_file", problems), found);
  add(problems, "auth.user_file", found);
  return users;
}

}  // namespace weirpool::config
