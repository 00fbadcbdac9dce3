#include "proxy/admission/retry_budget.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy::admission {
namespace {

using std::chrono::milliseconds;

struct RetryBudgetTest : testing::Test {
  int take_all() {
    int taken = 0;
    while (budget.take(now)) ++taken;
    return taken;
  }

  RetryBudget budget;
  TimePoint now = TimePoint(std::chrono::hours(1));
};

TEST_F(RetryBudgetTest, AFewAreGrantedOnAQuietDay) {
  EXPECT_EQ(take_all(), 10);
  EXPECT_FALSE(budget.take(now));
}

TEST_F(RetryBudgetTest, ATenthOfWhatHasLatelyBeenAskedIsGranted) {
  budget.note(now, 1000);
  EXPECT_EQ(take_all(), 110);
}

TEST_F(RetryBudgetTest, WhatIsPastIsForgotten) {
  budget.note(now, 1000);
  EXPECT_EQ(take_all(), 110);
  now += std::chrono::seconds(9);
  EXPECT_EQ(take_all(), 0);
  now += std::chrono::seconds(1);
  EXPECT_EQ(take_all(), 10);
  now += std::chrono::hours(24);
  budget.note(now, 50);
  EXPECT_EQ(take_all(), 15);
}

// A thousand requests a second, and for a minute every one of them loses its backend, again and
// again: the database is asked a tenth more, not twice.
TEST_F(RetryBudgetTest, AnOutageDoesNotDoubleTheLoad) {
  int granted = 0;
  for (int i = 0; i < 60'000; ++i) {
    now += milliseconds(1);
    budget.note(now, 1);
    granted += budget.take(now) ? 1 : 0;
  }
  EXPECT_GE(granted, 5'500);
  EXPECT_LE(granted, 6'100);
}

// One in a hundred is lost: nobody notices.
TEST_F(RetryBudgetTest, TheOddLossIsAlwaysMadeGood) {
  for (int i = 0; i < 60'000; ++i) {
    now += milliseconds(1);
    budget.note(now, 1);
    if (i % 100 == 0) {
      EXPECT_TRUE(budget.take(now)) << i;
    }
  }
}

}  // namespace
}  // namespace weirpool::proxy::admission
