// SHOW POOLS and its relatives, proxy/console/show_pools.cpp.
#include <gtest/gtest.h>

#include "tests/proxy/console/report_fixture.hpp"

namespace weirpool::console {
namespace {

TEST(ShowPoolsTest, ServersThatHaveTheSameDatabaseAreOneRow) {
  const Rows rows = pools(sample_report());
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(line(rows[0]), "app|ann|10|4|0|0|6|0|0|2|0|2|2|3|250000|transaction|~");
  EXPECT_EQ(line(rows[1]), "pgbouncer|pgbouncer|1|0|0|0|0|0|0|0|0|0|0|0|0|statement|~");
}

TEST(ShowPoolsTest, ExtendedKeepsThemApart) {
  Report report = sample_report();
  Link pinned;
  pinned.backend = "shop";
  pinned.database = "app";
  pinned.user = "ann";
  pinned.pin = "listen";
  report.clients.push_back(pinned);
  const Rows rows = pools_extended(report);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(line(rows[1]),
            "shop|postgresql|app|ann|5|2|1|3|1|1|1|0|5|20|3250000|100|2500|2500|100|200|0|0|0|0|0");
  EXPECT_EQ(rows[0][1], std::nullopt) << "a server that the configuration no longer has";
}

TEST(ShowPoolsTest, DatabasesSayWhetherTheyAreHeldOrDisabled) {
  Report report = sample_report();
  report.paused_databases = {"app"};
  report.disabled_databases = {"old"};
  const Rows rows = databases(report);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(line(rows[0]), "app|~|5432|app|~|20|0|0|0|transaction|~|20|12|0|14|1|0");
  EXPECT_EQ(line(rows[1]), "old|~|0|old|~|0|0|0|0|transaction|~|0|0|0|0|0|1");
  EXPECT_EQ(rows[2][0], "pgbouncer");
}

TEST(ShowPoolsTest, Backends) {
  const Rows rows = backends(sample_report());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(line(rows[0]), "shop|postgresql|db.example.com|5432|5|20|16|2");
}

}  // namespace
}  // namespace weirpool::console
