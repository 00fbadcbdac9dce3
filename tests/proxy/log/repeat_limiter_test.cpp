#include "proxy/log/repeat_limiter.hpp"

#include <gtest/gtest.h>

namespace weirpool::log {
namespace {

using std::chrono::milliseconds;
const RepeatLimiter::Time kStart{milliseconds(5000)};

TEST(RepeatLimiter, CountsWhatItHoldsBack) {
  RepeatLimiter limiter(milliseconds(1000), 10);
  EXPECT_EQ(limiter.admit("a", kStart), 0U);
  EXPECT_FALSE(limiter.admit("a", kStart));
  EXPECT_FALSE(limiter.admit("a", kStart + milliseconds(999)));
  EXPECT_EQ(limiter.admit("b", kStart), 0U);
  EXPECT_EQ(limiter.admit("a", kStart + milliseconds(1000)), 2U);
  EXPECT_EQ(limiter.admit("a", kStart + milliseconds(2000)), 0U);
}

TEST(RepeatLimiter, RemembersABoundedNumberOfKeys) {
  RepeatLimiter limiter(milliseconds(1000), 2);
  limiter.admit("a", kStart);
  limiter.admit("b", kStart + milliseconds(900));
  limiter.admit("c", kStart + milliseconds(1000));  // "a" has expired and makes room
  EXPECT_FALSE(limiter.admit("b", kStart + milliseconds(1000)));
  limiter.admit("d", kStart + milliseconds(1000));  // nobody has: all are forgotten
  EXPECT_EQ(limiter.admit("b", kStart + milliseconds(1000)), 0U);
}

}  // namespace
}  // namespace weirpool::log
