#include "proxy/pool/exchange.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "proxy/net/supervise.hpp"
#include "tests/support/socket_pair.hpp"
#include "tests/support/toy_server.hpp"

namespace weirpool::proxy {
namespace {

using protocol::Fault;
using protocol::MutableBytes;
using protocol::Party;
using protocol::Verdict;

/// Says what it was told to say, one verdict per step; after that it needs more.
class Scripted final : public protocol::Engine {
 public:
  explicit Scripted(std::deque<Verdict> script) : script_(std::move(script)) {}

  Verdict step(Party from, MutableBytes unread) override {
    EXPECT_EQ(from, Party::backend);
    seen = protocol::text_of(unread);
    if (script_.empty()) return Verdict::need(unread.size() + 1);
    const Verdict next = script_.front();
    // A need is over when it is met.
    if (next.kind == Verdict::Kind::need && unread.size() < next.count) return next;
    script_.pop_front();
    return next.kind == Verdict::Kind::need ? step(from, unread) : next;
  }

  std::string seen;

 private:
  std::deque<Verdict> script_;
};

Task<void> run_into(Exchange& exchange, protocol::Engine& engine, TimePoint until,
                    std::optional<Verdict>& result) {
  result = co_await exchange.run(engine, until);
}

Task<void> drain_into(Exchange& exchange, TimePoint until, bool& over) {
  if (until == TimePoint::max()) {
    co_await exchange.drain_to_end();
  } else {
    co_await exchange.await_end(until);
  }
  over = true;
}

class ExchangeTest : public testing::Test {
 protected:
  ExchangeTest() : stream_(loop_.poller, Stream::Parts{sockets_.give_theirs(), nullptr}) {}

  void turn() { loop_.io.run_one_for(std::chrono::milliseconds(5)); }
  bool until(const std::function<bool()>& holds) {
    return test::eventually(holds, [this] { turn(); });
  }
  void start(Exchange& exchange, protocol::Engine& engine, TimePoint until = TimePoint::max()) {
    supervise("test", run_into(exchange, engine, until, result_));
  }

  Loop loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> stay_{
      loop_.io.get_executor()};
  test::SocketPair sockets_;
  Stream stream_;
  std::optional<Verdict> result_;
};

TEST_F(ExchangeTest, SendsReadsSkipsAndEnds) {
  Exchange exchange(loop_, stream_);
  Scripted engine({Verdict::send(Party::backend, protocol::bytes_of("hello ")),
                   Verdict::send(Party::backend, protocol::bytes_of("there\n")), Verdict::need(5),
                   Verdict::skip(3), Verdict::done()});
  start(exchange, engine);
  EXPECT_FALSE(result_.has_value());
  EXPECT_EQ(sockets_.read(), "hello there\n");
  sockets_.write("ab");
  turn();
  EXPECT_FALSE(result_.has_value());
  sockets_.write("cde");
  ASSERT_TRUE(until([&] { return result_.has_value(); }));
  EXPECT_EQ(result_->kind, Verdict::Kind::done);
  EXPECT_EQ(engine.seen, "de");
  EXPECT_TRUE(exchange.leftover());
}

TEST_F(ExchangeTest, WhatIsSentBeforeTheEndHasLeft) {
  Exchange exchange(loop_, stream_);
  Scripted engine({Verdict::send(Party::backend, protocol::bytes_of("last")), Verdict::done()});
  start(exchange, engine);
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(sockets_.read(), "last");
  EXPECT_FALSE(exchange.leftover());
}

TEST_F(ExchangeTest, ALargeSendWaitsForThePeer) {
  const std::string large(4U << 20U, 'x');
  Exchange exchange(loop_, stream_);
  Scripted engine({Verdict::send(Party::backend, protocol::bytes_of(large)), Verdict::done()});
  start(exchange, engine);
  EXPECT_FALSE(result_.has_value());
  std::size_t heard = 0;
  ASSERT_TRUE(until([&] {
    heard += sockets_.read().size();
    return result_.has_value();
  }));
  heard += sockets_.read().size();
  EXPECT_EQ(result_->kind, Verdict::Kind::done);
  EXPECT_EQ(heard, large.size());
}

TEST_F(ExchangeTest, ALostStreamIsUnavailable) {
  Exchange exchange(loop_, stream_);
  Scripted engine({});
  start(exchange, engine);
  sockets_.close_ours();
  ASSERT_TRUE(until([&] { return result_.has_value(); }));
  EXPECT_EQ(result_->kind, Verdict::Kind::close);
  EXPECT_EQ(result_->fault, Fault::backend_unavailable);
  EXPECT_FALSE(exchange.timed_out());
}

TEST_F(ExchangeTest, ASilentPeerRunsOutOfTime) {
  Exchange exchange(loop_, stream_);
  Scripted engine({});
  start(exchange, engine, Clock::now() + config::Duration(10));
  ASSERT_TRUE(until([&] { return result_.has_value(); }));
  EXPECT_EQ(result_->fault, Fault::backend_unavailable);
  EXPECT_TRUE(exchange.timed_out());
}

TEST_F(ExchangeTest, AVerdictThatMakesNoSenseHereEndsIt) {
  for (const Verdict& wrong : {Verdict::lease(), Verdict::release(), Verdict::forward(1),
                               Verdict::hold(), Verdict::learn()}) {
    Exchange exchange(loop_, stream_);
    Scripted engine({wrong});
    result_.reset();
    start(exchange, engine);
    ASSERT_TRUE(result_.has_value());
    EXPECT_EQ(result_->kind, Verdict::Kind::close);
    EXPECT_EQ(result_->fault, Fault::backend_violation);
  }
}

TEST_F(ExchangeTest, ACloseKeepsItsFault) {
  Exchange exchange(loop_, stream_);
  Scripted engine({Verdict::close(Fault::unknown_database)});
  start(exchange, engine);
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->fault, Fault::unknown_database);
}

TEST_F(ExchangeTest, StopsForAKeyAndGoesOn) {
  Exchange exchange(loop_, stream_);
  Scripted engine({Verdict::derive(), Verdict::done()});
  start(exchange, engine);
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->kind, Verdict::Kind::derive);
  start(exchange, engine);
  EXPECT_EQ(result_->kind, Verdict::Kind::done);
}

TEST_F(ExchangeTest, DrainingEndsOnlyWithThePeersEnd) {
  Exchange exchange(loop_, stream_);
  bool over = false;
  supervise("test", drain_into(exchange, TimePoint::max(), over));
  sockets_.write(std::string(100000, 'x'));
  for (int i = 0; i < 10; ++i) turn();
  EXPECT_FALSE(over);
  sockets_.close_ours();
  EXPECT_TRUE(until([&] { return over; }));
}

TEST_F(ExchangeTest, AwaitingTheEndHasAnEndOfItsOwn) {
  Exchange exchange(loop_, stream_);
  bool over = false;
  supervise("test", drain_into(exchange, Clock::now() + config::Duration(10), over));
  EXPECT_TRUE(until([&] { return over; }));
}

TEST_F(ExchangeTest, NobodyWatchesAStreamWhoseExchangeIsOver) {
  {
    Exchange exchange(loop_, stream_);
    stream_.arm_read();
  }
  sockets_.write("late");
  for (int i = 0; i < 3; ++i) turn();
  EXPECT_FALSE(stream_.quiet());
}

}  // namespace
}  // namespace weirpool::proxy
