#include "protocol/postgres/transaction_text.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::postgres {
namespace {

TEST(TransactionText, WhiteSpaceAndCommentsAreSkipped) {
  for (const char* text : {"x", " \n x", "-- a\nx", "/* a /* b */ c */ /**/ -- d\r x"}) {
    EXPECT_EQ(skip_space(text), "x") << text;
  }
  for (const char* text : {"", "-- a", "/* a */ "}) EXPECT_EQ(skip_space(text), "") << text;
  for (const char* text : {"/* a", "/* /* */", "/*/"}) EXPECT_EQ(skip_space(text), text);
}

TEST(TransactionText, ACommentHasASize) {
  EXPECT_EQ(comment_size("/* /* a */ */ x"), 13U);
  EXPECT_EQ(comment_size("-- a\nx"), 4U);
  for (const char* none : {"", "x", " -- a", "- a", "/* a"}) EXPECT_EQ(comment_size(none), 0U);
}

TEST(TransactionText, StatementsThatStayInside) {
  for (const char* text :
       {"", ";", "select 1", "select 1;  ", "insert into commits values (1)", "-- commit\nselect 1",
        "/* a /* nested */ comment */ update t set a = 1;", "savepoint s", "release s",
        "ROLLBACK TO s", "rollback work to savepoint s;", "commitment", "prepare p as select 1",
        "select 1; -- done", "call p()", "begin"}) {
    EXPECT_EQ(ending_of(text), Ending::none) << text;
  }
}

TEST(TransactionText, StatementsThatEndItAndDoNothingElse) {
  for (const char* text : {"commit", "COMMIT;", " end ", "commit work", "END TRANSACTION ;",
                           "/* trace */ commit and no chain", "commit -- now"}) {
    EXPECT_EQ(ending_of(text), Ending::commit) << text;
  }
  for (const char* text : {"rollback", "ABORT;", "rollback transaction", "Rollback And No Chain"}) {
    EXPECT_EQ(ending_of(text), Ending::rollback) << text;
  }
}

TEST(TransactionText, WhatCannotBeSureOfIsUnclear) {
  for (const char* text :
       {"select 1; commit", "insert into t values (';x'); select 1", "commit and chain",
        "rollback and chain", "commit; begin", "prepare transaction 'x'", "commit prepared 'x'",
        "rollback prepared 'x'", "commit /* a", "rollback to s; commit", "select ';commit'",
        "commit 'x'"}) {
    EXPECT_EQ(ending_of(text), Ending::unclear) << text;
  }
}

TEST(TransactionText, WhatMayBeginOne) {
  for (const char* text : {"begin", "/* a */ Begin work;", "start transaction read only",
                           "select 1; begin", "select ';begin'", ""}) {
    EXPECT_TRUE(reach_of(text).begins) << text;
  }
  for (const char* text : {"select 1", "beginning", " ; ", "commit", "call p();"}) {
    EXPECT_FALSE(reach_of(text).begins) << text;
  }
  EXPECT_FALSE(reach_of("insert into t values ", false).begins);
  EXPECT_TRUE(reach_of("insert into t values ('a;", false).begins);
}

TEST(TransactionText, WhatMayUseASequence) {
  for (const char* text :
       {"BEGIN", "begin isolation level serializable;", "set local x = 1", "savepoint s",
        "rollback to s", "show x", "/* trace */ start transaction"}) {
    EXPECT_FALSE(reach_of(text).draws) << text;
  }
  for (const char* text : {"select 1", "insert into t default values", "begin; insert into t", "",
                           "commit", "call p()", "beginning"}) {
    EXPECT_TRUE(reach_of(text).draws) << text;
  }
  EXPECT_TRUE(reach_of("set x = 1;", false).draws);
}

TEST(TransactionText, OfTheFrontOfALongTextOnlyTheWordsAreKnown) {
  EXPECT_EQ(ending_of("insert into t values ", false), Ending::none);
  EXPECT_EQ(ending_of("insert into t values (1);", false), Ending::unclear);
  EXPECT_EQ(ending_of("commit", false), Ending::unclear);
  EXPECT_EQ(ending_of("rollback", false), Ending::unclear);
}

}  // namespace
}  // namespace weirpool::protocol::postgres
