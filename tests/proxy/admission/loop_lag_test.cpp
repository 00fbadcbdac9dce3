#include "proxy/admission/loop_lag.hpp"

#include <gtest/gtest.h>

#include "config/limits.hpp"

namespace weirpool::proxy::admission {
namespace {

using std::chrono::milliseconds;

struct LoopLagTest : testing::Test {
  static constexpr milliseconds kHigh{20};

  /// The next look comes so late.
  bool late_by(milliseconds lag, milliseconds high = kHigh) {
    now = loop.due() + lag;
    EXPECT_EQ(loop.look(now, high), Duration(lag));
    return loop.behind(now, high);
  }

  TimePoint now = TimePoint(std::chrono::hours(1));
  LoopLag loop{now};
};

TEST_F(LoopLagTest, OneBurstIsNothing) {
  EXPECT_FALSE(late_by(milliseconds(5000)));
  EXPECT_FALSE(late_by(milliseconds(0)));
  EXPECT_FALSE(late_by(milliseconds(500)));
  EXPECT_FALSE(late_by(milliseconds(500)));
  EXPECT_FALSE(late_by(milliseconds(500)));
  EXPECT_FALSE(late_by(kHigh));
}

TEST_F(LoopLagTest, FourLateLooksInARowMeanThatItIsBehindUntilItIsHalfAsLate) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(late_by(kHigh + milliseconds(1))) << i;
  EXPECT_TRUE(late_by(kHigh + milliseconds(1)));
  EXPECT_TRUE(late_by(milliseconds(11)));
  EXPECT_FALSE(late_by(milliseconds(10)));
  EXPECT_FALSE(late_by(milliseconds(15)));
}

TEST_F(LoopLagTest, ALoopThatDoesNotComeToLookIsBehind) {
  now = loop.due() + kHigh + 4 * config::kLagLook;
  EXPECT_FALSE(loop.behind(now, kHigh));
  now += milliseconds(1);
  EXPECT_TRUE(loop.behind(now, kHigh));
  EXPECT_FALSE(late_by(milliseconds(0)));
}

TEST_F(LoopLagTest, WithoutAWatermarkItNeverIs) {
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(late_by(milliseconds(900), milliseconds(0))) << i;
  EXPECT_FALSE(loop.behind(now + std::chrono::hours(1), Duration::zero()));
  for (int i = 0; i < 4; ++i) late_by(milliseconds(900));
  EXPECT_TRUE(loop.behind(now, kHigh));
  EXPECT_FALSE(late_by(milliseconds(900), milliseconds(0)));
}

TEST_F(LoopLagTest, ALookBeforeItsTimeIsNotLate) {
  EXPECT_EQ(loop.look(loop.due() - milliseconds(3), kHigh), Duration::zero());
}

TEST_F(LoopLagTest, WhatComesBeforeItsBeginningDoesNotCount) {
  now += std::chrono::minutes(1);
  EXPECT_TRUE(loop.behind(now, kHigh));
  loop.begin(now);
  EXPECT_FALSE(loop.behind(now, kHigh));
  EXPECT_FALSE(late_by(milliseconds(0)));
}

}  // namespace
}  // namespace weirpool::proxy::admission
