// SHOW STATS and its parts, proxy/console/show_stats.cpp.
#include <gtest/gtest.h>

#include "tests/proxy/console/report_fixture.hpp"

namespace weirpool::console {
namespace {

TEST(ShowStatsTest, TotalsInTheOrderOfTheWire) {
  const Rows rows = stats_totals(sample_report());
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(line(rows[0]), "app|200|200|400|2000|4000|100000|80000|1000000|10|8|6");
  EXPECT_EQ(line(rows[1]), "pgbouncer|0|0|0|0|0|0|0|0|0|0|0");
}

TEST(ShowStatsTest, AveragesAreOfTheLastPeriod) {
  Report report = sample_report();
  EXPECT_EQ(line(stats_averages(report)[0]), "app|0|0|0|0|0|0|0|0|0|0|0") << "no period yet";
  report.period.newer = stats_of(report.numbers);
  report.period.older = report.period.newer;
  Stats& older = report.period.older["app"];
  older.transactions -= 100;
  older.queries -= 200;
  older.assignments -= 50;
  older.received -= 1000;
  older.transaction_time -= 5000;
  older.query_time -= 4000;
  older.wait_time -= 100;
  report.period.seconds = 10;
  EXPECT_EQ(line(stats_averages(report)[0]), "app|5|10|20|100|0|50|20|2|0|0|0");
  EXPECT_EQ(line(stats(report)[0]),
            "app|200|200|400|2000|4000|100000|80000|1000000|10|8|6|5|10|20|100|0|50|20|2|0|0|0");
  const Rows all = totals(report);
  ASSERT_EQ(all.size(), 22U);
  EXPECT_EQ(line(all[1]), "total_xact_count|200");
  EXPECT_EQ(line(all[12]), "avg_xact_count|10");
}

}  // namespace
}  // namespace weirpool::console
