// Clients of the console, proxy/session/console_session.cpp.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using protocol::Fault;
using protocol::console::Answer;
using test::ToyClient;
using test::ToyWorld;

Answer rows(std::size_t count, const std::string& cell) {
  Answer answer = Answer::done("SHOW");
  answer.table.rows.assign(count, {cell});
  return answer;
}

/// Sends a statement and waits until the host has been asked.
void ask(ToyWorld& world, ToyClient& client, const std::string& statement) {
  const std::size_t before = world.console_requests.size();
  client.send(statement + "\n");
  ASSERT_TRUE(world.until([&] { return world.console_requests.size() > before; }));
}

TEST(ConsoleSessionTest, NeedsNoBackendAndAsksInTheNameOfItsUser) {
  ToyWorld world(1);
  world.server.stop();
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in("app", "console"), "welcome");
  EXPECT_EQ(world.metrics().console.get(), 1);
  ask(world, client, "SHOW POOLS");
  EXPECT_EQ(world.console_requests[0].user, "app");
  EXPECT_EQ(world.console_requests[0].text, "SHOW POOLS");
  world.answer_console(rows(1, "x"));
  EXPECT_EQ(client.line(), "= x");
  EXPECT_EQ(client.line(), "SHOW");
  client.send("bye\n");
  EXPECT_EQ(client.line(), "<closed>");
  ASSERT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(world.metrics().console.get(), 0);
  EXPECT_EQ(world.logins_over, 1U);
}

TEST(ConsoleSessionTest, IsForThoseWhoMay) {
  ToyWorld world(1);
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in("batch", "console"), "fault console_denied");
}

TEST(ConsoleSessionTest, WorksWhenTheHouseIsFull) {
  ToyWorld world(1);
  world.refusal = Fault::too_many_clients;
  ToyClient shut_out = world.client();
  EXPECT_EQ(shut_out.log_in(), "fault too_many_clients");
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in("app", "console"), "welcome");
}

TEST(ConsoleSessionTest, WorksWhenMemoryIsShort) {
  ToyWorld world(1);
  world.refusal = Fault::short_of_memory;
  ToyClient shut_out = world.client();
  EXPECT_EQ(shut_out.log_in(), "fault short_of_memory");
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in("app", "console"), "welcome");
}

TEST(ConsoleSessionTest, AnAnswerLargerThanAnyBufferComesWhole) {
  ToyWorld world(1);
  ToyClient client = world.client();
  client.log_in("app", "console");
  ask(world, client, "SHOW CLIENTS");
  constexpr std::size_t kRows = 20000;
  world.answer_console(rows(kRows, std::string(100, 'x')));
  for (std::size_t i = 0; i < kRows; ++i) ASSERT_EQ(client.line().size(), 102U) << i;
  EXPECT_EQ(client.line(), "SHOW");
}

TEST(ConsoleSessionTest, StatementsThatArriveTogetherAreAnsweredOneByOne) {
  ToyWorld world(1);
  ToyClient client = world.client();
  client.log_in("app", "console");
  client.send("one\ntwo\n");
  ASSERT_TRUE(world.until([&] { return world.console_requests.size() == 1; }));
  world.settle();
  EXPECT_EQ(world.console_requests.size(), 1U);
  world.answer_console(Answer::done("1"));
  ASSERT_TRUE(world.until([&] { return world.console_requests.size() == 2; }));
  world.answer_console(Answer::failed("08P01", "2"));
  EXPECT_EQ(client.line(), "1");
  EXPECT_EQ(client.line(), "2");
}

TEST(ConsoleSessionTest, AClientThatLeavesWhileItWaitsIsForgotten) {
  ToyWorld world(1);
  ToyClient client = world.client();
  client.log_in("app", "console");
  ask(world, client, "PAUSE");
  client.close();
  ASSERT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(world.console_calls.front()->waiter, nullptr);
  world.answer_console(Answer::done("PAUSE"));
  world.settle();
}

TEST(ConsoleSessionTest, ADrainEndsAnIdleOneAndLetsAQuestionFinish) {
  ToyWorld world(1);
  ToyClient idle = world.client();
  ToyClient asking = world.client();
  idle.log_in("app", "console");
  asking.log_in("app", "console");
  ask(world, asking, "SHUTDOWN");
  world.begin_drain();
  EXPECT_EQ(idle.line(), "fault shutting_down");
  world.answer_console(Answer::done("SHUTDOWN"));
  EXPECT_EQ(asking.line(), "SHUTDOWN");
  EXPECT_EQ(asking.line(), "fault shutting_down");
}

TEST(ConsoleSessionTest, AViolationIsAnsweredAndCloses) {
  ToyWorld world(1);
  ToyClient client = world.client();
  client.log_in("app", "console");
  client.send("\n");
  EXPECT_EQ(client.line(), "fault protocol_violation");
  EXPECT_EQ(client.line(), "<closed>");
}

}  // namespace
}  // namespace weirpool::proxy
