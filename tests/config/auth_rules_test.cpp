#include "config/auth_rules.hpp"

#include <gtest/gtest.h>

#include "tests/config/config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(AuthRules, NoRulesMeanTheMethodCounts) {
  std::vector<RuleProblem> problems;
  EXPECT_FALSE(read_auth_rules({}, problems).by_rule);
  Auth comments;
  comments.hba = "# nobody\n";
  EXPECT_TRUE(read_auth_rules(comments, problems).by_rule);
  EXPECT_TRUE(problems.empty());
}

TEST(AuthRules, RulesComeFromTheTextOrAFile) {
  const TempFile file("host all all all md5\nhost all all all nonsense\n");
  Auth auth;
  auth.hba_file = file.path();
  std::vector<RuleProblem> problems;
  EXPECT_EQ(read_auth_rules(auth, problems).hba.rules.size(), 1U);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].option, "auth.hba_file");
  EXPECT_TRUE(problems[0].message.starts_with("line 2: "));
}

TEST(AuthRules, FilesThatAreNotThereAreNamed) {
  Auth auth;
  auth.hba_file = "/no/hba";
  auth.ident_file = "/no/ident";
  std::vector<RuleProblem> problems;
  read_auth_rules(auth, problems);
  read_user_file("/no/users", problems);
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(problems[1].message, "/no/ident: No such file or directory");
  EXPECT_EQ(problems[2].option, "auth.user_file");
}

TEST(AuthRules, UsersComeFromAFile) {
  const TempFile file("\"app\" \"secret\"\n");
  std::vector<RuleProblem> problems;
  EXPECT_EQ(read_user_file(file.path(), problems), (UserList{{"app", "secret"}}));
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace weirpool::config
