#include "proxy/admission/overload_detector.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy::admission {
namespace {

using std::chrono::milliseconds;

constexpr Duration kTarget = milliseconds(5);
constexpr Duration kInterval = milliseconds(100);

struct Line {
  void look(int at, int oldest_wait) {
    detector.observe(start + milliseconds(at), milliseconds(oldest_wait), kTarget, kInterval);
  }
  TimePoint start = TimePoint(std::chrono::hours(1));
  OverloadDetector detector;
};

TEST(OverloadDetectorTest, AWaitAboveTheTargetForAWholeIntervalIsOverload) {
  Line line;
  line.look(0, 6);
  for (int at = 10; at < 100; at += 10) {
    line.look(at, 6 + at);
    EXPECT_FALSE(line.detector.overloaded()) << at;
  }
  line.look(100, 106);
  EXPECT_TRUE(line.detector.overloaded());
}

TEST(OverloadDetectorTest, ABurstThatIsWorkedOffIsNone) {
  Line line;
  line.look(0, 0);
  for (int at = 10; at < 90; at += 10) line.look(at, 80);
  line.look(95, 3);
  line.look(100, 80);
  EXPECT_FALSE(line.detector.overloaded());
}

TEST(OverloadDetectorTest, ItEndsWithTheFirstIntervalThatReachesTheTarget) {
  Line line;
  for (int at = 0; at <= 100; at += 10) line.look(at, 50);
  ASSERT_TRUE(line.detector.overloaded());
  line.look(150, 0);
  EXPECT_TRUE(line.detector.overloaded());
  line.look(200, 50);
  EXPECT_FALSE(line.detector.overloaded());
}

TEST(OverloadDetectorTest, SilenceMeansThatNobodyWaited) {
  Line line;
  for (int at = 0; at <= 100; at += 10) line.look(at, 50);
  ASSERT_TRUE(line.detector.overloaded());
  line.look(100'000, 6);
  EXPECT_FALSE(line.detector.overloaded());
}

TEST(OverloadDetectorTest, WhatIsForgottenDoesNotCount) {
  Line line;
  for (int at = 0; at <= 100; at += 10) line.look(at, 50);
  line.detector.forget(line.start + milliseconds(110), kInterval);
  EXPECT_FALSE(line.detector.overloaded());
  line.look(150, 50);
  line.look(210, 50);
  EXPECT_FALSE(line.detector.overloaded());
}

}  // namespace
}  // namespace weirpool::proxy::admission
