#include "proxy/net/turns.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <exception>
#include <optional>
#include <string>

#include "proxy/net/task.hpp"
#include "tests/support/fail_on_exception.hpp"

namespace weirpool::proxy {
namespace {

using test::fail_on_exception;

class TurnsTest : public testing::Test {
 protected:
  Task<void> steps(char name, int count) {
    Signal signal;
    for (int i = 0; i < count; ++i) {
      const Turns::Place place(turns_, signal);
      while (!place.mine()) co_await signal.wait();
      done_ += name;
    }
  }
  void begin(char name, int count) { spawn(steps(name, count), fail_on_exception); }
  /// What is due each time around, as long as anything is.
  void work(int rounds) {
    if (rounds == 0) return;
    boost::asio::post(io_, [this, rounds] {
      done_ += '.';
      work(rounds - 1);
    });
  }

  boost::asio::io_context io_;
  Turns turns_{io_};
  std::string done_;
};

TEST_F(TurnsTest, WhoComesAloneIsNotKept) {
  begin('a', 1);
  EXPECT_EQ(done_, "a");
  io_.run();
  begin('b', 1);
  EXPECT_EQ(done_, "ab");
}

TEST_F(TurnsTest, BetweenTwoStepsEverythingElseGetsItsTurn) {
  begin('a', 1);
  begin('b', 2);
  begin('c', 1);
  EXPECT_EQ(done_, "a");
  work(5);
  io_.run();
  EXPECT_EQ(done_, "ab.c.b...");
}

TEST_F(TurnsTest, WhoLeavesTheLineIsPassedOver) {
  begin('a', 1);
  Signal signal;
  std::optional<Turns::Place> gone(std::in_place, turns_, signal);
  begin('b', 1);
  EXPECT_FALSE(gone->mine());
  gone.reset();
  io_.run();
  EXPECT_EQ(done_, "ab");
}

}  // namespace
}  // namespace weirpool::proxy
