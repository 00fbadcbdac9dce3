#include <gtest/gtest.h>

#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(Describe, ShowsTheLineAndACaret) {
  EXPECT_EQ(complaint(kSmall + "limits:\n  max_connecting: 0\n"),
            "w.yaml:13:19: error: limits.max_connecting: 0 is out of range (1..1000)\n"
            "   13 |   max_connecting: 0\n"
            "      |                   ^\n"
            "1 error\n");
}

TEST(Describe, CountsErrorsAndWarnings) {
  const std::vector<Problem> problems{{"f", 0, 0, Gravity::error, "", "a"},
                                      {"f", 0, 0, Gravity::error, "p", "b"},
                                      {"f", 0, 0, Gravity::warning, "", "c"}};
  EXPECT_EQ(describe(problems, ""),
            "f: error: a\nf: error: p: b\nf: warning: c\n2 errors, 1 warning\n");
  EXPECT_EQ(describe({}, "x"), "");
}

TEST(Describe, HidesWhatFollowsAPasswordKey) {
  const std::string text =
      complaint("users: {app: {password: hunter2, colour: red}}\nbackends: {}\n");
  EXPECT_NE(text.find("password: <hidden>"), std::string::npos) << text;
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
}

TEST(Describe, SendsNothingATerminalObeys) {
  const std::string text = complaint("\"\\e[2Jkey\": 1\n");
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
}

}  // namespace
}  // namespace weirpool::config
