#include "proxy/pool/arbiter.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <vector>

#include "tests/support/crowded_server.hpp"

namespace weirpool::proxy {
namespace {

using Mode = config::ElasticityMode;
using Shares = std::vector<std::uint32_t>;
using test::CrowdedServer;

TEST(ArbiterSharesTest, WhatIsLeftIsEverybodys) {
  EXPECT_EQ(shares_of(10, {3, 0, 2}), (Shares{8, 5, 7}));
  EXPECT_EQ(shares_of(5, {3, 0, 2}), (Shares{3, 1, 2}));
  EXPECT_EQ(shares_of(5, {}), Shares{});
}

TEST(ArbiterSharesTest, TheLimitIsDividedByDemand) {
  EXPECT_EQ(shares_of(10, {100, 100}), (Shares{5, 5}));
  EXPECT_EQ(shares_of(10, {800, 200}), (Shares{8, 2}));
  EXPECT_EQ(shares_of(10, {100, 100, 100}), (Shares{3, 3, 4}));
}

TEST(ArbiterSharesTest, NobodyIsLeftWithoutAny) {
  EXPECT_EQ(shares_of(10, {1000, 1, 0}), (Shares{9, 1, 1}));
  EXPECT_EQ(shares_of(2, {7, 7, 7, 7}), (Shares{1, 1, 1, 1}));
}

TEST(ArbiterSharesTest, RoundingLosesNothing) {
  for (std::uint32_t limit = 20; limit < 100; ++limit) {
    const Shares shares = shares_of(limit, {17, 23, 61, 100, 3});
    EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), 0U), limit);
  }
}

struct ArbiterTest : testing::Test {
  ArbiterTest() {
    arbiter.set_messenger([this](const PoolLedger::Place& to) { raised.push_back(to.worker); });
  }
  Arbiter arbiter;
  std::vector<unsigned> raised;
};

TEST_F(ArbiterTest, FewerMayExecuteWhereMoreAreOfNoUse) {
  CrowdedServer crowd(arbiter);
  EXPECT_EQ(crowd.useful(), config::kUsefulLeast);
  EXPECT_LE(crowd.share(), config::kUsefulLeast + 1);
  ASSERT_TRUE(arbiter.finding().elasticity);
  EXPECT_NEAR(*arbiter.finding().elasticity, 0, 0.2);
}

TEST_F(ArbiterTest, APoolThatComesLaterHasAShare) {
  CrowdedServer crowd(arbiter);
  const PoolLedger::Place place{7, {nullptr, "late", "late", 0}};
  const auto numbers = std::make_shared<metrics::PoolMetrics>();
  const auto share = arbiter.enroll(place, numbers);
  crowd.tick();
  EXPECT_EQ(share->load(), 1U);
  crowd.numbers().waiting.set(10);
  numbers->waiting.set(30);
  raised.clear();
  crowd.tick();
  EXPECT_GE(share->load(), 2U);
  EXPECT_EQ(raised, std::vector<unsigned>{7});
  arbiter.forget(place);
  crowd.tick();
}

/// A backend that waits for its client in a transaction takes nobody's turn.
TEST_F(ArbiterTest, WhoRestsDoesNotExecute) {
  CrowdedServer crowd(arbiter);
  const PoolLedger::Place place{7, {nullptr, "idle", "idle", 0}};
  const auto numbers = std::make_shared<metrics::PoolMetrics>();
  const auto share = arbiter.enroll(place, numbers);
  crowd.numbers().waiting.set(0);
  numbers->active.set(1000);
  numbers->resting.set(1000);
  crowd.tick();
  EXPECT_LE(share->load(), 2U);
  EXPECT_GE(crowd.share(), 3U);
}

TEST_F(ArbiterTest, SwitchedOffItLimitsNobody) {
  CrowdedServer crowd(arbiter);
  raised.clear();
  crowd.tick(Mode::off);
  EXPECT_EQ(crowd.share(), Arbiter::kUnlimited);
  EXPECT_EQ(arbiter.finding().useful, 0U);
  EXPECT_EQ(raised, std::vector<unsigned>{1});
  raised.clear();
  crowd.tick(Mode::off);
  EXPECT_TRUE(raised.empty());
}

TEST_F(ArbiterTest, WhoOnlyAdvisesLimitsNobody) {
  CrowdedServer crowd(arbiter);
  unsigned limited = 0;
  for (int i = 0; i < 4000; ++i) {
    crowd.tick(Mode::advise);
    if (crowd.share() != Arbiter::kUnlimited) ++limited;
  }
  EXPECT_EQ(crowd.useful(), config::kUsefulLeast);
  EXPECT_GT(limited, 0U);
  EXPECT_LT(limited, 1000U);
}

TEST_F(ArbiterTest, ItLooksSeldomWhileNobodyWaits) {
  EXPECT_EQ(arbiter.tick(Mode::enforce, 20, Clock::now()), config::kArbiterCalmTick);
  EXPECT_EQ(arbiter.tick(Mode::off, 20, Clock::now()), config::kArbiterCalmTick);
  const PoolLedger::Place place{7, {nullptr, "idle", "idle", 0}};
  const auto numbers = std::make_shared<metrics::PoolMetrics>();
  static_cast<void>(arbiter.enroll(place, numbers));
  numbers->waiting.set(1);
  EXPECT_EQ(arbiter.tick(Mode::enforce, 20, Clock::now()), config::kArbiterTick);
  numbers->waiting.set(0);
  numbers->classes[2].shed[0].add(1);
  EXPECT_EQ(arbiter.tick(Mode::enforce, 20, Clock::now()), config::kArbiterTick);
  EXPECT_EQ(arbiter.tick(Mode::enforce, 20, Clock::now()), config::kArbiterCalmTick);
}

}  // namespace
}  // namespace weirpool::proxy
