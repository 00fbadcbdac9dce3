#include "proxy/net/deadlines.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "proxy/net/task.hpp"

namespace weirpool::proxy {
namespace {

using std::chrono::milliseconds;

struct Waiting {
  explicit Waiting(Deadlines& all) : deadline(all, signal) {}
  Signal signal;
  Deadline deadline;
};

Task<void> note_order(Waiting& waiting, int id, std::vector<int>& order) {
  co_await waiting.signal.wait();
  order.push_back(waiting.deadline.passed() ? id : -id);
}

void start(Waiting& waiting, int id, std::vector<int>& order) {
  spawn(note_order(waiting, id, order), [](const std::exception_ptr&) { FAIL(); });
}

class DeadlinesTest : public testing::Test {
 protected:
  boost::asio::io_context io_;
  Deadlines deadlines_{io_};
  std::vector<int> order_;
};

TEST_F(DeadlinesTest, PassInOrderOfTimeNotOfArming) {
  Waiting late(deadlines_);
  Waiting early(deadlines_);
  start(late, 1, order_);
  start(early, 2, order_);
  late.deadline.arm_in(milliseconds(20));
  early.deadline.arm_in(milliseconds(5));
  io_.run();
  EXPECT_EQ(order_, (std::vector<int>{2, 1}));
}

TEST_F(DeadlinesTest, DisarmedOnesNeverPass) {
  Waiting waiting(deadlines_);
  start(waiting, 1, order_);
  waiting.deadline.arm_in(milliseconds(2));
  waiting.deadline.disarm();
  io_.run();
  EXPECT_TRUE(order_.empty());
  waiting.signal.notify();
  EXPECT_EQ(order_, std::vector<int>{-1});
}

TEST_F(DeadlinesTest, MovedLaterKeepsItsLaterTime) {
  Waiting waiting(deadlines_);
  start(waiting, 1, order_);
  const TimePoint begun = Clock::now();
  waiting.deadline.arm_in(milliseconds(5));
  waiting.deadline.arm_in(milliseconds(40));
  io_.run();
  EXPECT_GE(Clock::now() - begun, milliseconds(40));
  EXPECT_EQ(order_, std::vector<int>{1});
}

TEST_F(DeadlinesTest, MovedEarlierPassesEarlier) {
  Waiting waiting(deadlines_);
  Waiting other(deadlines_);
  start(waiting, 1, order_);
  start(other, 2, order_);
  waiting.deadline.arm_in(milliseconds(60));
  other.deadline.arm_in(milliseconds(20));
  waiting.deadline.arm_in(milliseconds(2));
  io_.run();
  EXPECT_EQ(order_, (std::vector<int>{1, 2}));
}

TEST_F(DeadlinesTest, ZeroMeansNever) {
  Waiting waiting(deadlines_);
  waiting.deadline.arm_in(milliseconds(0));
  EXPECT_FALSE(waiting.deadline.armed());
  EXPECT_EQ(io_.run(), 0U);
}

TEST_F(DeadlinesTest, DestroyedWhileArmedIsForgotten) {
  auto waiting = std::make_unique<Waiting>(deadlines_);
  waiting->deadline.arm_in(milliseconds(2));
  waiting.reset();
  io_.run();
  EXPECT_TRUE(order_.empty());
}

}  // namespace
}  // namespace weirpool::proxy
