#include <gtest/gtest.h>

#include "tests/proxy/console/report_fixture.hpp"

namespace weirpool::console {
namespace {

TEST(ShowScalingTest, EverythingThenServersThenPools) {
  Report report = sample_report();
  scaling::Signal signal;
  signal.offered_per_second = 100;
  signal.demand = 5;
  signal.useful = 20;
  signal.wait_p95_seconds = 0.0025;
  signal.sources = 4;
  signal.verdict = scaling::Verdict::scale_web_ok;
  signal.reason = "none";
  report.scaling.whole = signal;
  report.scaling.servers["shop"] = signal;
  report.scaling.pools[{"shop", "app", "ann"}] = signal;
  const Rows rows = scaling_signals(report);
  ASSERT_EQ(rows.size(), 3U);
  const std::string numbers = "|scale_web_ok|none|100.0000|5.0000|20.0000|0.2500|0.0025|0.0000|4";
  EXPECT_EQ(line(rows[0]), "whole|||" + numbers);
  EXPECT_EQ(line(rows[1]), "backend|shop||" + numbers);
  EXPECT_EQ(line(rows[2]), "pool|shop|app|ann" + numbers);
  EXPECT_EQ(rows[0].size(), find_show("SCALING")->columns.size());
}

TEST(ShowScalingTest, BeforeTheFirstWindowNobodyKnows) {
  const Rows rows = scaling_signals(sample_report());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0][4], "hold_unknown");
  EXPECT_EQ(rows[0][5], "starting");
}

}  // namespace
}  // namespace weirpool::console
