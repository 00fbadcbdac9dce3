#include "proxy/net/signal.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <vector>

#include "proxy/net/task.hpp"
#include "tests/support/fail_on_exception.hpp"

namespace weirpool::proxy {
namespace {

using test::fail_on_exception;

Task<void> wait_times(Signal& signal, int times, int& woken) {
  for (int i = 0; i < times; ++i) {
    co_await signal.wait();
    ++woken;
  }
}

TEST(Signal, NotifyBeforeWaitIsRemembered) {
  Signal signal;
  int woken = 0;
  signal.notify();
  spawn(wait_times(signal, 1, woken), fail_on_exception);
  EXPECT_EQ(woken, 1);
}

TEST(Signal, ManyNotifiesBeforeAWaitAreOne) {
  Signal signal;
  int woken = 0;
  signal.notify();
  signal.notify();
  spawn(wait_times(signal, 2, woken), fail_on_exception);
  EXPECT_EQ(woken, 1);
  signal.notify();
  EXPECT_EQ(woken, 2);
}

TEST(Signal, NotifyLaterResumesFromTheLoopAndOnlyOnce) {
  boost::asio::io_context io;
  ReadyQueue queue(io);
  Signal signal;
  int woken = 0;
  spawn(wait_times(signal, 2, woken), fail_on_exception);
  signal.notify_later(queue);
  signal.notify_later(queue);
  EXPECT_EQ(woken, 0);
  io.run();
  EXPECT_EQ(woken, 1);
  signal.notify();
  EXPECT_EQ(woken, 2);
}

TEST(Signal, ASignalDestroyedWhileDueIsForgotten) {
  boost::asio::io_context io;
  ReadyQueue queue(io);
  {
    Signal signal;
    signal.notify_later(queue);
  }
  EXPECT_EQ(io.run(), 1U);
}

/// What else the loop has to do.
void count_rounds(boost::asio::io_context& io, int& rounds, const bool& over) {
  ++rounds;
  if (!over) boost::asio::post(io, [&] { count_rounds(io, rounds, over); });
}

Task<void> be_busy(Signal& signal, std::chrono::microseconds busy, int& woken) {
  co_await signal.wait();
  const auto until = std::chrono::steady_clock::now() + busy;
  while (std::chrono::steady_clock::now() < until) {
  }
  ++woken;
}

TEST(Signal, ASlicedQueueLetsTheLoopGoOnBetween) {
  constexpr int kMany = 8;
  boost::asio::io_context io;
  ReadyQueue queue(io, std::chrono::milliseconds(1));
  std::array<Signal, kMany> signals;
  int woken = 0;
  for (Signal& signal : signals) {
    spawn(be_busy(signal, std::chrono::milliseconds(1), woken), fail_on_exception);
    signal.notify_later(queue);
  }
  int rounds = 0;
  bool over = false;
  count_rounds(io, rounds, over);
  while (woken < kMany) io.run_one();
  over = true;
  EXPECT_GE(rounds, kMany) << "each of them takes a whole slice";
}

TEST(Signal, WhatIsLeftOfASliceComesBeforeWhatIsNew) {
  boost::asio::io_context io;
  ReadyQueue queue(io, std::chrono::microseconds(1));
  std::array<Signal, 3> signals;
  std::vector<int> order;
  const auto note = [&](int which) -> Task<void> {
    co_await signals[static_cast<std::size_t>(which)].wait();
    order.push_back(which);
    if (which == 0) signals[2].notify_later(queue);
  };
  for (const int which : {0, 1, 2}) spawn(note(which), fail_on_exception);
  signals[0].notify_later(queue);
  signals[1].notify_later(queue);
  io.run();
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

Task<int> answer() { co_return 42; }
Task<int> broken() {
  throw std::runtime_error("broken");
  co_return 0;
}
Task<void> collect(std::vector<int>& out) {
  const int value = co_await answer();
  out.push_back(value);
  const int never = co_await broken();
  out.push_back(never);
}

TEST(Task, ValuesComeBackAndExceptionsReachTheRoot) {
  std::vector<int> out;
  bool caught = false;
  auto note = [&caught](const std::exception_ptr& failed) noexcept { caught = failed != nullptr; };
  spawn(collect(out), note);
  EXPECT_EQ(out, std::vector<int>{42});
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace weirpool::proxy
