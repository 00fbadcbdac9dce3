#include "proxy/admission/waiting_line.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "config/limits.hpp"
#include "tests/support/line_simulation.hpp"

namespace weirpool::proxy::admission {
namespace {

using std::chrono::milliseconds;
using test::LineSimulation;
using test::SimulatedNodes;
using test::SimulatedPool;
using test::Tally;

struct LinePlace : Ticket {};

class WaitingLineTest : public testing::Test {
 protected:
  void push(const Flow& flow) {
    places.emplace_back();
    line.push(places.back(), flow, now);
  }
  void learn(milliseconds held, std::size_t backends) {
    for (int i = 0; i < 100; ++i) line.served(nullptr, held, Duration::zero(), now);
    line.supply({backends, 0}, now - config::kWarmUp);
    line.supply({backends, 0}, now);
  }

  /// False: refused.
  bool join(const Flow& flow) {
    const bool in = line.admit(flow, Duration::max(), now) == WaitingLine::Answer::queue;
    if (in) push(flow);
    return in;
  }
  /// Each millisecond for 2 s ten come and one is served; how many were refused when they came.
  std::size_t flood(const Flow& flow) {
    std::size_t refused = 0;
    for (int i = 0; i < 2000; ++i) {
      now += milliseconds(1);
      for (int newcomer = 0; newcomer < 10; ++newcomer) refused += join(flow) ? 0U : 1U;
      line.expired(now);
      line.next(now);
    }
    return refused;
  }

  std::deque<LinePlace> places;
  WaitingLine line;
  Flow node = line.queue().flow(Class::normal, Source{1}, "");
  TimePoint now = TimePoint(std::chrono::hours(1));
};

TEST_F(WaitingLineTest, WithoutEvidenceNobodyIsTurnedAway) {
  line.supply({1, 0}, now);
  for (int i = 0; i < 100; ++i) push(node);
  EXPECT_EQ(line.admit(node, milliseconds(1), now), WaitingLine::Answer::queue);
}

TEST_F(WaitingLineTest, WhoCannotBeServedInItsTimeIsToldAtOnce) {
  learn(milliseconds(100), 2);
  for (int i = 0; i < 9; ++i) push(node);
  // Ten times 50 ms in line and 100 ms of service.
  EXPECT_EQ(line.admit(node, milliseconds(500), now), WaitingLine::Answer::hopeless);
  EXPECT_EQ(line.admit(node, milliseconds(700), now), WaitingLine::Answer::queue);
  EXPECT_EQ(line.admit(node, Duration::max(), now), WaitingLine::Answer::queue);
}

TEST_F(WaitingLineTest, OthersTicketsCountOnlyAsFarAsTheyGoFirst) {
  learn(milliseconds(100), 2);
  for (int i = 0; i < 100; ++i) push(node);
  const Flow polite = line.queue().flow(Class::normal, Source{2}, "");
  EXPECT_EQ(line.admit(polite, milliseconds(300), now), WaitingLine::Answer::queue);
}

TEST_F(WaitingLineTest, WhileThePoolGrowsALineIsNoOverload) {
  learn(milliseconds(10), 2);
  line.supply({2, 1}, now);
  for (int i = 0; i < 100; ++i) push(node);
  for (int i = 0; i < 50; ++i) {
    now += milliseconds(20);
    EXPECT_TRUE(line.expired(now).empty());
    line.next(now);
  }
  EXPECT_FALSE(line.overloaded());
  EXPECT_EQ(line.admit(node, milliseconds(1), now), WaitingLine::Answer::queue);
}

/// Clients come at once and wait for each other, as long as this line is served.
TEST_F(WaitingLineTest, AColdPoolIsNotOverloaded) {
  for (int i = 0; i < 100; ++i) line.served(nullptr, milliseconds(10), Duration::zero(), now);
  const TimePoint begun = now;
  line.supply({20, 0}, now);
  for (int i = 0; i < 2000; ++i) push(node);
  for (; now < begun + config::kWarmUp; now += milliseconds(1)) {
    line.supply({20, 0}, now);
    ASSERT_TRUE(line.expired(now).empty());
    ASSERT_EQ(line.admit(node, Duration::max(), now), WaitingLine::Answer::queue);
    line.next(now);
  }
  std::size_t refused = 0;
  for (int i = 0; i < 500; ++i, now += milliseconds(1)) {
    line.supply({20, 0}, now);
    refused += line.expired(now).size();
    line.next(now);
  }
  EXPECT_GT(refused, 100U) << "and now it is warm";
}

TEST_F(WaitingLineTest, OnlyOneThatHasDoubledIsCold) {
  learn(milliseconds(10), 10);
  const auto overloaded_with = [&](std::size_t backends) {
    const TimePoint until = now + milliseconds(900);
    for (; now < until; now += milliseconds(1)) {
      line.supply({backends, 0}, now);
      for (int i = 0; i < 10; ++i) push(node);
      line.expired(now);
      line.next(now);
    }
    return line.overloaded();
  };
  EXPECT_TRUE(overloaded_with(19));
  // A moment with less is nothing.
  line.supply({1, 0}, now);
  EXPECT_TRUE(overloaded_with(19));
  EXPECT_FALSE(overloaded_with(20));
  EXPECT_TRUE(overloaded_with(20));
  // Not so what stays.
  overloaded_with(5);
  overloaded_with(5);
  EXPECT_FALSE(overloaded_with(10));
}

TEST_F(WaitingLineTest, OneMoreOfManyDoesNotKeepALineFromBeingAnOverload) {
  learn(milliseconds(10), 10);
  line.supply({10, 1}, now);
  EXPECT_GT(flood(node), 15000U);
  EXPECT_TRUE(line.overloaded());
  for (int i = 0; i < 100; ++i) push(node);
  EXPECT_EQ(line.admit(node, milliseconds(1), now), WaitingLine::Answer::hopeless);
}

TEST_F(WaitingLineTest, AConnectionThatDoesNotComeIsNotWaitedForLong) {
  learn(milliseconds(10), 2);
  std::size_t refused = 0;
  for (int i = 0; i < 4; ++i) {
    line.supply({2, 1}, now);
    refused = flood(node);
  }
  EXPECT_TRUE(line.overloaded());
  EXPECT_GT(refused, 15000U);
  line.supply({3, 1}, now);
  EXPECT_FALSE(line.overloaded()) << "it has grown";
}

TEST_F(WaitingLineTest, WhoeverIsHeldUpIsNoOverload) {
  learn(milliseconds(10), 10);
  line.supply({.backends = 10, .held_up = true}, now);
  EXPECT_EQ(flood(node), 0U);
  EXPECT_FALSE(line.overloaded());
}

TEST_F(WaitingLineTest, AStandingLineShedsWhatIsOlderThanAFewTargets) {
  learn(milliseconds(10), 10);
  for (int i = 0; i < 300; ++i) {
    push(node);
    push(node);
    now += milliseconds(1);
    line.expired(now);
    line.next(now);
  }
  EXPECT_TRUE(line.overloaded());
  EXPECT_LE(now - line.queue().oldest_since(), line.slough(Class::normal, now));
  EXPECT_EQ(line.slough(Class::normal, now), 4 * config::kLineTarget);
  EXPECT_GT(line.slough(Class::critical, now), line.slough(Class::sheddable, now));
}

TEST_F(WaitingLineTest, ACrowdThatWaitsForItsAnswersIsServedInTheOrderItCame) {
  learn(milliseconds(20), 20);
  line.supply({20, 0, milliseconds(200)}, now);
  // 300 of them, one served each millisecond: all wait for more than the target.
  for (int i = 0; i < 300; ++i) push(node);
  for (int i = 0; i < 3000; ++i) {
    now += milliseconds(1);
    EXPECT_TRUE(line.expired(now).empty());
    const Ticket* served = line.next(now);
    ASSERT_EQ(served, &places[static_cast<std::size_t>(i)]);
    ASSERT_EQ(line.admit(node, Duration::max(), now), WaitingLine::Answer::queue);
    push(node);
  }
  EXPECT_TRUE(line.overloaded());
}

TEST_F(WaitingLineTest, AFloodIsCutToWhatCanBeServedAndTheRestRefusedWhenItComes) {
  learn(milliseconds(20), 20);
  line.supply({20, 0, milliseconds(100)}, now);
  EXPECT_GT(flood(node), 15000U);
  const Flow polite = line.queue().flow(Class::normal, Source{2}, "");
  push(node);  // in the place of who has just left
  EXPECT_EQ(line.admit(node, Duration::max(), now), WaitingLine::Answer::flooded);
  EXPECT_EQ(line.admit(polite, Duration::max(), now), WaitingLine::Answer::queue);
  EXPECT_LE(line.queue().size(), 2 * 100U / 8 + 1) << "milliseconds of service";
}

TEST_F(WaitingLineTest, AFloodOfManyIsCutALittleAtATime) {
  learn(milliseconds(20), 20);
  // Each from a source of its own: nobody asks for more than the others.
  std::vector<Flow> flows;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    flows.push_back(line.queue().flow(Class::normal, Source{10 + i}, ""));
    push(flows.back());
  }
  std::size_t cut = 0;
  for (int i = 0; i < 1000; ++i) {
    now += milliseconds(1);
    const std::size_t at_once = line.expired(now).size();
    ASSERT_LE(at_once, config::kShedAtOnce);
    if (at_once == config::kShedAtOnce) {
      ASSERT_EQ(line.wake_at(now), now + config::kLineTick);
    }
    cut += at_once;
    line.next(now);
  }
  EXPECT_GT(cut, 1500U);
  EXPECT_LE(line.queue().size(), 20U);
}

TEST_F(WaitingLineTest, ASourceWhoseOwnLineIsTooLongIsRefusedAndNobodyElse) {
  learn(milliseconds(20), 20);
  line.supply({20, 0, milliseconds(100)}, now);
  const Flow wild = line.queue().flow(Class::normal, Source{2}, "");
  std::size_t refused = 0;
  // The others take four fifths; the wild one asks for twice what is left.
  for (std::uint64_t i = 0; i < 5000; ++i) {
    now += milliseconds(1);
    line.expired(now);
    if (i % 5 < 4) {
      const Flow polite = line.queue().flow(Class::normal, Source{10 + i % 90}, "");
      ASSERT_TRUE(join(polite));
    }
    if (i % 5 < 2) refused += join(wild) ? 0U : 1U;
    line.next(now);
  }
  EXPECT_GT(refused, 500U);
  EXPECT_LT(FairQueue::waiting_beside(wild), 80U) << "it is served each 5 ms";
}

TEST_F(WaitingLineTest, InAFloodAFlowIsRefusedForWhatItsSourceHasHadOnlyWhileOthersWantTheirs) {
  learn(milliseconds(20), 20);
  line.supply({20, 0, milliseconds(100)}, now);
  const Flow others = line.queue().flow(Class::normal, Source{2}, "");
  const Flow important = line.queue().flow(Class::critical, Source{1}, "");
  flood(others);
  ASSERT_EQ(line.admit(node, Duration::max(), now), WaitingLine::Answer::queue);
  const auto too_much = std::chrono::seconds(20);
  line.queue().charge(node.node(), too_much, now);
  line.queue().charge(important.node(), too_much, now);
  EXPECT_EQ(line.admit(node, Duration::max(), now), WaitingLine::Answer::flooded);
  EXPECT_EQ(line.admit(important, Duration::max(), now), WaitingLine::Answer::queue);
}

TEST_F(WaitingLineTest, WithoutATargetNobodyIsShedForWaiting) {
  learn(milliseconds(10), 10);
  line.supply({10, 0, Duration::zero()}, now);
  for (int i = 0; i < 300; ++i) {
    push(node);
    push(node);
    now += milliseconds(1);
    EXPECT_TRUE(line.expired(now).empty());
    line.next(now);
  }
  EXPECT_FALSE(line.overloaded());
  EXPECT_EQ(line.wake_at(now), TimePoint::max());
}

TEST_F(WaitingLineTest, AnEmptyLineIsLookedAtUntilItsOverloadIsOver) {
  learn(milliseconds(10), 10);
  while (!line.overloaded()) {
    push(node);
    push(node);
    now += milliseconds(1);
    line.next(now);
  }
  while (line.next(now)) {
  }
  ASSERT_TRUE(line.overloaded());
  for (int i = 0; i < 3 && line.overloaded(); ++i) {
    ASSERT_LT(line.wake_at(now), TimePoint::max());
    now = line.wake_at(now);
    line.expired(now);
  }
  EXPECT_FALSE(line.overloaded());
  EXPECT_EQ(line.wake_at(now), TimePoint::max());
}

TEST_F(WaitingLineTest, AFrozenPoolIsWaitedForNotShedAt) {
  learn(milliseconds(10), 10);
  push(node);
  for (int i = 0; i < 300; ++i) {
    now += milliseconds(10);
    EXPECT_TRUE(line.expired(now).empty());
  }
}

TEST_F(WaitingLineTest, ItWakesOnlyWhileSomebodyWaits) {
  EXPECT_EQ(line.wake_at(now), TimePoint::max());
  push(node);
  EXPECT_GT(line.wake_at(now), now);
  EXPECT_LT(line.wake_at(now), now + config::kLineIntervalMax);
  line.erase(places.back(), now);
  EXPECT_EQ(line.wake_at(now), TimePoint::max());
}

TEST_F(WaitingLineTest, TheAdviceGrowsWithTheLineAndStaysWithinBounds) {
  EXPECT_EQ(line.retry_after(node, 0), config::kRetryAfterMin);
  learn(milliseconds(100), 1);
  for (int i = 0; i < 9; ++i) push(node);
  EXPECT_EQ(line.retry_after(node, 0), milliseconds(1000));
  EXPECT_EQ(line.retry_after(node, 0.5), milliseconds(1500));
  for (int i = 0; i < 900; ++i) push(node);
  EXPECT_EQ(line.retry_after(node, 0.5), config::kRetryAfterMax);
}

// --- whole scenarios in simulated time -----------------------------------------------------------

/// 20 backends at 20 ms: 1,000 statements a second.
constexpr double kCapacity = 1000;

SimulatedPool pool_of(std::vector<SimulatedNodes> nodes) {
  SimulatedPool pool;
  pool.backends = 20;
  pool.service = [](double) { return 0.020; };
  pool.nodes = std::move(nodes);
  return pool;
}

class OverloadScenario : public testing::TestWithParam<double> {};

TEST_P(OverloadScenario, GoodputStaysAndRefusalsAreQuick) {
  const double factor = GetParam();
  const auto rate = [factor](double at) {
    const bool flood = at >= 2 && at < 8;
    return (flood ? factor : 0.8) * kCapacity / 20;
  };
  SimulatedPool pool = pool_of({{20, rate}});
  pool.duration = 11;
  // The first interval, in which nobody knows yet, is a hundredth of a minute but not of 6 s.
  pool.count_from = 2.5;
  const Tally all = LineSimulation(pool).run().front();
  EXPECT_GE(all.per_second(3, 8), 0.97 * kCapacity);
  // Unloaded p99 of an exponential service of 20 ms is 92 ms; retries count from the first try.
  EXPECT_LE(all.latency(0.99), 5 * 0.092);
  EXPECT_LE(all.refusal(0.99), 0.025);
  EXPECT_GE(all.per_second(9, 11), 0.95 * 0.8 * kCapacity);
}

INSTANTIATE_TEST_SUITE_P(Times, OverloadScenario, testing::Values(1.2, 2, 4, 10));

/// As the configuration has it: patient crowds are left alone, and still refusals are quick.
class DefaultTargetScenario : public testing::TestWithParam<double> {};

TEST_P(DefaultTargetScenario, WhoIsServedIsServedSoonAndTheOthersAreToldAtOnce) {
  const double factor = GetParam();
  const auto rate = [factor](double at) {
    const bool flood = at >= 2 && at < 12;
    return (flood ? factor : 0.8) * kCapacity / 20;
  };
  SimulatedPool pool = pool_of({{20, rate}});
  pool.target = milliseconds(200);
  pool.duration = 18;
  pool.count_from = 3;
  const Tally all = LineSimulation(pool).run().front();
  EXPECT_GE(all.per_second(3, 12), 0.97 * kCapacity);
  EXPECT_LE(all.latency(0.5), 0.150);
  EXPECT_LE(all.latency(0.99), 1);
  EXPECT_LE(all.refusal(0.99), 0.025);
  EXPECT_GE(all.per_second(13, 18), 0.95 * 0.8 * kCapacity);
}

INSTANTIATE_TEST_SUITE_P(Times, DefaultTargetScenario, testing::Values(2, 4, 10));

TEST(WaitingLineScenario, ABrownoutIsServedAtTheSpeedOfTheSlowDatabase) {
  SimulatedPool pool = pool_of({{20, [](double) { return 0.8 * kCapacity / 20; }}});
  pool.service = [](double at) { return at >= 5 && at < 45 ? 0.200 : 0.020; };
  pool.duration = 50;
  const Tally all = LineSimulation(pool).run().front();
  EXPECT_GE(all.per_second(7, 45), 0.97 * kCapacity / 10 * 0.97);
  EXPECT_GE(all.per_second(46, 50), 0.95 * 0.8 * kCapacity);
}

class WildNodeScenario : public testing::TestWithParam<milliseconds> {};

TEST_P(WildNodeScenario, OneOfAHundredHurtsNobodyElse) {
  // The 99 ask for 40 % of the pool, the wild one for fifty times its share.
  const double share = 0.4 * kCapacity / 99;
  const auto quiet = [share](double) { return share; };
  const auto wild = [share](double at) { return at >= 3 ? 50 * share * 4 : share; };
  SimulatedPool pool = pool_of({{99, quiet}, {1, wild}});
  pool.target = GetParam();
  pool.duration = 15;
  const auto both = LineSimulation(pool).run();
  // With the tighter target, not even of those who have just had a statement of many times the mean
  // more than one in a thousand.
  const auto statements = static_cast<std::uint64_t>(pool.duration * 0.4 * kCapacity);
  EXPECT_LE(both[0].shed, pool.target == config::kLineTarget ? statements / 1000 : 0);
  EXPECT_EQ(both[0].abandoned, 0U);
  EXPECT_LE(both[0].latency(0.99), 1.5 * 0.092);
  EXPECT_GT(both[1].shed, 0U);
  // What the others leave is the wild one's.
  EXPECT_GE(both[0].per_second(5, 15) + both[1].per_second(5, 15), 0.97 * kCapacity);
}

INSTANTIATE_TEST_SUITE_P(Targets, WildNodeScenario,
                         testing::Values(config::kLineTarget, milliseconds(200)));

TEST(WaitingLineScenario, ANodeWithSlowStatementsPaysForThem) {
  // Both ask for more than half of the pool's time; one in statements ten times as long.
  SimulatedNodes quick{1, [](double) { return 800.0; }};
  SimulatedNodes slow{1, [](double) { return 80.0; }, 0.2};
  SimulatedPool pool = pool_of({quick, slow});
  const auto both = LineSimulation(pool).run();
  const double quick_time = both[0].per_second(5, 30) * 0.020;
  const double slow_time = both[1].per_second(5, 30) * 0.200;
  EXPECT_NEAR(quick_time, 10, 1.5);
  EXPECT_NEAR(slow_time, 10, 1.5);
}

TEST(WaitingLineScenario, UnderPressureTheSheddableGoFirstAndTheCriticalStay) {
  const auto half = [](double) { return 0.5 * kCapacity; };
  const auto full = [](double) { return 1.5 * kCapacity; };
  SimulatedPool pool = pool_of({{1, half, 0, Class::critical}, {1, full, 0, Class::sheddable}});
  pool.duration = 15;
  const auto both = LineSimulation(pool).run();
  EXPECT_EQ(both[0].shed, 0U);
  EXPECT_LE(both[0].latency(0.99), 1.5 * 0.092);
  EXPECT_GE(both[1].per_second(5, 15), 0.45 * kCapacity);
}

}  // namespace
}  // namespace weirpool::proxy::admission
