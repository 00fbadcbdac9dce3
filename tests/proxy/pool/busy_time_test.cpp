#include "proxy/pool/busy_time.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy {
namespace {

using std::chrono::milliseconds;

class BusyTimeTest : public testing::Test {
 protected:
  BusyTimeTest() { busy_.begin(now_); }
  void pause(int after_ms, bool inside, int queries_ms, int transactions_ms) {
    now_ += milliseconds(after_ms);
    const BusyTime::Spent spent = busy_.pause(now_, inside);
    EXPECT_EQ(spent.queries, milliseconds(queries_ms));
    EXPECT_EQ(spent.transactions, milliseconds(transactions_ms));
  }
  void begin(int after_ms) { busy_.begin(now_ += milliseconds(after_ms)); }

  BusyTime busy_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
};

TEST_F(BusyTimeTest, OneStatementIsOneTransaction) { pause(5, false, 5, 5); }

TEST_F(BusyTimeTest, ATransactionHoldsItsPausesAStatementDoesNot) {
  pause(5, true, 5, 0);
  begin(100);
  pause(7, true, 7, 0);
  begin(200);
  pause(1, false, 1, 313);
}

TEST_F(BusyTimeTest, WhatLiesBetweenTransactionsBelongsToNeither) {
  pause(5, false, 5, 5);
  begin(100);
  pause(6, false, 6, 6);
}

TEST_F(BusyTimeTest, AnEndAfterAPauseEndsTheTransactionToo) {
  pause(5, true, 5, 0);
  pause(100, false, 0, 105);
  pause(100, false, 0, 0);
}

}  // namespace
}  // namespace weirpool::proxy
