#include "protocol/mysql/session_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weirpool::protocol::mysql {
namespace {

SessionText scan(std::string_view sql, SessionText::Mode mode = {}) {
  SessionText whole;
  whole.begin(mode);
  whole.feed(bytes_of(sql));
  whole.finish();
  SessionText slow;
  slow.begin(mode);
  for (const char& c : sql) slow.feed(bytes_of({&c, 1}));
  slow.finish();
  EXPECT_EQ(slow.pins(), whole.pins()) << sql;
  return whole;
}

std::string reason(std::string_view sql) { return std::string(reason_of(scan(sql).pins())); }

TEST(MysqlSessionText, BlindSpotsPin) {
  const std::pair<const char*, const char*> cases[] = {
      {"select 1 into  @x", "user_variable"},
      {"load data infile 'x' into table t (@x)", "user_variable"},
      {"call p(@x)", "user_variable"},
      {"SELECT@x:=1", "user_variable"},
      {"select 1 into @`x`", "user_variable"},
      {"set @'a'=1", "user_variable"},
      {"do GET_LOCK('a',1)", "named_lock"},
      {"/* c */ create /*!50000 temporary */ table t(i int)", "temporary_table"},
      {"  (lock tables t read)", "lock_tables"},
      {"flush tables with read lock", "lock_tables"},
      {"select 1; lock tables t write", "lock_tables"},
      {"/*!40000 lock tables t write */;", "lock_tables"},
      {"/*M! backup stage start */", "lock_tables"},
      {"handler t open", "handler"},
      {"prepare p from 'x'", "sql_prepare"},
      {"execute immediate 'x'", "sql_prepare"},
      {"select sql_calc_found_rows 1", "found_rows"},
      {"xa start 'a'", "xa"},
      {"begin not atomic select 1; end", "routine"},
      {"set session_track_schema=0", "session_track"},
      {"set statement max_statement_time=1 for lock tables t read", "lock_tables"},
      {"-- x\nhandler t open", "handler"},
      {"# x\nhandler t open", "handler"},
      {"/*!1*/ /*x*/ handler t open", "handler"},
      {"select 1 /*! */*2, get_lock('a',1)", "named_lock"},
      {"select `get_lock`('a',0)", "named_lock"},
      {"select 1 into /*c*/ @x", "user_variable"},
      {"select 1 into -- c\n @x", "user_variable"},
      {"select 1 /*!into*/ @x", "user_variable"},
      {"select 1.5into @x", "user_variable"},
      {"select 1--- '\n, get_lock('a',0) -- '", "named_lock"},
      {"select 1 --\x7f '\n , get_lock('a',0) -- '", "named_lock"},
      {"/*!99999 ' */ select get_lock('a',0) /* ' */", "named_lock"},
      {"/*M! ' */ select get_lock('a',0) /* ' */", "named_lock"},
      {"/*!99999 # */ select get_lock('a',0)", "named_lock"},
      {"/*!99999 -- */ select get_lock('a',0)", "named_lock"},
      {"/*!99999 /* */ select '*/', get_lock('a',0)", "named_lock"},
  };
  for (const auto& [sql, wanted] : cases) EXPECT_EQ(reason(sql), wanted) << sql;
  EXPECT_EQ(reason("call p()"), "");
}

TEST(MysqlSessionText, ASetForOneStatementIsNone) {
  for (const char* sql :
       {"set statement max_statement_time=1 for select 1",
        "/* c */ SET /* c */ STATEMENT a=1, b='for', c=-1 FOR insert into t values (1)",
        "set statement a=`for` for update t set a = 1",
        "set statement a=@b for with x as (select 1) select 2"}) {
    const SessionText text = scan(sql);
    EXPECT_TRUE(text.sets_for_itself()) << sql;
    EXPECT_FALSE(text.sets() || text.multiple() || text.sets_around_more()) << sql;
    EXPECT_EQ(text.pins(), 0u) << sql;
  }
  EXPECT_TRUE(scan("set statement a=1 for insert into t values (1)").inserts());
  EXPECT_TRUE(scan("set statement a=1 for update t set a = 1").only_updates());
  for (const char* sql :
       {"set statement a=1 for set b=2", "set statement a=1 for call p()",
        "set statement a=1 for select 1; select 2", "set statement a=1 for execute p"}) {
    EXPECT_FALSE(scan(sql).sets_for_itself()) << sql;
    EXPECT_TRUE(scan(sql).sets_around_more()) << sql;
  }
  for (const char* sql :
       {"set statement=1", "set @statement=1, b=(select 1 for update)", "set a=1, statement=2",
        "set statement a=(select 1 from t for update) for select 1", "set `x` statement a=1"}) {
    const SessionText text = scan(sql);
    EXPECT_TRUE(text.sets()) << sql;
    EXPECT_FALSE(text.sets_for_itself()) << sql;
  }
  EXPECT_FALSE(scan("set statement a=1 for select 1", {.everything = true}).sets_for_itself());
  EXPECT_TRUE(scan("set c=1; set statement a=1 for select 1").sets());
}

TEST(MysqlSessionText, OrdinaryStatementsDoNot) {
  for (const char* sql : {"select 'a@b', \"get_lock\", `temporary` from t -- @x",
                          "select * from t lock in share mode",
                          "create table t(i int)",
                          "select 1 # get_lock(",
                          "select /* @x get_lock */ 1",
                          "insert into t values ('it''s @x', 'a\\'@x')",
                          "grant select on a to 'u'@'h'",
                          "create definer=`u`@`h` view v as select 1",
                          "select @@sql_mode",
                          "select @x",
                          "insert into t values (@x)",
                          "select @a, b = @c",
                          "flush privileges",
                          "update t set a=1-1",
                          "select 4--1",
                          "call p()",
                          "select 1*/*x*/2",
                          "set names utf8mb4",
                          "select * from xa join call_log",
                          "select 1into, @x from `temporary`",
                          "select `a``b`, `lock` from `tables`"}) {
    EXPECT_EQ(reason(sql), "") << sql;
  }
}

TEST(MysqlSessionText, ModesDecideWhereStringsEnd) {
  const char* sql = "select 'a\\', get_lock('x', 1), ' '";
  EXPECT_EQ(scan(sql).pins(), 0u);
  EXPECT_NE(scan(sql, {.backslash_escapes = false}).pins(), 0u);
  const char* ansi = "select \"a\\\", get_lock('x', 1)";
  EXPECT_EQ(scan(ansi).pins(), 0u);
  EXPECT_NE(scan(ansi, {.ansi_quotes = true}).pins(), 0u);
  EXPECT_NE(scan("select \"get_lock\"(1)", {.ansi_quotes = true}).pins(), 0u);
  EXPECT_NE(scan("select 'get_lock('", {.everything = true}).pins(), 0u);
  EXPECT_NE(scan("select /*!50000get_lock*/('a', 0)", {.everything = true}).pins(), 0u);
}

TEST(MysqlSessionText, WhatIsWorthFollowing) {
  for (const char* sql :
       {"set @a=1", "set a=1", "drop table t", "unlock tables", "deallocate prepare p",
        "select release_all_locks()", "create temporary table t (i int)"}) {
    EXPECT_TRUE(scan(sql).worth_following()) << sql;
  }
  for (const char* sql : {"select 1", "select @x", "insert into t values (1)"}) {
    EXPECT_FALSE(scan(sql).worth_following()) << sql;
  }
  EXPECT_TRUE(scan("select release_lock('a')").releases_lock());
}

TEST(MysqlSessionText, Findings) {
  EXPECT_TRUE(scan(" SET a=1").starts_with_set());
  EXPECT_TRUE(scan("use x").starts_with_use());
  EXPECT_FALSE(scan("select 1; set a=1").starts_with_set());
  EXPECT_TRUE(scan("select 1; set a=1").sets());
  EXPECT_TRUE(scan("select 1; set a=1").multiple());
  EXPECT_FALSE(scan("select 1; ").multiple());
  EXPECT_TRUE(scan("kill query 5").kills());
  EXPECT_FALSE(scan("select kill").kills());
  const SessionText::Mode everything{.everything = true};
  for (const char* sql :
       {"kill 1", "select 1; kill 1", "/* c */ kill 1", "-- c\nkill 1", "/*!50000kill*/ 1"}) {
    EXPECT_TRUE(scan(sql, everything).kills()) << sql;
  }
  EXPECT_FALSE(scan("insert into film values ('Kill Bill')", everything).kills());
  EXPECT_TRUE(scan("select `last_insert_id`(5)").sets_last_insert_id());
  EXPECT_TRUE(scan("call p").calls());
  EXPECT_TRUE(scan("select LAST_INSERT_ID()").reads_last_insert_id());
  EXPECT_FALSE(scan("select LAST_INSERT_ID( )").sets_last_insert_id());
  EXPECT_TRUE(scan("update t set i=last_insert_id (i+1)").sets_last_insert_id());
  EXPECT_TRUE(scan("select @@identity").reads_last_insert_id());
  EXPECT_TRUE(scan("show count(*) warnings").reads_diagnostics());
  EXPECT_TRUE(scan("get diagnostics a=number").reads_diagnostics());
  EXPECT_FALSE(scan("select errors from t").reads_diagnostics());
  EXPECT_TRUE(scan("set names x collate y").hides_collation());
  EXPECT_FALSE(scan("set names x").hides_collation());
  for (std::size_t n = 28; n < 100; ++n) EXPECT_FALSE(scan(std::string(n, 's')).sets());
}

TEST(MysqlSessionText, OneStatementOrSetsAlone) {
  for (const char* sql : {"select 1", "set a = 1; SET b = 2", "set a=1;set b=2;",
                          "/* x */ set a=1;\n"
                          " -- y\n set b=2"}) {
    EXPECT_TRUE(scan(sql).one_or_sets()) << sql;
  }
  for (const char* sql :
       {"set a = 1; select 1", "select 1; set a = 1", "set a=1; use b", "set a=1; (select 1)",
        "set statement a=1 for select 1; select 2", "set a=1; sets b"}) {
    EXPECT_FALSE(scan(sql).one_or_sets()) << sql;
  }
  EXPECT_FALSE(scan("set a=1; set b=1", {.everything = true}).one_or_sets());
}

}  // namespace
}  // namespace weirpool::protocol::mysql
