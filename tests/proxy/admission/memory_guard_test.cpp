#include "proxy/admission/memory_guard.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy::admission {
namespace {

struct MemoryGuardTest : testing::Test {
  static constexpr std::uint64_t kHigh = 1000;

  MemoryState at(std::uint64_t resident, std::uint64_t high = kHigh) {
    now += std::chrono::milliseconds(100);
    guard.look(now, resident, high);
    return guard.state();
  }

  MemoryGuard guard;
  TimePoint now = TimePoint(std::chrono::hours(1));
};

TEST_F(MemoryGuardTest, WithoutAWatermarkThereIsAlwaysEnough) {
  EXPECT_EQ(at(std::uint64_t{1} << 60, 0), MemoryState::ample);
}

TEST_F(MemoryGuardTest, BeginsAtTheWatermarkAndEndsBelowNineTenths) {
  EXPECT_EQ(at(kHigh - 1), MemoryState::ample);
  EXPECT_EQ(at(kHigh), MemoryState::tight);
  EXPECT_EQ(at(kHigh - 1), MemoryState::tight);
  EXPECT_EQ(at(900), MemoryState::tight);
  EXPECT_EQ(at(899), MemoryState::ample);
  EXPECT_EQ(at(950), MemoryState::ample);
}

TEST_F(MemoryGuardTest, WhatDoesNotHelpWithinASecondIsFollowedByMore) {
  at(1200);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(at(1100), MemoryState::tight) << i;
  EXPECT_EQ(at(1100), MemoryState::dire);
  // Below the mark nothing is added, and nothing taken back before nine tenths.
  EXPECT_EQ(at(950), MemoryState::dire);
  EXPECT_EQ(at(850), MemoryState::ample);
  EXPECT_EQ(guard.peak(), 1200U);
}

TEST_F(MemoryGuardTest, BetweenTheMarksItDoesNotGetWorse) {
  at(kHigh);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(at(950), MemoryState::tight) << i;
  EXPECT_EQ(at(kHigh), MemoryState::dire);
}

TEST_F(MemoryGuardTest, SaysWhenItHasChangedAndForHowLong) {
  EXPECT_FALSE(guard.look(now, 1, kHigh));
  EXPECT_TRUE(guard.look(now, kHigh, kHigh));
  EXPECT_EQ(guard.since(), now);
  EXPECT_FALSE(guard.look(now, kHigh + 7, kHigh));
  EXPECT_EQ(guard.peak(), kHigh + 7);
  EXPECT_TRUE(guard.look(now, 1, kHigh));
}

TEST_F(MemoryGuardTest, AWatermarkThatIsTakenAwayEndsIt) {
  at(kHigh);
  EXPECT_EQ(at(kHigh, 0), MemoryState::ample);
}

TEST(MayWait, TheLeastImportantGoesFirstAndTheImportantStays) {
  for (const Class importance : {Class::critical, Class::high}) {
    EXPECT_TRUE(may_wait(MemoryState::dire, importance));
  }
  EXPECT_TRUE(may_wait(MemoryState::tight, Class::normal));
  EXPECT_FALSE(may_wait(MemoryState::dire, Class::normal));
  EXPECT_TRUE(may_wait(MemoryState::ample, Class::sheddable));
  EXPECT_FALSE(may_wait(MemoryState::tight, Class::sheddable));
}

}  // namespace
}  // namespace weirpool::proxy::admission
