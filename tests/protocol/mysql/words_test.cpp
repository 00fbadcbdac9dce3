#include "protocol/mysql/words.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weirpool::protocol::mysql {
namespace {

std::string split(std::string_view sql) {
  std::string all;
  for (Words words(sql); !words.peek().empty();) all.append(words.next()).append("|");
  return all;
}

TEST(MysqlWords, OneAfterTheOther) {
  EXPECT_EQ(split(" set @a := 'it''s', @@session.x=-1.5;"),
            "set|@a|:=|'it''s'|,|@@session.x|=|-|1.5|;|");
  EXPECT_EQ(split("a/* c */b/**/`c d`(e)"), "a|b|`c d`|(|e|)|");
  EXPECT_EQ(split(""), "");
  EXPECT_EQ(split("/* open"), "/|*|open|");
  EXPECT_EQ(split("/*! x */"), "/|*|!|x|*|/|");
}

TEST(MysqlWords, WhatMayMeanSomethingElseIsNoWord) {
  EXPECT_EQ(split("'a\\'b'"), "'|a|\\|'b'|") << "a backslash may escape, or not";
  EXPECT_EQ(split("'open"), "'|open|");
}

TEST(MysqlWords, TakingAndNames) {
  Words words("SeLeCt x");
  EXPECT_FALSE(words.take("selec"));
  EXPECT_TRUE(words.take("select"));
  EXPECT_EQ(words.rest(), "x");
  EXPECT_FALSE(words.at_end());
  words.next();
  EXPECT_TRUE(words.at_end());
  Words semicolon("; ");
  EXPECT_TRUE(semicolon.at_end());
  EXPECT_EQ(name_of("abc"), "abc");
  EXPECT_EQ(name_of("`a b`"), "a b");
  EXPECT_EQ(name_of("`a``b`"), "");
  EXPECT_EQ(name_of("'a'"), "");
  EXPECT_EQ(name_of(""), "");
}

}  // namespace
}  // namespace weirpool::protocol::mysql
