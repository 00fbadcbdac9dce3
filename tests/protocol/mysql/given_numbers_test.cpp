#include "protocol/mysql/given_numbers.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::mysql {
namespace {

TEST(MysqlGivenNumbers, AreThoseAmongTheLiterals) {
  const GivenNumbers given = GivenNumbers::of(
      "INSERT INTO shop.`t` (`a`, b, c, d, e) VALUES (7, 'x 8', ' 9', 10.6, 11),\n"
      " (null, default, true, now(), '2026-11-29');");
  for (const unsigned number : {7U, 9U, 10U, 11U, 1U, 2026U}) {
    EXPECT_TRUE(given.may_include(number)) << number;
  }
  for (const unsigned number : {8U, 12U, 29U, 5U})
    EXPECT_FALSE(given.may_include(number)) << number;
}

TEST(MysqlGivenNumbers, OfSomeTextsNothingIsKnown) {
  for (const char* sql : {"insert into t values (?)",
                          "insert into t values (1 + 1)",
                          "insert into t values (0x7)",
                          "insert into t values (1e1)",
                          "insert into t values ('1e1')",
                          "insert into t values (@a)",
                          "insert into t values ('1' '2')",
                          "insert into t values (\"7\")",
                          "insert into t values ('it\\'s')",
                          "insert into t select 1",
                          "insert into t set a = 1",
                          "insert into t values (f())",
                          "insert into t values ()  on duplicate key update a = 1",
                          "insert into t values (1) returning a",
                          "insert ignore into t values (1)",
                          "insert into t values (99999999999999999999)",
                          "insert into t values ('99999999999999999999')",
                          "insert into t values (",
                          "insert into t values (1) , ",
                          "insert into t (a b) values (1)",
                          "insert into t values (.5e1)",
                          "insert into t values ('1.0e1')",
                          "insert into t values (-7)",
                          "insert into t values ('-7')",
                          "insert into t values (x'07')",
                          "insert",
                          "",
                          "select 1",
                          "insert into t values (/*!7*/)"}) {
    EXPECT_TRUE(GivenNumbers::of(sql).may_include(123456)) << sql;
  }
  EXPECT_TRUE(GivenNumbers().may_include(1));
  std::string many = "insert into t values (1";
  for (int i = 0; i < 40; ++i) many += ",2";
  EXPECT_TRUE(GivenNumbers::of(many + ")").may_include(3)) << "only so many are kept";
}

}  // namespace
}  // namespace weirpool::protocol::mysql
