#include "proxy/console/report.hpp"

#include <gtest/gtest.h>

#include "tests/proxy/console/report_fixture.hpp"

namespace weirpool::console {
namespace {

TEST(ReportTest, StatsAreSummedByDatabase) {
  const Report report = sample_report();
  const auto all = stats_of(report.numbers);
  ASSERT_EQ(all.size(), 1U);
  const Stats& app = all.at("app");
  EXPECT_EQ(app.assignments, 200U);
  EXPECT_EQ(app.transactions, 200U);
  EXPECT_EQ(app.queries, 400U);
  EXPECT_EQ(app.received, 2000U);
  EXPECT_EQ(app.sent, 4000U);
  EXPECT_EQ(app.wait_time, 1'000'000U);
  EXPECT_EQ(app.transaction_time, 100'000U);
  EXPECT_EQ(app.query_time, 80'000U);
  EXPECT_EQ(app.client_parses, 10U);
  EXPECT_EQ(app.binds, 6U);
}

}  // namespace
}  // namespace weirpool::console
