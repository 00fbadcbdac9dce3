#include "config/user_file.hpp"

#include <gtest/gtest.h>

namespace weirpool::config {
namespace {

UserList parse(std::string_view text, std::size_t wrong = 0) {
  std::vector<LineProblem> problems;
  UserList users = parse_user_file(text, problems);
  EXPECT_EQ(problems.size(), wrong) << (problems.empty() ? "" : problems.front().message);
  return users;
}

TEST(UserFile, ReadsWhatPgbouncerReads) {
  const UserList users = parse(
      "; made by a script\n"
      "\"app\" \"secret\"\n"
      "\n"
      "  \"hashed\"\t\"md50123456789abcdef0123456789abcdef\" \"\" ignored\r\n"
      "\"quo\"\"ted\" \"p\"\"w\"\n"
      "\"nobody\" \"\"");
  EXPECT_EQ(users, (UserList{{"app", "secret"},
                             {"hashed", "md50123456789abcdef0123456789abcdef"},
                             {"quo\"ted", "p\"w"},
                             {"nobody", ""}}));
  EXPECT_TRUE(parse("").empty());
}

TEST(UserFile, BrokenLinesAreNamed) {
  for (const char* text : {"app secret", "\"app\"", "\"app\" secret", "\"app\" \"secret",
                           "\"\" \"x\"", "\"a\" \"x\"\n\"a\" \"y\""}) {
    parse(text, 1);
  }
  parse("\"" + std::string(200, 'u') + "\" \"x\"", 1);
  parse(std::string("\"a\0b\" \"x\"", 9), 1);
  std::vector<LineProblem> problems;
  parse_user_file("\"a\" \"b\"\n\nbroken\n", problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].line, 3U);
}

TEST(UserFile, ComplaintsQuoteNoPassword) {
  std::vector<LineProblem> problems;
  parse_user_file("\"app\" \"hunter2", problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].message.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace weirpool::config
