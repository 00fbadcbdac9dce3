#include "protocol/mysql/plain_query.hpp"

#include <gtest/gtest.h>

#include "protocol/mysql/capabilities.hpp"
#include "tests/protocol/mysql/wire_text.hpp"

namespace weirpool::test::mysql {
namespace {

std::string column_of(std::string_view sql, Asked what) {
  const auto query = parse_plain_query(sql);
  EXPECT_TRUE(query) << sql;
  EXPECT_TRUE(!query || query->what == what) << sql;
  return query ? query->column : "";
}

TEST(MysqlPlainQuery, FormsAndTheirColumns) {
  EXPECT_EQ(column_of("SELECT CONNECTION_ID()", Asked::connection_id), "CONNECTION_ID()");
  EXPECT_EQ(column_of("select connection_id( ) ;", Asked::connection_id), "connection_id( )");
  EXPECT_EQ(column_of("/* x */ select /* y */ connection_id() as id", Asked::connection_id), "id");
  EXPECT_EQ(column_of("select connection_id() `my id`", Asked::connection_id), "my id");
  EXPECT_EQ(column_of("select last_insert_id() as 'x y'", Asked::last_insert_id), "x y");
  EXPECT_EQ(column_of("select @@identity", Asked::last_insert_id), "@@identity");
  EXPECT_EQ(column_of("select ROW_COUNT()", Asked::row_count), "ROW_COUNT()");
  EXPECT_EQ(column_of("select found_rows() total", Asked::found_rows), "total");
  EXPECT_EQ(column_of("select @@warning_count", Asked::warning_count), "@@warning_count");
  EXPECT_EQ(column_of("select @@session.error_count n", Asked::error_count), "n");
}

TEST(MysqlPlainQuery, EverythingElseIsNot) {
  for (const char* sql :
       {"select connection_id() + 1", "select connection_id(), 1", "select connection_id",
        "select connection_id() from t", "select last_insert_id(5)",
        "select @@global.warning_count", "select connection_id() limit 0",
        "select connection_id(); select 1", "do connection_id()", "select connection_id() as",
        "select @@identity_x", "/*! select */ connection_id()", ""}) {
    EXPECT_FALSE(parse_plain_query(sql)) << sql;
  }
}

TEST(MysqlPlainQuery, ShowCount) {
  EXPECT_EQ(column_of("SHOW COUNT(*) WARNINGS", Asked::warning_count), "@@session.warning_count");
  EXPECT_EQ(column_of("show count ( * ) errors ;", Asked::error_count), "@@session.error_count");
  for (const char* sql : {"show count(*) warnings limit 1", "show count(1) errors",
                          "show count(*) tables", "show warnings", "show"}) {
    EXPECT_FALSE(parse_plain_query(sql)) << sql;
  }
}

std::string result(PlainResult from) {
  Writer out;
  from.serialize(out, 1);
  return text_of(out);
}

TEST(MysqlPlainQuery, ResultsOfBothDialects) {
  PlainResult modern;
  modern.query = {Asked::connection_id, "c"};
  modern.value = 1234;
  modern.status = 2;
  modern.capabilities = cap::deprecate_eof;
  const std::string column =
      std::string("\3def\0\0\0\1c\0\x0C\x3F\0\x15\0\0\0\x08\xA1\0\0\0\0", 23);
  EXPECT_EQ(result(modern), count(1, 1) + packet(2, column) + row(3, "1234") + end(4));
  PlainResult old = modern;
  old.capabilities = 0;
  EXPECT_EQ(result(old), count(1, 1) + packet(2, column) + eof(3) + row(4, "1234") + eof(5));
  PlainResult described = modern;
  described.capabilities |= cap::extended_metadata | cap::optional_metadata;
  EXPECT_EQ(result(described), packet(1, "\1\1") +
                                   packet(2, std::string(column).insert(9, 1, '\0')) +
                                   row(3, "1234") + end(4));
  PlainResult binary = modern;
  binary.binary = true;
  EXPECT_EQ(result(binary), count(1, 1) + packet(2, column) +
                                packet(3, std::string("\0\0\xD2\4\0\0\0\0\0\0", 10)) + end(4));
  binary.mariadb = true;
  EXPECT_NE(result(binary).find(packet(3, std::string("\0\0\xD2\4\0\0", 6))), std::string::npos);
  PlainResult negative = modern;
  negative.query.what = Asked::row_count;
  negative.value = -1;
  EXPECT_NE(result(negative).find("\2-1"), std::string::npos);
  PlainResult huge = modern;
  huge.query.what = Asked::last_insert_id;
  huge.value = -1;
  EXPECT_NE(result(huge).find("18446744073709551615"), std::string::npos);
}

TEST(MysqlPlainQuery, WhatReadsItsOwnPastInALargerStatement) {
  for (const char* sql :
       {"select row_count() + 1", "SELECT a, FOUND_ROWS() FROM t;",
        "insert into l values (row_count ( ))", "set @a = @@warning_count",
        "select @@session.error_count, 1", "get diagnostics @n = number",
        "get current diagnostics condition 1 @m = message_text", "do row_count()"}) {
    EXPECT_TRUE(reads_own_past(sql)) << sql;
  }
  for (const char* sql :
       {"select row_count from t", "select 'row_count()'", "insert into t (found_rows) values (1)",
        "create procedure p() select row_count()",
        "insert into t values (1); select row_count() = 1", "prepare s from 'select row_count()'",
        "select 'a\\'', row_count()", "get", "", "show warnings", "select @@warning_count_of_mine",
        "select warning_count from t"}) {
    EXPECT_FALSE(reads_own_past(sql)) << sql;
  }
}

}  // namespace
}  // namespace weirpool::test::mysql
