#include "proxy/net/signal.hpp"

#include <gtest/gtest.h>

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
