#include "proxy/scaling/signal.hpp"

#include <gtest/gtest.h>

namespace weirpool::scaling {
namespace {

constexpr double kWindow = 10;

/// A pool in windows of ten seconds.
class WatchTest : public testing::Test {
 protected:
  WatchTest() {
    reading.useful = 20;
    reading.connected = 20;
    watch.read(reading, kWindow);
  }

  /// So many transactions a second that hold a backend for so long, and so many refused besides.
  Verdict window(std::uint64_t rate, std::uint64_t held_ms, std::uint64_t shed_rate = 0) {
    const auto seconds = static_cast<std::uint64_t>(kWindow);
    reading.offered += (rate + shed_rate) * seconds;
    reading.admitted += rate * seconds;
    reading.shed += shed_rate * seconds;
    reading.lent_microseconds += rate * seconds * held_ms * 1000;
    watch.read(reading, kWindow);
    return watch.signal().verdict;
  }

  Reading reading;
  Watch watch;
};

TEST_F(WatchTest, NobodyKnowsBeforeTheFirstWindowIsOver) {
  EXPECT_EQ(watch.signal().verdict, Verdict::hold_unknown);
  EXPECT_EQ(watch.signal().reason, "starting");
  EXPECT_EQ(window(0, 0), Verdict::scale_web_ok);
}

TEST_F(WatchTest, DemandIsLittlesLaw) {
  window(100, 50);
  EXPECT_DOUBLE_EQ(watch.signal().offered_per_second, 100);
  EXPECT_DOUBLE_EQ(watch.signal().demand, 5);
  EXPECT_DOUBLE_EQ(watch.signal().saturation(), 0.25);
  // Refused work is demand as well.
  window(400, 50, 100);
  EXPECT_DOUBLE_EQ(watch.signal().demand, 25);
  EXPECT_DOUBLE_EQ(watch.signal().shed_ratio, 0.2);
}

TEST_F(WatchTest, OneBadWindowIsWeatherThreeOfFiveAreNot) {
  EXPECT_EQ(window(400, 50), Verdict::scale_web_ok);
  EXPECT_EQ(window(100, 50), Verdict::scale_web_ok);
  EXPECT_EQ(window(400, 50), Verdict::scale_web_ok);
  EXPECT_EQ(window(100, 50), Verdict::scale_web_ok);
  EXPECT_EQ(window(400, 50), Verdict::hold_database_bound);
  EXPECT_EQ(watch.signal().reason, "concurrency");
}

TEST_F(WatchTest, ItIsOverAfterTwoCalmMinutes) {
  for (int i = 0; i < 3; ++i) window(400, 50);
  for (int i = 0; i < 11; ++i) EXPECT_EQ(window(100, 50), Verdict::hold_database_bound) << i;
  EXPECT_EQ(window(100, 50), Verdict::scale_web_ok);
}

TEST_F(WatchTest, WhoShedsIsBoundHoweverIdleItLooks) {
  for (int i = 0; i < 3; ++i) window(100, 50, 5);
  EXPECT_EQ(watch.signal().verdict, Verdict::hold_database_bound);
  EXPECT_EQ(watch.signal().reason, "shedding");
}

TEST_F(WatchTest, WhatHasNotComeBackIsDemandToo) {
  reading.active = 7;
  window(0, 0);
  EXPECT_DOUBLE_EQ(watch.signal().demand, 7);
}

TEST_F(WatchTest, AServerThatCannotBeReachedIsUnknown) {
  window(100, 50);
  reading.connected = 0;
  reading.connects_failed += 3;
  EXPECT_EQ(window(0, 0), Verdict::hold_unknown);
  EXPECT_EQ(watch.signal().reason, "database_unreachable");
  reading.connected = 1;
  ++reading.connects_ok;
  EXPECT_EQ(window(100, 50), Verdict::scale_web_ok);
}

TEST_F(WatchTest, TheWaitIsThatOfTheWindow) {
  reading.wait_buckets[0] = 1000;
  window(100, 1);
  EXPECT_DOUBLE_EQ(watch.signal().wait_p95_seconds, metrics::kWaitBounds[0]);
  reading.wait_buckets[6] += 100;
  window(10, 1);
  EXPECT_DOUBLE_EQ(watch.signal().wait_p95_seconds, metrics::kWaitBounds[6]);
  reading.wait_buckets.back() += 100;
  window(10, 1);
  EXPECT_DOUBLE_EQ(watch.signal().wait_p95_seconds, metrics::kWaitBounds.back());
}

TEST_F(WatchTest, CountersThatWereForgottenBeginAnew) {
  window(100, 50);
  const double before = watch.signal().demand;
  reading.offered = reading.admitted = reading.lent_microseconds = 0;
  watch.read(reading, kWindow);
  EXPECT_DOUBLE_EQ(watch.signal().demand, before);
  window(200, 50);
  EXPECT_DOUBLE_EQ(watch.signal().demand, 10);
}

TEST(JoinedTest, OneBoundServerHoldsAll) {
  Signal fine;
  fine.verdict = Verdict::scale_web_ok;
  fine.offered_per_second = 100;
  Signal unknown;
  Signal bound = fine;
  bound.verdict = Verdict::hold_database_bound;
  bound.reason = "shedding";
  bound.shed_ratio = 0.5;
  EXPECT_EQ(joined({fine, fine}).verdict, Verdict::scale_web_ok);
  EXPECT_EQ(joined({fine, unknown}).verdict, Verdict::hold_unknown);
  EXPECT_EQ(joined({bound, unknown}).verdict, Verdict::hold_database_bound);
  EXPECT_EQ(joined({unknown, bound}).reason, "shedding");
  EXPECT_DOUBLE_EQ(joined({fine, bound}).shed_ratio, 0.25);
  EXPECT_EQ(joined({}).verdict, Verdict::hold_unknown);
}

}  // namespace
}  // namespace weirpool::scaling
