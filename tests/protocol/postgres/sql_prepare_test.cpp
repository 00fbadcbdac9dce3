#include "protocol/postgres/sql_prepare.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/parameters.hpp"

namespace weirpool::protocol::postgres {
namespace {

TEST(SqlPrepare, NamesAreFoldedAsTheServerDoes) {
  EXPECT_EQ(deallocated_name("DEALLOCATE pdo_stmt_00000001"), "pdo_stmt_00000001");
  EXPECT_EQ(deallocated_name(" deallocate\tPrepare S1 ; "), "s1");
  EXPECT_EQ(deallocated_name("deallocate \"My \"\"one\"\"\""), "My \"one\"");
  EXPECT_EQ(deallocated_name("deallocate\"x\""), "x");
  EXPECT_EQ(deallocated_name("deallocate prepare"), "prepare");
  EXPECT_EQ(deallocated_name("/* x */ deallocate -- y\n s /* z */;"), "s");
  EXPECT_EQ(deallocated_name("deallocate \"all\""), "all");
  EXPECT_EQ(deallocated_name(std::string_view("deallocate s\0", 13)), "s");
}

TEST(SqlPrepare, NothingElseIsOne) {
  for (const char* text :
       {"", "deallocate", "deallocate all", "deallocate prepare all", "deallocate s; select 1",
        "deallocate s t", "deallocate \"s", "deallocate \"\"", "deallocated s", "drop s",
        "deallocate s /* x", "deallocate 1s", "deallocate s\xC3\xA4"}) {
    EXPECT_EQ(deallocated_name(text), std::nullopt) << text;
  }
  EXPECT_EQ(deallocated_name("deallocate " + std::string(64, 's')), std::nullopt);
}

TEST(SqlPrepare, WhatIsExecutedIsFound) {
  for (const std::string text :
       {"execute s", "EXECUTE S(1)", "-- x\n execute\"s\"", "explain execute s;",
        "explain (analyze, costs off) execute s", "explain analyze verbose execute /* */ s (1)"}) {
    const auto found = executed_name(text);
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(found->name, "s") << text;
    EXPECT_EQ(lower_case(text.substr(found->at, found->size)).find('s'), found->size / 3) << text;
  }
  for (const char* text : {"", "execute", "execute ", "execute (1)", "explain select 1",
                           "explain (", "executes s", "execute \"s", "prepare s as execute t"}) {
    EXPECT_FALSE(executed_name(text)) << text;
  }
}

}  // namespace
}  // namespace weirpool::protocol::postgres
