#include "protocol/postgres/startup_options.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::postgres {
namespace {

using Pairs = std::vector<NamedValue>;

TEST(StartupOptions, AllSpellings) {
  Pairs out;
  ASSERT_TRUE(parse_options(" -c a=b  -cc=d --e-f=g -c x.y=h\\ i\\\\ ", out));
  EXPECT_EQ(out, (Pairs{{"a", "b"}, {"c", "d"}, {"e_f", "g"}, {"x.y", "h i\\"}}));
}

TEST(StartupOptions, EmptyIsFine) {
  Pairs out;
  EXPECT_TRUE(parse_options("", out));
  EXPECT_TRUE(parse_options("  ", out));
  EXPECT_TRUE(out.empty());
}

TEST(StartupOptions, WhatCannotBeFollowedIsRefused) {
  for (const char* text : {"-c", "-c a", "-d 5", "-B 10", "a=b", "--=b", "-c 1a=b", "-c a.=b",
                           "-c a\"b=c", "-c .a=b", "--"}) {
    Pairs out;
    EXPECT_FALSE(parse_options(text, out)) << text;
  }
}

TEST(StartupOptions, NamesOfSettings) {
  EXPECT_TRUE(legal_setting_name("DateStyle"));
  EXPECT_TRUE(legal_setting_name("my.app$user"));
  EXPECT_FALSE(legal_setting_name(""));
  EXPECT_FALSE(legal_setting_name("a b"));
  EXPECT_FALSE(legal_setting_name("a;b"));
  EXPECT_FALSE(legal_setting_name("\xC3\xA9"));
  EXPECT_FALSE(legal_setting_name(std::string(64, 'a')));
}

}  // namespace
}  // namespace weirpool::protocol::postgres
