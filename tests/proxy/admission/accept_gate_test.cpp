#include "proxy/admission/accept_gate.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy::admission {
namespace {

using std::chrono::milliseconds;

struct AcceptGateTest : testing::Test {
  AcceptGate gate{milliseconds(50), std::chrono::seconds(5)};
  TimePoint now = TimePoint(std::chrono::hours(1));
};

TEST_F(AcceptGateTest, WhileSomebodyKeepsUpEverybodyComesIn) {
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(gate.admits(now, false, false));
  EXPECT_FALSE(gate.narrow());
}

TEST_F(AcceptGateTest, WhileAllAreBehindAFewComeInAllTheSame) {
  const TimePoint began = now;
  int in = 0;
  for (; now < began + std::chrono::seconds(10); now += milliseconds(1)) {
    in += gate.admits(now, true, false) ? 1 : 0;
  }
  EXPECT_EQ(in, 200);
  EXPECT_TRUE(gate.narrow());
  EXPECT_EQ(gate.since(), began);
  EXPECT_TRUE(gate.admits(now, false, false));
  EXPECT_TRUE(gate.admits(now, false, false));
  EXPECT_FALSE(gate.narrow());
}

TEST_F(AcceptGateTest, ALongPauseIsNoCredit) {
  EXPECT_TRUE(gate.admits(now, true, false));
  now += std::chrono::hours(1);
  EXPECT_TRUE(gate.admits(now, true, false));
  EXPECT_FALSE(gate.admits(now, true, false));
}

TEST_F(AcceptGateTest, WhileAsManyLogInAsMayOthersWaitForTheirTurn) {
  EXPECT_TRUE(gate.admits(now, false, false));
  for (int i = 0; i < 100; ++i) {
    now += std::chrono::seconds(4);
    EXPECT_FALSE(gate.admits(now, false, true));
    now += std::chrono::seconds(4);
    EXPECT_TRUE(gate.admits(now, false, false)) << "one has ended";
  }
}

TEST_F(AcceptGateTest, NobodyWaitsForLoginsThatDoNotEnd) {
  EXPECT_FALSE(gate.admits(now, false, true));
  now += milliseconds(4999);
  EXPECT_FALSE(gate.admits(now, false, true));
  now += milliseconds(1);
  EXPECT_TRUE(gate.admits(now, false, true));
  EXPECT_TRUE(gate.admits(now, false, true));
  EXPECT_TRUE(gate.admits(now, false, false));
  EXPECT_FALSE(gate.admits(now, false, true));
}

}  // namespace
}  // namespace weirpool::proxy::admission
