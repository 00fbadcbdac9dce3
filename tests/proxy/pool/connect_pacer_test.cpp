#include "proxy/pool/connect_pacer.hpp"

#include <gtest/gtest.h>

#include "config/limits.hpp"

namespace weirpool::proxy {
namespace {

using std::chrono::milliseconds;
using Outcome = ConnectPacer::Outcome;

/// A server in simulated time.
class ConnectPacerTest : public testing::Test {
 protected:
  bool begin() { return pacer_.begin(now_, limits_); }
  void end(Outcome outcome, milliseconds took = milliseconds(10)) {
    pacer_.ended(outcome, now_, took, limits_);
  }
  /// One attempt as soon as it is allowed.
  void attempt(Outcome outcome, milliseconds took = milliseconds(10)) {
    wait();
    ASSERT_TRUE(begin());
    now_ += took;
    end(outcome, took);
  }
  void wait() { now_ = std::max(now_, pacer_.again_at(now_, limits_)); }
  /// How many can be opened from now on within `time`, one after the other, each at once.
  int opened_within(milliseconds time) {
    const TimePoint until = now_ + time;
    int count = 0;
    for (;;) {
      wait();
      if (now_ >= until) return count;
      EXPECT_TRUE(begin());
      end(Outcome::connected, milliseconds(0));
      ++count;
    }
  }
  void fail_for(milliseconds time) {
    const TimePoint until = now_ + time;
    while (now_ < until) attempt(Outcome::failed, milliseconds(1));
  }

  TimePoint now_ = TimePoint{} + std::chrono::hours(1);
  ConnectPacer::Limits limits_{4, 50, milliseconds(100), milliseconds(800), milliseconds(3000)};
  ConnectPacer pacer_;
};

TEST_F(ConnectPacerTest, FewAtOnce) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(begin());
  EXPECT_FALSE(begin());
  EXPECT_GT(pacer_.again_at(now_, limits_), now_);
  end(Outcome::connected);
  EXPECT_TRUE(begin());
}

TEST_F(ConnectPacerTest, ABurstAndThenTheRate) {
  EXPECT_NEAR(opened_within(milliseconds(1000)), 8 + 49, 1);
  EXPECT_NEAR(opened_within(milliseconds(1000)), 50, 1);
  now_ += milliseconds(10'000);
  EXPECT_NEAR(opened_within(milliseconds(100)), 8 + 4, 1) << "a rest is no bigger burst";
}

TEST_F(ConnectPacerTest, AFullServerHalvesThePaceAndSecondsBringItBack) {
  attempt(Outcome::full);
  EXPECT_EQ(pacer_.share(), 0.5);
  attempt(Outcome::full);
  EXPECT_EQ(pacer_.share(), 0.5) << "one bad moment is one halving";
  EXPECT_EQ(pacer_.circuit(), Circuit::closed);
  now_ += config::kConnectStep;
  attempt(Outcome::full);
  EXPECT_LT(pacer_.share(), 0.5);
  for (int second = 0; second < 8; ++second) {
    now_ += config::kConnectStep;
    attempt(Outcome::connected);
  }
  EXPECT_FALSE(pacer_.throttled());
}

TEST_F(ConnectPacerTest, AServerThatSlowsDownIsAskedLess) {
  for (int i = 0; i < 20; ++i) attempt(Outcome::connected, milliseconds(15));
  EXPECT_FALSE(pacer_.throttled());
  for (int i = 0; i < 2; ++i) attempt(Outcome::connected, milliseconds(30));
  EXPECT_FALSE(pacer_.throttled()) << "twice as long happens";
  for (int i = 0; i < 4; ++i) attempt(Outcome::connected, milliseconds(120));
  EXPECT_TRUE(pacer_.throttled());
}

TEST_F(ConnectPacerTest, WhatIsQuickAnywayIsNotSlow) {
  for (int i = 0; i < 20; ++i) attempt(Outcome::connected, milliseconds(1));
  for (int i = 0; i < 20; ++i) attempt(Outcome::connected, milliseconds(15));
  EXPECT_FALSE(pacer_.throttled());
}

TEST_F(ConnectPacerTest, AttemptsThatFailTogetherAreOneFailure) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(begin());
  for (int i = 0; i < 4; ++i) end(Outcome::failed);
  const TimePoint retry = pacer_.again_at(now_, limits_);
  EXPECT_GE(retry, now_ + milliseconds(80));
  EXPECT_LE(retry, now_ + milliseconds(100));
}

TEST_F(ConnectPacerTest, PausesGrowToTheirBoundWithOneAttemptEach) {
  attempt(Outcome::failed);
  for (int pause = 200; pause <= 3200; pause *= 2) {
    EXPECT_FALSE(begin());
    wait();
    EXPECT_TRUE(begin());
    EXPECT_FALSE(begin());
    end(Outcome::failed);
    EXPECT_LE(pacer_.again_at(now_, limits_), now_ + milliseconds(std::min(pause, 800)));
  }
  EXPECT_GE(pacer_.again_at(now_, limits_), now_ + milliseconds(640));
}

TEST_F(ConnectPacerTest, AnAttemptThatHangsDoesNotStopTheOthers) {
  attempt(Outcome::failed);
  wait();
  ASSERT_TRUE(begin());
  wait();
  EXPECT_TRUE(begin());
}

TEST_F(ConnectPacerTest, ShortRestartsLeaveTheCircuitClosed) {
  fail_for(milliseconds(2000));
  EXPECT_EQ(pacer_.circuit(), Circuit::closed);
  attempt(Outcome::connected);
  EXPECT_EQ(pacer_.circuit(), Circuit::closed);
}

TEST_F(ConnectPacerTest, TheCircuitOpensIsTriedAndCloses) {
  const TimePoint since = now_ + milliseconds(1);
  fail_for(milliseconds(4500));
  EXPECT_EQ(pacer_.circuit(), Circuit::open);
  EXPECT_EQ(pacer_.failing_since(), since);
  wait();
  ASSERT_TRUE(begin());
  EXPECT_EQ(pacer_.circuit(), Circuit::half_open);
  end(Outcome::failed);
  EXPECT_EQ(pacer_.circuit(), Circuit::open);
  attempt(Outcome::connected);
  EXPECT_EQ(pacer_.circuit(), Circuit::closed);
}

TEST_F(ConnectPacerTest, WithoutPausesTheCircuitClosesAllTheSame) {
  limits_.backoff_min = limits_.backoff_max = {};
  fail_for(milliseconds(4500));
  EXPECT_EQ(pacer_.circuit(), Circuit::open);
  attempt(Outcome::connected);
  EXPECT_EQ(pacer_.circuit(), Circuit::closed);
}

TEST_F(ConnectPacerTest, AServerThatAnswersIsThere) {
  fail_for(milliseconds(4500));
  attempt(Outcome::full);
  EXPECT_EQ(pacer_.circuit(), Circuit::closed);
  fail_for(milliseconds(4500));
  attempt(Outcome::refused);
  EXPECT_EQ(pacer_.circuit(), Circuit::closed);
  EXPECT_LT(pacer_.again_at(now_, limits_), now_ + milliseconds(200));
}

TEST_F(ConnectPacerTest, AServerThatIsStartingIsAskedInPausesAndIsNotDown) {
  for (int i = 0; i < 20; ++i) attempt(Outcome::unwilling);
  EXPECT_EQ(pacer_.circuit(), Circuit::closed);
  EXPECT_GT(pacer_.again_at(now_, limits_), now_ + milliseconds(600));
  attempt(Outcome::connected);
  EXPECT_FALSE(pacer_.throttled());
}

TEST_F(ConnectPacerTest, AfterAnOutageItBeginsSlowlyAndDoublesEachSecond) {
  fail_for(milliseconds(4500));
  attempt(Outcome::connected);
  EXPECT_EQ(pacer_.share(), 0.125);
  ASSERT_TRUE(begin() || (wait(), begin()));
  EXPECT_FALSE(begin()) << "one at a time";
  end(Outcome::connected);
  const int first = opened_within(milliseconds(900));
  EXPECT_LE(first, 7);
  EXPECT_GE(first, 4);
  now_ += milliseconds(100);
  const int second = opened_within(milliseconds(1000));
  EXPECT_NEAR(second, 14, 4);
  now_ += milliseconds(2000);
  EXPECT_GT(opened_within(milliseconds(1000)), 45);
  EXPECT_FALSE(pacer_.throttled());
}

TEST_F(ConnectPacerTest, OneFailureAmongSuccessesChangesNoPace) {
  attempt(Outcome::connected);
  attempt(Outcome::failed);
  attempt(Outcome::connected);
  EXPECT_FALSE(pacer_.throttled());
}

}  // namespace
}  // namespace weirpool::proxy
