#include "protocol/mysql/holdings.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::mysql {
namespace {

using Kind = Deed::Kind;

std::optional<Deed> deed(std::string_view sql, bool uncertain = false) {
  SessionText text;
  text.begin({.everything = uncertain});
  text.feed(bytes_of(sql));
  text.finish();
  return deed_of(sql, text);
}

std::string reason(const Holdings& holdings) { return std::string(reason_of(holdings.pins())); }

/// Carries out what can be followed, in schema shop.
bool run(Holdings& holdings, std::string_view sql) {
  const auto one = deed(sql);
  if (!one || holdings.accounts_for(*one) == 0) return false;
  holdings.done(*one, "shop");
  return true;
}

TEST(MysqlHoldings, TemporaryTablesBySchemaAndCase) {
  Holdings mine;
  EXPECT_TRUE(run(mine, "CREATE TEMPORARY TABLE IF NOT EXISTS t (i int)"));
  EXPECT_TRUE(run(mine, "create temporary table `other`.`u` select 1"));
  EXPECT_EQ(reason(mine), "temporary_table");
  EXPECT_TRUE(run(mine, "drop table T, other.t"));
  EXPECT_TRUE(run(mine, "drop temporary table if exists shop.t"));
  EXPECT_EQ(reason(mine), "temporary_table");
  EXPECT_TRUE(run(mine, "DROP TABLE other.u cascade;"));
  EXPECT_EQ(reason(mine), "");
}

TEST(MysqlHoldings, PreparedTextsByWhatTheyDo) {
  Holdings mine;
  EXPECT_TRUE(run(mine, "prepare a from 'select ?'"));
  EXPECT_TRUE(run(mine, "prepare b from 'select get_lock(\"x\", 1)'"));
  EXPECT_TRUE(run(mine, "prepare c from @text"));
  EXPECT_TRUE(run(mine, "execute A using @x, @y"));
  EXPECT_TRUE(run(mine, "prepare d from \"select 'x'\"") && run(mine, "execute d"));
  EXPECT_TRUE(run(mine, "prepare e from \"select \"\"x\"\"\"") && !run(mine, "execute e"));
  EXPECT_TRUE(run(mine, "prepare f from \"select get_lock('x', 1)\"") && !run(mine, "execute f"));
  EXPECT_TRUE(run(mine, "deallocate prepare d") && run(mine, "deallocate prepare e") &&
              run(mine, "deallocate prepare f"));
  EXPECT_FALSE(run(mine, "execute b"));
  EXPECT_FALSE(run(mine, "execute c"));
  EXPECT_FALSE(run(mine, "execute unknown"));
  EXPECT_FALSE(run(mine, "execute immediate 'select 1'"));
  EXPECT_TRUE(run(mine, "deallocate prepare a") && run(mine, "drop prepare B"));
  EXPECT_EQ(reason(mine), "sql_prepare");
  EXPECT_TRUE(run(mine, "deallocate prepare c"));
  EXPECT_EQ(reason(mine), "");
}

TEST(MysqlHoldings, KillsInTextsOfTheirOwn) {
  for (const char* sql : {"prepare a from 'kill 5'", "prepare a from \"KILL QUERY 5\"",
                          "execute immediate 'kill 5'", "execute immediate ' kill ?' using 5"}) {
    const auto one = deed(sql);
    EXPECT_TRUE(one && one->kills) << sql;
  }
  for (const char* sql : {"prepare a from 'select \"kill\"'", "prepare a from @kill",
                          "execute immediate @kill", "execute immediate 'select 1'"}) {
    const auto one = deed(sql);
    EXPECT_TRUE(one && !one->kills) << sql;
  }
}

TEST(MysqlHoldings, HandlersLocksAndTransactionsOfManyServers) {
  const auto between = [](std::string_view take, std::string_view use, std::string_view give) {
    Holdings mine;
    EXPECT_TRUE(run(mine, take)) << take;
    const std::string pin = reason(mine);
    EXPECT_TRUE(run(mine, use)) << use;
    EXPECT_EQ(reason(mine), pin) << use;
    EXPECT_TRUE(run(mine, give)) << give;
    EXPECT_EQ(reason(mine), "") << give;
    return pin;
  };
  EXPECT_EQ(between("handler t open as h", "handler h read first", "handler h close"), "handler");
  EXPECT_EQ(between("handler shop.t open", "handler t read next", "handler t close"), "handler");
  EXPECT_EQ(between("xa start 'x'", "xa end 'x'", "xa commit 'x'"), "xa");
  EXPECT_EQ(between("flush tables with read lock", "flush tables", "unlock tables"), "lock_tables");
  EXPECT_EQ(between("lock instance for backup", "unlock tables", "unlock instance"), "lock_tables");
  EXPECT_EQ(between("backup stage start", "backup stage flush", "backup stage end"), "lock_tables");
  EXPECT_EQ(between("backup lock t", "lock tables t read", "backup unlock"), "lock_tables");
  EXPECT_EQ(between("select get_lock('a', 10) as l", "do get_lock('a', -1)",
                    "select release_all_locks()"),
            "named_lock");
}

TEST(MysqlHoldings, LocksAreCountedByTheServer) {
  Holdings mine;
  EXPECT_FALSE(mine.has_locks());
  EXPECT_TRUE(run(mine, "select get_lock('it''s', 1)") && run(mine, "do get_lock(\"b\", 1)"));
  EXPECT_EQ(mine.count_locks_sql(),
            "SELECT 0+IFNULL(IS_USED_LOCK('b')=CONNECTION_ID(),0)"
            "+IFNULL(IS_USED_LOCK('it''s')=CONNECTION_ID(),0)");
  mine.locks_are_free();
  EXPECT_EQ(reason(mine), "");
}

TEST(MysqlHoldings, UserVariablesSetToLiterals) {
  const auto set = deed("SET @a = 'x', @B := -1.5, @c=null, @d.e=TRUE;");
  ASSERT_TRUE(set);
  EXPECT_EQ(set->variables,
            (Variables{{"@a", "'x'"}, {"@b", "-1.5"}, {"@c", "null"}, {"@d.e", "TRUE"}}));
  for (const char* sql : {"set @a = now()", "set @a = 'a\\'b'", "set @a = \"x\"", "set @a = @b",
                          "set @a = 1, time_zone = 'x'", "set @@a = 1", "set @`a` = 1",
                          "set @a = 'x' collate utf8mb4_bin", "set @a = 1 + 1", "set @a",
                          "set @a = -'x'", "set @a = 1e3", "set @a = 1; select 1"}) {
    EXPECT_FALSE(deed(sql)) << sql;
  }
  EXPECT_FALSE(deed("set @a = 'x'", true)) << "a quote may be half a character";
}

TEST(MysqlHoldings, WhatIsSetForOthersIsNothingOfTheSession) {
  for (const char* sql :
       {"set global max_connections = 300", "SET @@GLOBAL.sql_mode := 'ANSI,TRADITIONAL'",
        "set persist a = ON, persist_only b = default", "set @@persist.a = -1, @@global.b=\"x\";",
        "set global a = 64 * 1024 * 1024, b = 2", "set global hot.key_buffer_size = 1024",
        "set global transaction isolation level read committed"}) {
    const auto one = deed(sql);
    EXPECT_TRUE(one && one->kind == Deed::Kind::set_global) << sql;
  }
  for (const char* sql :
       {"set a = 1, global b = 2", "set global a = f()", "set global a = @@b", "set global a = @b",
        "set session a = 1", "set global a = 1, session b = 2", "set @@global.a = 1, b = 2",
        "set global a = 1, @b = 2", "set global", "set global a", "set global a = (select 1)"}) {
    const auto one = deed(sql);
    EXPECT_FALSE(one && one->kind == Deed::Kind::set_global) << sql;
  }
}

TEST(MysqlHoldings, FormsThatAreNotUnderstoodAreNotFollowed) {
  for (const char* sql :
       {"create table t (i int)", "drop view v", "drop table t u", "select get_lock(@a, 1)",
        "select get_lock('a', 1) from t", "select get_lock(\"it's\", 1)", "do get_lock(\"\\'\", 1)",
        "prepare from 'x'", "handler t", "unlock", "select 1", "create temporary table",
        "drop table", "flush privileges", "lock t", ""}) {
    EXPECT_FALSE(deed(sql)) << sql;
  }
}

TEST(MysqlHoldings, OfEachKindABoundedNumber) {
  Holdings mine;
  for (std::size_t i = 0; i < Holdings::kMost; ++i) {
    EXPECT_TRUE(run(mine, "create temporary table t" + std::to_string(i) + " (i int)"));
    EXPECT_TRUE(run(mine, "prepare p" + std::to_string(i) + " from 'select 1'"));
    EXPECT_TRUE(run(mine, "handler t open h" + std::to_string(i)));
    EXPECT_TRUE(run(mine, "do get_lock('l" + std::to_string(i) + "', 1)"));
  }
  EXPECT_FALSE(run(mine, "create temporary table one_more (i int)"));
  EXPECT_FALSE(run(mine, "prepare one_more from 'select 1'"));
  EXPECT_FALSE(run(mine, "handler t open one_more"));
  EXPECT_FALSE(run(mine, "do get_lock('one more', 1)"));
}

}  // namespace
}  // namespace weirpool::protocol::mysql
