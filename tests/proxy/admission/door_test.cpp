#include "proxy/admission/door.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy::admission {
namespace {

using std::chrono::milliseconds;

struct DoorTest : testing::Test {
  static constexpr milliseconds kMost{800};
  static constexpr milliseconds kLeast{10};
  static constexpr milliseconds kInterval{100};

  void look(bool overloaded, milliseconds line) {
    door.observe(now, overloaded, line, kMost, kInterval);
  }
  bool admits(milliseconds wait) { return door.admits(now, wait, kMost, kLeast); }

  Door door;
  TimePoint now = TimePoint(std::chrono::hours(1));
};

TEST_F(DoorTest, IsWideForBurstsAndForPatientCrowds) {
  look(false, milliseconds(5000));
  EXPECT_FALSE(door.narrow());
  look(true, kMost);
  EXPECT_FALSE(door.narrow());
  EXPECT_TRUE(admits(milliseconds(5000)));
}

TEST_F(DoorTest, FallsHalfAsFastAsTimePassesDownToAFewMilliseconds) {
  look(true, kMost + milliseconds(1));
  EXPECT_TRUE(door.narrow());
  EXPECT_TRUE(admits(kMost));
  EXPECT_FALSE(admits(kMost + milliseconds(1)));
  now += kMost;
  EXPECT_TRUE(admits(kMost / 2));
  EXPECT_FALSE(admits(kMost / 2 + milliseconds(1)));
  now += 100 * kMost;
  EXPECT_TRUE(admits(kMost / 8));
  EXPECT_FALSE(admits(kMost / 8 + milliseconds(1)));
  EXPECT_TRUE(door.admits(now, milliseconds(170), kMost, milliseconds(170)))
      << "the least it may be";
}

TEST_F(DoorTest, IsWideAgainWhenForAnIntervalNobodyWasTurnedAway) {
  look(true, 2 * kMost);
  for (int i = 0; i < 20; ++i) {
    now += kInterval / 2;
    EXPECT_FALSE(admits(2 * kMost));
    look(false, kLeast);
    EXPECT_TRUE(door.narrow()) << "a short line is what it is there for";
  }
  now += kInterval - milliseconds(1);
  look(false, kLeast);
  EXPECT_TRUE(door.narrow());
  now += milliseconds(1);
  look(false, kLeast);
  EXPECT_FALSE(door.narrow());
  EXPECT_TRUE(admits(2 * kMost));
}

TEST_F(DoorTest, ForgetsWhatSaysNothingAboutDemand) {
  look(true, 2 * kMost);
  door.forget();
  EXPECT_FALSE(door.narrow());
}

}  // namespace
}  // namespace weirpool::proxy::admission
