#include "proxy/metrics/counters.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

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

}  // namespace
}  // namespace weirpool::metrics
