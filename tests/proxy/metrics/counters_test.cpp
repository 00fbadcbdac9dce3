#include "proxy/metrics/counters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace weirpool::metrics {
namespace {

TEST(Counters, CountAndGauge) {
  Counter counter;
  counter.add(2);
  counter.add(3);
  EXPECT_EQ(counter.get(), 5U);
  Gauge gauge;
  gauge.add(2);
  gauge.add(-3);
  EXPECT_EQ(gauge.get(), -1);
  gauge.set(7);
  EXPECT_EQ(gauge.get(), 7);
}

TEST(Counters, BoundsAreInclusiveAndTheLastBucketTakesTheRest) {
  EXPECT_TRUE(std::is_sorted(kWaitBounds.begin(), kWaitBounds.end()));
  Histogram histogram;
  histogram.observe(0);
  histogram.observe(0.0001);
  histogram.observe(0.00011);
  histogram.observe(30);
  histogram.observe(31);
  EXPECT_EQ(histogram.bucket(0), 2U);
  EXPECT_EQ(histogram.bucket(1), 1U);
  EXPECT_EQ(histogram.bucket(kWaitBuckets - 2), 1U);
  EXPECT_EQ(histogram.bucket(kWaitBuckets - 1), 1U);
  EXPECT_DOUBLE_EQ(histogram.sum(), 61.00021);
}

TEST(Counters, LabelsAreDistinct) {
  const std::set<std::string_view> reasons(kCloseReasonLabels.begin(), kCloseReasonLabels.end());
  EXPECT_EQ(reasons.size(), kCloseReasons);
  EXPECT_FALSE(reasons.contains(""));
}

TEST(Counters, ReasonsAreCountedApartUpToTheirBound) {
  ReasonCounters counters;
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i <= ReasonCounters::kReasons; ++i) {
    reasons.push_back("reason" + std::to_string(i));
  }
  for (int round = 0; round < 2; ++round) {
    for (const std::string& reason : reasons) counters.add(reason);
  }
  std::size_t seen = 0;
  counters.visit([&](std::string_view reason, std::uint64_t count) {
    EXPECT_EQ(reason, reasons[seen++]);
    EXPECT_EQ(count, 2U);
  });
  EXPECT_EQ(seen, ReasonCounters::kReasons);
}

}  // namespace
}  // namespace weirpool::metrics
