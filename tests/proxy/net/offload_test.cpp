#include "proxy/net/offload.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <latch>
#include <thread>

#include "proxy/net/supervise.hpp"
#include "tests/support/toy_server.hpp"

namespace weirpool::proxy {
namespace {

class OffloadTest : public testing::Test {
 protected:
  template <class Work>
  Task<void> run(Work work, std::optional<std::string>& answer) {
    answer = co_await offload_.run(loop_, std::move(work));
  }
  bool until(const std::function<bool()>& holds) {
    return test::eventually(holds, [this] { loop_.io.run_one_for(std::chrono::milliseconds(5)); });
  }

  Loop loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> stay_{
      loop_.io.get_executor()};
  Offload offload_;
};

TEST_F(OffloadTest, WorkRunsElsewhereAndItsResultComesBack) {
  const std::thread::id here = std::this_thread::get_id();
  std::optional<std::string> answer;
  auto work = [here] {
    return std::string(std::this_thread::get_id() == here ? "here" : "elsewhere");
  };
  supervise("test", run(work, answer));
  EXPECT_FALSE(answer);
  EXPECT_TRUE(until([&] { return answer.has_value(); }));
  EXPECT_EQ(answer, "elsewhere");
}

TEST_F(OffloadTest, TheLoopGoesOnMeanwhile) {
  std::promise<void> gate;
  std::optional<std::string> answer;
  auto work = [&gate] {
    gate.get_future().wait();
    return std::string("late");
  };
  supervise("test", run(work, answer));
  bool turned = false;
  loop_.post([&turned] { turned = true; });
  EXPECT_TRUE(until([&] { return turned; }));
  EXPECT_FALSE(answer);
  gate.set_value();
  EXPECT_TRUE(until([&] { return answer.has_value(); }));
}

TEST_F(OffloadTest, ItsThreadsGiveWayToThisOne) {
  std::optional<std::string> answer;
  const auto niceness = [] { return ::getpriority(PRIO_PROCESS, 0); };
  supervise("test", run([&] { return std::to_string(niceness()); }, answer));
  EXPECT_TRUE(until([&] { return answer.has_value(); }));
  constexpr int kMost = 19;
  EXPECT_EQ(answer, std::to_string(std::min(niceness() + config::kOffloadNiceness, kMost)));
}

TEST_F(OffloadTest, SeveralThreadsWorkSideBySide) {
  Offload two(2);
  std::latch both(2);
  std::optional<std::string> answers[2];
  const auto ask = [&](std::optional<std::string>& answer) -> Task<void> {
    auto work = [&both] {
      both.arrive_and_wait();
      return std::string("met");
    };
    answer = co_await two.run(loop_, std::move(work));
  };
  for (auto& answer : answers) supervise("test", ask(answer));
  EXPECT_TRUE(until([&] { return answers[0] && answers[1]; }));
}

TEST_F(OffloadTest, StopsTwice) {
  offload_.stop();
  offload_.stop();
}

}  // namespace
}  // namespace weirpool::proxy
