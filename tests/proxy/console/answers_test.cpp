#include "proxy/console/answers.hpp"

#include <gtest/gtest.h>

#include "tests/proxy/console/report_fixture.hpp"

namespace weirpool::console {
namespace {

std::optional<Answer> at_once(const std::string& text, Role role, bool describe = false) {
  protocol::console::Request request;
  request.text = text;
  request.describe = describe;
  return answer_at_once(parse(text), request, role);
}

TEST(AnswersTest, RolesComeFromTheConfiguration) {
  const Report report = sample_report();
  EXPECT_EQ(role_of(*report.config, "ann"), Role::admin);
  EXPECT_EQ(role_of(*report.config, "bob"), Role::stats);
  EXPECT_EQ(role_of(*report.config, "eve"), Role::none);
}

TEST(AnswersTest, WhoOnlyWatchesChangesNothing) {
  for (const char* text :
       {"PAUSE", "RESUME", "RELOAD", "KILL app", "KILL_CLIENT 1", "RECONNECT", "SHUTDOWN",
        "DISABLE a", "ENABLE a", "WAIT_CLOSE", "SUSPEND", "SET x = 1"}) {
    ASSERT_TRUE(at_once(text, Role::stats)) << text;
    EXPECT_EQ(at_once(text, Role::stats)->error, "admin access needed") << text;
    EXPECT_EQ(at_once(text, Role::stats, true)->error, "admin access needed") << text;
    EXPECT_FALSE(at_once(text, Role::admin)) << text;
  }
  EXPECT_FALSE(at_once("SHOW POOLS", Role::stats));
  // Nor does it see what others' statements say, or where their connections are.
  for (const char* text : {"SHOW FDS", "SHOW PREPARED_STATEMENTS"}) {
    EXPECT_EQ(at_once(text, Role::stats)->error, "admin access needed") << text;
    EXPECT_FALSE(at_once(text, Role::admin)) << text;
  }
  EXPECT_EQ(at_once("SHOW POOLS", Role::none)->error, "not allowed");
  EXPECT_EQ(at_once("SET datestyle = ISO", Role::stats)->tag, "SET");
}

TEST(AnswersTest, WhatIsNoCommandIsSaidAsPgbouncerSaysIt) {
  EXPECT_EQ(at_once("FROB x", Role::admin)->error, "invalid command 'FROB x', use SHOW HELP;");
  EXPECT_EQ(at_once("SHOW FD", Role::admin)->sqlstate, "08P01");
  EXPECT_EQ(at_once("SUSPEND shop", Role::admin)->sqlstate, "08P01");
}

TEST(AnswersTest, FdsAreForAdminsAndNoneIsHandedOver) {
  EXPECT_EQ(at_once("SHOW FDS", Role::stats)->error, "admin access needed");
  EXPECT_EQ(at_once("SHOW FDS", Role::stats, true)->error, "admin access needed");
  EXPECT_FALSE(at_once("SHOW FDS", Role::admin));
  const Answer answer = table_of(*find_show("FDS"), sample_report());
  EXPECT_EQ(answer.table.columns.size(), 15U);
  EXPECT_EQ(answer.table.columns.back(), (Column{"scram_server_key", Type::bytes}));
  EXPECT_TRUE(answer.table.rows.empty());
}

TEST(AnswersTest, ConstantsAndHelp) {
  const auto one = at_once("SELECT 1", Role::stats);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->table.rows[0][0], "1");
  EXPECT_NE(at_once("SHOW HELP", Role::stats)->notice_detail.find("SHOW HELP|POOLS"),
            std::string::npos);
}

TEST(AnswersTest, DescribeNeedsNoReport) {
  const auto pools = at_once("SHOW POOLS", Role::stats, true);
  ASSERT_TRUE(pools);
  EXPECT_EQ(pools->table.columns.size(), 17U);
  EXPECT_TRUE(pools->table.rows.empty());
  EXPECT_TRUE(at_once("PAUSE", Role::admin, true)->table.columns.empty());
}

TEST(AnswersTest, TablesAndJson) {
  const Answer answer = table_of(*find_show("VERSION"), sample_report());
  EXPECT_EQ(answer.tag, "SHOW");
  EXPECT_EQ(json_of(answer.table), "[{\"version\":\"PgBouncer 1.25.2 (weirpool 9.9)\"}]");
  Table table;
  table.columns = {{"n", Type::int8}, {"t", Type::text}};
  table.rows = {{"5", "5"}, {std::nullopt, "\xFF"}};
  EXPECT_EQ(json_of(table), "[{\"n\":5,\"t\":\"5\"},{\"n\":null,\"t\":\"\xEF\xBF\xBD\"}]");
}

}  // namespace
}  // namespace weirpool::console
