#include "protocol/postgres/session_check.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "protocol/postgres/sql_statements.hpp"
#include "tests/protocol/postgres/wire_text.hpp"

namespace weirpool::protocol::postgres {
namespace {

BackendParameters in_utc() {
  BackendParameters backend;
  backend.report("TimeZone", "UTC");
  backend.login_finished();
  return backend;
}

TEST(SessionCheck, RowsAreReadExactly) {
  const std::string message = test::pg::row_of({"a", std::nullopt, ""});
  const std::string payload = message.substr(5);
  const auto row = parse_row(bytes_of(payload));
  ASSERT_TRUE(row);
  EXPECT_EQ(*row, (Row{"a", std::nullopt, ""}));
  for (std::size_t size = 0; size < payload.size(); ++size) {
    EXPECT_FALSE(parse_row(bytes_of(payload).first(size))) << size;
  }
  EXPECT_FALSE(parse_row(bytes_of(payload + "x")));
}

TEST(SessionCheck, AsksOnlyWhatIsNotKnown) {
  ProfileCatalog catalog;
  SessionCheck check;
  check.touch("timezone", false);
  EXPECT_EQ(check.query(in_utc(), *catalog.of({})), "");
  EXPECT_EQ(check.over({}), Effects{0});
  check.touch("a.b", false);
  EXPECT_EQ(check.query(in_utc(), *catalog.of({})),
            "SELECT pg_catalog.current_setting('a.b',true)");
  EXPECT_EQ(check.over({}), std::nullopt);
}

TEST(SessionCheck, PinsComeFirst) {
  ProfileCatalog catalog;
  SessionCheck check;
  check.verify(std::numeric_limits<Effects>::max());
  check.touch("a", true);
  const std::string text = check.query(in_utc(), *catalog.of({}));
  EXPECT_EQ(text.find("SELECT EXISTS("), 0U);
  EXPECT_EQ(check.over({"t", "f", "f", "t", "t", "x"}), kPinWithHold | kPinTemporary);
  EXPECT_EQ(check.over({"t", "f", "f", std::nullopt, "t", "x"}), std::nullopt);
  EXPECT_EQ(check.parameters().at(0).column, 5U);
  EXPECT_TRUE(check.lists());
  EXPECT_EQ(check.results_before_list(), 1U);
  EXPECT_NE(text.find(";SELECT name,statement FROM"), std::string::npos);
}

TEST(SessionCheck, WhatIsPreparedIsListed) {
  ProfileCatalog catalog;
  SessionCheck check;
  EXPECT_FALSE(check.lists());
  check.verify(kPinPrepare);
  EXPECT_EQ(check.query(in_utc(), *catalog.of({})),
            "SELECT name,statement FROM pg_catalog.pg_prepared_statements WHERE from_sql LIMIT 65");
  EXPECT_EQ(check.results_before_list(), 0U);
  EXPECT_EQ(check.over({}), Effects{0});
}

TEST(SessionCheck, WhatHasBeenPreparedIsRemembered) {
  SessionCheck check;
  check.prepares("a");
  EXPECT_TRUE(check.has_prepared("a"));
  EXPECT_FALSE(check.has_prepared("b"));
  EXPECT_FALSE(check.may_have_muddled("a"));
  check.muddle();
  EXPECT_FALSE(check.has_prepared("a"));
  EXPECT_TRUE(check.may_have_muddled("a"));
  EXPECT_FALSE(check.may_have_muddled("b"));
  check.prepares(std::string(kMaxSqlBytes, 'x'));
  EXPECT_TRUE(check.may_have_muddled("b"));
  SessionCheck other;
  other.prepares("a");
  other.relies_on_settings();
  EXPECT_TRUE(other.has_prepared("a"));
  other.rolled_back();
  EXPECT_FALSE(other.has_prepared("a"));
}

TEST(SessionCheck, AResetIsOneOnlyIfNothingElseWasDone) {
  SessionCheck check;
  check.touch("a", true);
  check.touch("a", true);
  EXPECT_TRUE(check.parameters().at(0).reset);
  check.touch("a", false);
  check.touch("a", true);
  EXPECT_FALSE(check.parameters().at(0).reset);
  EXPECT_TRUE(check.touched("a"));
  EXPECT_FALSE(check.touched("b"));
}

TEST(SessionCheck, TheSourceMattersOnlyBehindARollback) {
  ProfileCatalog catalog;
  SessionCheck check;
  check.touch("work_mem", false);
  check.touch("role", false);
  check.touch("a.b", false);
  EXPECT_EQ(check.query(in_utc(), *catalog.of({})).find("pg_settings"), std::string::npos);
  check.rolled_back();
  const std::string text = check.query(in_utc(), *catalog.of({}));
  EXPECT_EQ(text.find("pg_settings"), text.rfind("pg_settings"));
  EXPECT_NE(text.find("pg_settings"), std::string::npos);
  EXPECT_EQ(check.query(in_utc(), *catalog.of({{"work_mem", "1"}})).find("pg_settings"),
            std::string::npos);
}

}  // namespace
}  // namespace weirpool::protocol::postgres
