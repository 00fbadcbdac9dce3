#include "proxy/admission/elasticity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <random>
#include <utility>
#include <vector>

namespace weirpool::proxy::admission {
namespace {

using std::chrono::milliseconds;

/// A database after the Universal Scalability Law.
struct Usl {
  double service = 0.01;  ///< seconds, of one alone
  double contention = 0.03;
  double coherence = 0.0005;

  double service_at(double n) const {
    return service * (1 + contention * (n - 1) + coherence * n * (n - 1));
  }
  double rate(double n) const { return n / service_at(n); }
  double peak(int most) const {
    double best = 0;
    for (int n = 1; n <= most; ++n) best = std::max(best, rate(n));
    return best;
  }
};

/// Clients that always wait for it, as many statements at a time as the controller lets.
class Flood {
 public:
  explicit Flood(Usl database, std::uint32_t most = 100, std::uint32_t demand = 1000)
      : database_(database), bounds_{.least = 4, .most = most}, demand_(demand) {
    controller.observe({}, bounds_, now());
  }

  /// Answers per second, by the most that the database can give.
  double run(double length) {
    const double end = at_ + length;
    std::uint64_t answered = 0;
    while (at_ < end) {
      next_tick_ += kTick;
      start();
      while (!ends_.empty() && ends_.top() <= next_tick_) {
        at_ = ends_.top();
        ends_.pop();
        ++completed_;
        ++answered;
        start();
      }
      at_ = next_tick_;
      controller.observe({completed_, static_cast<std::uint32_t>(ends_.size()), waiting()}, bounds_,
                         now());
      completed_ = 0;
      start();
      least_ = std::min(least_, allowed());
      on_tick();
    }
    return static_cast<double>(answered) / length / database_.peak(static_cast<int>(bounds_.most));
  }

  TimePoint now() const {
    return TimePoint(std::chrono::hours(1)) +
           std::chrono::duration_cast<Duration>(std::chrono::duration<double>(at_));
  }
  void becomes(Usl database) { database_ = database; }
  void demand(std::uint32_t clients) { demand_ = clients; }
  void bound(std::uint32_t most) { bounds_.most = most; }
  std::uint32_t allowed() const { return advised ? controller.trial_limit() : controller.limit(); }
  /// The lowest limit since this was asked.
  std::uint32_t lowest() { return std::exchange(least_, allowed()); }

  Elasticity controller;
  bool advised = false;
  std::uint32_t other_bound = 1000;  ///< something else lets no more execute
  std::function<void()> on_tick = [] {};

 private:
  static constexpr double kTick = 0.025;

  std::uint32_t room() const { return std::min({allowed(), demand_, other_bound}); }
  bool waiting() const { return demand_ > ends_.size(); }
  void start() {
    while (ends_.size() < room()) {
      const double n = static_cast<double>(ends_.size() + 1);
      const double random = std::uniform_real_distribution<double>(1e-9, 1)(random_);
      ends_.push(at_ - std::log(random) * database_.service_at(n));
    }
  }

  Usl database_;
  Elasticity::Bounds bounds_;
  std::uint32_t demand_;
  double at_ = 0;
  double next_tick_ = 0;
  std::uint64_t completed_ = 0;
  std::uint32_t least_ = ~0U;
  std::priority_queue<double, std::vector<double>, std::greater<>> ends_;
  std::mt19937_64 random_{7};
};

constexpr Usl kScales{.service = 0.05, .contention = 0, .coherence = 0};
constexpr Usl kUsual{.service = 0.004, .contention = 0.03, .coherence = 0.0005};
constexpr Usl kCrowded{.service = 0.004, .contention = 0.03, .coherence = 0.004};
constexpr Usl kHeavy{.service = 0.016, .contention = 0.03, .coherence = 0.0005};

TEST(ElasticityTest, NothingIsTakenAwayFromADatabaseThatScales) {
  Flood flood(kScales, 50);
  flood.run(10);
  EXPECT_EQ(flood.controller.useful(), 50);
  EXPECT_GT(flood.controller.elasticity().value_or(0), 0.5);
  EXPECT_GT(flood.run(60), 0.985);
  EXPECT_EQ(flood.controller.useful(), 50);
}

TEST(ElasticityTest, TheLimitIsFoundFromFarAboveWithinSeconds) {
  Flood flood(kUsual, 200);
  flood.run(15);
  EXPECT_LT(flood.controller.useful(), 60);
  EXPECT_GT(flood.run(30), 0.95);
}

TEST(ElasticityTest, ContentionThatGrowsIsFollowed) {
  Flood flood(kUsual, 100);
  flood.run(20);
  flood.becomes(kCrowded);
  flood.run(10);
  EXPECT_GT(flood.run(30), 0.94);
  EXPECT_LT(flood.controller.useful(), 25);
}

TEST(ElasticityTest, ContentionThatEndsIsFollowed) {
  Flood flood(kCrowded, 100);
  flood.run(20);
  flood.becomes(kUsual);
  flood.run(20);
  EXPECT_GT(flood.run(30), 0.94);
}

/// What gradients of latency get wrong.
TEST(ElasticityTest, HeavierWorkIsNotContention) {
  Flood flood(kUsual, 100);
  flood.run(20);
  flood.becomes(kHeavy);
  EXPECT_GT(flood.run(20), 0.92);
  EXPECT_GT(flood.run(60), 0.93);
}

TEST(ElasticityTest, ContentionOfTenMinutesDoesNotWearItOut) {
  Flood flood({.service = 0.016, .contention = 0.03, .coherence = 0.004}, 200);
  flood.run(570);
  EXPECT_GT(flood.run(30), 0.93);
}

/// Phases of fixed length would see only noise: 40 ms alone, some 2 s with 200 at a time.
TEST(ElasticityTest, ASlowDatabaseIsGivenTime) {
  Flood flood({.service = 0.04, .contention = 0.03, .coherence = 0.0005}, 200);
  flood.run(150);
  EXPECT_GT(flood.run(60), 0.9);
}

/// Those that have all places would keep everybody else out for as long as they last.
TEST(ElasticityTest, LongStatementsInAllPlacesEndTheLimit) {
  Flood flood(kCrowded, 100);
  flood.run(30);
  EXPECT_LT(flood.controller.useful(), 30);
  flood.becomes({.service = 60, .contention = 0, .coherence = 0});
  flood.run(2);
  EXPECT_EQ(flood.allowed(), 100);
  flood.becomes(kUsual);
  flood.run(20);
  EXPECT_EQ(flood.controller.useful(), 100) << "most places are still taken";
}

TEST(ElasticityTest, TooFewAnswersSayNothing) {
  Flood flood({.service = 30, .contention = 0, .coherence = 0}, 20);
  flood.run(600);
  EXPECT_EQ(flood.controller.useful(), 20);
  EXPECT_EQ(flood.lowest(), 20);
}

TEST(ElasticityTest, NothingIsTriedWhileNobodyWaits) {
  Flood flood(kUsual, 100, 80);
  flood.run(60);
  EXPECT_EQ(flood.lowest(), 100);
  EXPECT_FALSE(flood.controller.elasticity());
}

TEST(ElasticityTest, NothingIsTriedForABurst) {
  Flood flood(kUsual, 100, 10);
  for (int i = 0; i < 20; ++i) {
    flood.demand(300);
    flood.run(0.4);
    flood.demand(10);
    flood.run(2);
  }
  EXPECT_EQ(flood.lowest(), 100);
}

/// A pool with a bound of its own, say.
TEST(ElasticityTest, NothingIsTriedWhereSomethingElseBounds) {
  Flood flood(kUsual, 100);
  flood.other_bound = 30;
  flood.run(60);
  EXPECT_EQ(flood.lowest(), 100);
}

TEST(ElasticityTest, RoundsBecomeRareWhereTheyChangeNothing) {
  Flood flood(kScales, 50);
  flood.run(120);
  int lowered = 0;
  flood.on_tick = [&] { lowered += flood.allowed() < 50 ? 1 : 0; };
  flood.run(150);
  EXPECT_GT(lowered, 0);
  EXPECT_LT(lowered, 150 / 0.025 * 0.03);
}

TEST(ElasticityTest, ToAdviseIsToLimitOnlyForTheTimeOfARound) {
  Flood flood(kCrowded, 100);
  flood.advised = true;
  flood.run(120);
  EXPECT_LT(flood.controller.useful(), 30);
  int lowered = 0;
  flood.on_tick = [&] { lowered += flood.allowed() < 100 ? 1 : 0; };
  flood.run(100);
  EXPECT_LT(lowered, 100 / 0.025 * 0.2);
}

TEST(ElasticityTest, WhatNobodyHasNeededForLongIsForgotten) {
  Flood flood(kCrowded, 100);
  flood.run(30);
  EXPECT_LT(flood.controller.useful(), 40);
  flood.demand(2);
  flood.run(590);
  EXPECT_LT(flood.controller.useful(), 40);
  flood.run(60);
  EXPECT_EQ(flood.controller.useful(), 100);
}

TEST(ElasticityTest, ANewBoundCountsAtOnce) {
  Flood flood(kScales, 50);
  flood.run(20);
  flood.bound(80);
  flood.run(0.1);
  EXPECT_EQ(flood.controller.limit(), 80);
  flood.bound(30);
  flood.run(0.1);
  EXPECT_EQ(flood.controller.limit(), 30);
}

TEST(ElasticityTest, ABoundBelowTheLeastIsNotVaried) {
  Flood flood(kCrowded, 3);
  flood.run(60);
  EXPECT_EQ(flood.lowest(), 3);
}

}  // namespace
}  // namespace weirpool::proxy::admission
