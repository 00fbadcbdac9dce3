// SHOW CONFIG, LISTS and the rest, proxy/console/show_self.cpp.
#include <gtest/gtest.h>

#include <algorithm>

#include "proxy/log/log.hpp"
#include "tests/proxy/console/report_fixture.hpp"

namespace weirpool::console {
namespace {

bool has(const Rows& rows, const std::string& wanted) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const auto& row) { return line(row) == wanted; });
}

TEST(ShowSelfTest, SettingsCarryPgbouncersNamesAndNoSecrets) {
  Report report = sample_report();
  auto config = std::make_shared<config::Config>(*report.config);
  config->users["ann"].password.value = config::Secret("hush");
  report.config = config;
  const Rows rows = settings(report);
  EXPECT_TRUE(has(rows, "max_client_conn|500|10000|yes"));
  EXPECT_TRUE(has(rows, "max_user_connections|0|0|no") ||
              has(rows, "max_user_connections|0|0|yes"));
  for (const auto& row : rows) EXPECT_EQ(line(row).find("hush"), std::string::npos) << line(row);
}

TEST(ShowSelfTest, ListsHaveTheRowsOfPgbouncerAndNoOthers) {
  const Rows rows = lists(sample_report());
  std::string names;
  for (const auto& row : rows) names += *row[0] + " ";
  EXPECT_EQ(names,
            "databases users peers pools peer_pools free_clients used_clients login_clients "
            "free_servers used_servers dns_names dns_zones dns_queries dns_pending ");
  EXPECT_TRUE(has(rows, "databases|2"));
  EXPECT_TRUE(has(rows, "used_clients|10"));
  EXPECT_TRUE(has(rows, "free_servers|2"));
  EXPECT_TRUE(has(rows, "used_servers|10"));
}

TEST(ShowSelfTest, TheShortOnes) {
  Report report = sample_report();
  report.paused = report.suspended = true;
  report.statements.push_back({"postgresql", "weirpool_1", "select 1", 2});
  report.sizes.push_back({"client", 100, 2});
  EXPECT_EQ(line(version(report)[0]), "PgBouncer 1.25.2 (weirpool 9.9)");
  EXPECT_TRUE(has(state(report), "active|no"));
  EXPECT_TRUE(has(state(report), "paused|yes"));
  EXPECT_TRUE(has(state(report), "suspended|yes"));
  EXPECT_TRUE(has(status(report), "clients|10"));
  EXPECT_TRUE(has(status(report), "backends_limit|20"));
  EXPECT_EQ(line(memory(report)[0]), "client|100|2|0|200");
  EXPECT_EQ(line(prepared_statements(report)[0]), "postgresql|weirpool_1|select 1|2");
  EXPECT_TRUE(has(users(report), "ann|||~|0|12|0|14"));
  EXPECT_TRUE(has(users(report), "bob|||~|0|0|0|0"));
  EXPECT_TRUE(no_rows(report).empty());
}

TEST(ShowSelfTest, UsersHaveTheBoundsThatHold) {
  Report report = sample_report();
  auto config = std::make_shared<config::Config>(*report.config);
  config->pool.max_user_connections = 7;
  config->limits.max_user_client_connections = 8;
  config->users["bob"].max_user_connections = 3;
  config->users["bob"].pool_size = 2;
  report.config = config;
  EXPECT_TRUE(has(users(report), "ann|||~|7|12|8|14"));
  EXPECT_TRUE(has(users(report), "bob|2||~|3|0|8|0"));
}

TEST(ShowSelfTest, EventsAreTheLastOnes) {
  log::event(log::Level::warn, "something_happened", "words", {{"n", 3}});
  const Rows rows = events(sample_report());
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows.back()[2], "something_happened");
  EXPECT_EQ(rows.back()[4], "{\"n\":3}");
}

}  // namespace
}  // namespace weirpool::console
