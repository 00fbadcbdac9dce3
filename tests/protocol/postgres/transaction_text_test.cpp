#include "protocol/postgres/transaction_text.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::postgres {
namespace {

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
        "rollback prepared 'x'", "rollback to s; commit", "select ';commit'", "commit 'x'"}) {
    EXPECT_EQ(ending_of(text), Ending::unclear) << text;
  }
}

TEST(TransactionText, OfTheFrontOfALongTextOnlyTheWordsAreKnown) {
  EXPECT_EQ(ending_of("insert into t values ", false), Ending::none);
  EXPECT_EQ(ending_of("insert into t values (1);", false), Ending::unclear);
  EXPECT_EQ(ending_of("commit", false), Ending::unclear);
  EXPECT_EQ(ending_of("rollback", false), Ending::unclear);
}

}  // namespace
}  // namespace weirpool::protocol::postgres
