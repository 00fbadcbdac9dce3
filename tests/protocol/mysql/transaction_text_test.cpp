#include "protocol/mysql/transaction_text.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::mysql {
namespace {

TEST(MysqlTransactionText, StatementsThatStayInside) {
  for (const char* sql :
       {"select 1", "  INSERT into t values (1)", "/* trace */ update t set a = 1", "(select 1)",
        "-- note\ndelete from t", "# note\nreplace into t values (1)", "rollback to s",
        "ROLLBACK WORK TO SAVEPOINT s", "release savepoint s", "with x as (select 1) select 1"}) {
    EXPECT_EQ(verb_of(sql), Verb::inside) << sql;
  }
}

TEST(MysqlTransactionText, WhatEndsItAndWhatBeginsAnother) {
  for (const char* sql : {"rollback", "ROLLBACK;", "rollback work", "rollback and no chain",
                          "rollback no release", "rollback work and no chain no release -- x"}) {
    EXPECT_EQ(verb_of(sql), Verb::rollback) << sql;
  }
  for (const char* sql :
       {"begin", "BEGIN WORK;", "start transaction", "START TRANSACTION READ ONLY",
        "start transaction with consistent snapshot, read write;"}) {
    EXPECT_EQ(verb_of(sql), Verb::begin) << sql;
  }
}

TEST(MysqlTransactionText, WhatEndsItBehindWhichNothingFollows) {
  for (const char* sql : {"commit", "COMMIT WORK;", "commit and no chain", "/* c */ rollback"}) {
    EXPECT_TRUE(ends_transaction(sql)) << sql;
  }
  for (const char* sql : {"commit and chain", "commit release", "commit; select 1", "rollback to s",
                          "rollback and chain", "begin", "xa commit 'x'", "", "committed"}) {
    EXPECT_FALSE(ends_transaction(sql)) << sql;
  }
}

TEST(MysqlTransactionText, EverythingElseMayEndIt) {
  for (const char* sql :
       {"commit", "", "create table t (a int)", "set autocommit = 1", "call p()", "truncate t",
        "rollback and chain", "rollback release", "rollback; insert into t values (1)",
        "begin; insert into t values (1)", "begin not atomic select 1; end",
        "start transaction; insert into t values (1)", "start slave", "/*!50000 commit */",
        "/*M! commit */", "lock tables t write", "release lock", "--select\ncommit",
        "xa end 'x'"}) {
    EXPECT_EQ(verb_of(sql), Verb::other) << sql;
  }
}

TEST(MysqlTransactionText, TheFrontOfALongTextBeginsAndEndsNothing) {
  EXPECT_EQ(verb_of("insert into t values (", false), Verb::inside);
  EXPECT_EQ(verb_of("rollback", false), Verb::other);
  EXPECT_EQ(verb_of("begin", false), Verb::other);
}

}  // namespace
}  // namespace weirpool::protocol::mysql
