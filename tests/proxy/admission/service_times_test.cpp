#include "proxy/admission/service_times.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy::admission {
namespace {

using std::chrono::milliseconds;

TEST(ServiceTimesTest, NothingSeenPredictsNothing) {
  ServiceTimes times;
  EXPECT_FALSE(times.known());
  EXPECT_EQ(times.mean(), Duration::zero());
  EXPECT_EQ(times.quantile(0.5), Duration::zero());
}

TEST(ServiceTimesTest, TheFirstOnesAreAveragedPlainly) {
  ServiceTimes times;
  for (int i = 1; i <= 9; ++i) times.record(milliseconds(i));
  EXPECT_TRUE(times.known());
  EXPECT_NEAR(seconds(times.mean()), 0.005, 1e-6);
}

TEST(ServiceTimesTest, QuantilesAreWithinAFifthAbove) {
  ServiceTimes times;
  for (int i = 1; i <= 1000; ++i) times.record(std::chrono::microseconds(i * 100));
  const double median = seconds(times.quantile(0.5));
  EXPECT_GE(median, 0.05);
  EXPECT_LE(median, 0.05 * 1.26);
  const double tail = seconds(times.quantile(0.99));
  EXPECT_GE(tail, 0.099);
  EXPECT_LE(tail, 0.099 * 1.26);
}

TEST(ServiceTimesTest, WhatWasLongAgoFades) {
  ServiceTimes times;
  for (int i = 0; i < 2000; ++i) times.record(milliseconds(100));
  for (int i = 0; i < 300; ++i) times.record(milliseconds(1));
  EXPECT_NEAR(seconds(times.mean()), 0.001, 0.002);
  for (int i = 0; i < 5000; ++i) times.record(milliseconds(1));
  EXPECT_LE(times.quantile(0.95), milliseconds(2));
}

TEST(ServiceTimesTest, ExtremesStayInTheOuterBuckets) {
  ServiceTimes times;
  times.record(Duration(-5));
  EXPECT_GT(times.quantile(0.5), Duration::zero());
  for (int i = 0; i < 10; ++i) times.record(std::chrono::hours(24 * 365));
  EXPECT_GT(times.quantile(0.9), std::chrono::minutes(30));
}

}  // namespace
}  // namespace weirpool::proxy::admission
