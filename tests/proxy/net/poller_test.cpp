#include "proxy/net/poller.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "tests/support/socket_pair.hpp"

namespace weirpool::proxy {
namespace {

/// A socket of which every event is noted.
struct Noted final : Poller::Entry {
  explicit Noted(Poller& all) : poller(all), fd(pair.give_theirs()) { poller.add(fd, *this); }
  ~Noted() {
    poller.remove(fd, *this, true);
    ::close(fd);
  }
  void ready(std::uint32_t told) override {
    events.push_back(told);
    if (then) then();
  }

  Poller& poller;
  test::SocketPair pair;
  int fd;
  std::vector<std::uint32_t> events;
  std::function<void()> then;
};

class PollerTest : public testing::Test {
 protected:
  void look() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }

  boost::asio::io_context io_;
  Poller poller_{io_};
};

TEST_F(PollerTest, TellsTheFirstStateAndThenOnlyChanges) {
  Noted one(poller_);
  look();
  ASSERT_EQ(one.events.size(), 1U);
  EXPECT_EQ(one.events[0] & (EPOLLIN | EPOLLOUT), EPOLLOUT);
  look();
  EXPECT_EQ(one.events.size(), 1U);
  ASSERT_TRUE(one.pair.write("a"));
  look();
  ASSERT_EQ(one.events.size(), 2U);
  EXPECT_NE(one.events[1] & EPOLLIN, 0U);
  look();
  EXPECT_EQ(one.events.size(), 2U);
  ASSERT_TRUE(one.pair.write("b"));  // unread bytes do not hide new ones
  look();
  EXPECT_EQ(one.events.size(), 3U);
}

TEST_F(PollerTest, TellsTheEndOfAStream) {
  Noted one(poller_);
  look();
  one.pair.close_ours();
  look();
  EXPECT_NE(one.events.back() & EPOLLRDHUP, 0U);
}

TEST_F(PollerTest, EventsAlreadyFetchedAreForgottenWithTheirEntry) {
  auto first = std::make_unique<Noted>(poller_);
  auto second = std::make_unique<Noted>(poller_);
  int told = 0;
  const auto end_both = [&] {
    ++told;
    // Whichever is told first ends the other one, whose event waits in the same batch.
    (first->events.empty() ? first : second).reset();
  };
  first->then = end_both;
  second->then = end_both;
  look();
  EXPECT_EQ(told, 1);
}

TEST_F(PollerTest, AnEntryMayEndItselfWhileItIsTold) {
  auto one = std::make_unique<Noted>(poller_);
  one->then = [&] { std::exchange(one, nullptr).reset(); };
  look();
  EXPECT_EQ(one, nullptr);
}

TEST_F(PollerTest, ComesBackOnceHoweverOftenItIsAsked) {
  Noted one(poller_);
  look();
  one.events.clear();
  poller_.come_back(one);
  poller_.come_back(one);
  EXPECT_TRUE(one.events.empty());
  look();
  EXPECT_EQ(one.events, std::vector<std::uint32_t>{0});
}

TEST_F(PollerTest, WhoIsGoneDoesNotComeBack) {
  auto one = std::make_unique<Noted>(poller_);
  poller_.come_back(*one);
  one.reset();
  look();
}

TEST_F(PollerTest, MoreSocketsThanFitOneBatchAreAllTold) {
  std::vector<std::unique_ptr<Noted>> many;
  for (int i = 0; i < 300; ++i) many.push_back(std::make_unique<Noted>(poller_));
  look();
  for (const auto& one : many) EXPECT_EQ(one->events.size(), 1U);
}

TEST_F(PollerTest, SocketsThatComeWhileOthersAreToldDoNotMultiplyTheWaits) {
  Noted first(poller_);
  std::vector<std::unique_ptr<Noted>> later;
  first.then = [&] { later.push_back(std::make_unique<Noted>(poller_)); };
  look();
  ASSERT_TRUE(first.pair.write("x"));
  look();
  ASSERT_EQ(later.size(), 2U);
  ASSERT_TRUE(later[0]->pair.write("x"));
  io_.restart();
  EXPECT_EQ(io_.poll_one(), 1U);  // the one wait there is
  EXPECT_EQ(later[0]->events.size(), 2U);
  EXPECT_EQ(io_.poll_one(), 0U);
}

TEST_F(PollerTest, WhatTheKernelCannotWatchIsRefused) {
  struct Nothing final : Poller::Entry {
    void ready(std::uint32_t) override {}
  } nothing;
  EXPECT_FALSE(poller_.add(-1, nothing));
}

}  // namespace
}  // namespace weirpool::proxy
