#include "proxy/net/silence.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy {
namespace {

using std::chrono::seconds;

class SilenceTest : public testing::Test {
 protected:
  Clock::duration after(int later, bool unanswered) {
    return silence_.look(now_ += seconds(later), unanswered);
  }

  Silence silence_;
  TimePoint now_ = TimePoint(std::chrono::hours(1));
};

TEST_F(SilenceTest, GrowsWhileNothingIsAnswered) {
  EXPECT_EQ(after(0, true), seconds(0));
  EXPECT_EQ(after(1, true), seconds(1));
  EXPECT_EQ(after(2, true), seconds(3));
}

TEST_F(SilenceTest, EndsWithAnAnswer) {
  after(0, true);
  after(1, true);
  EXPECT_EQ(after(1, false), seconds(0));
  EXPECT_EQ(after(1, true), seconds(0));
  EXPECT_EQ(after(1, true), seconds(1));
}

TEST_F(SilenceTest, WhatWasSoLongAgoIsNoSilenceSince) {
  after(0, true);
  EXPECT_EQ(after(3600, true), seconds(0)) << "nobody has looked in between";
  EXPECT_EQ(after(1, true), seconds(1));
}

}  // namespace
}  // namespace weirpool::proxy
