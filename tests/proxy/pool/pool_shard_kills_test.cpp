// One client ends another's statement or session; statements whose client is gone are ended too.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/toy_world.hpp"

namespace weirpool::test {
namespace {

using metrics::ClientState;
using proxy::ConnectPacer;

/// As its greeting announced it.
std::string id_of(const ToyClient& client) {
  return client.cancel_key().substr(0, client.cancel_key().find(' '));
}

/// What weirpool answers to a line that never reaches a backend.
std::string told(ToyClient& client, const std::string& line) {
  client.send(line + "\n");
  return client.line();
}

TEST(SessionKillTest, OneClientEndsAnothersStatementOrSession) {
  ToyWorld world(2);
  ToyClient victim = world.logged_in();
  ToyClient killer = world.logged_in();
  victim.send("slow one\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  EXPECT_EQ(told(killer, "kill 99999"), "unknown");
  EXPECT_EQ(told(killer, "kill " + id_of(victim)), "done");
  EXPECT_EQ(victim.answer(), "= cancelled,idle");
  EXPECT_EQ(told(killer, "kill " + id_of(victim)), "done") << "nothing runs";
  EXPECT_EQ(victim.ask("echo on"), "= on,idle");
  EXPECT_EQ(told(killer, "end " + id_of(victim)), "done");
  EXPECT_EQ(victim.line(), "<closed>");
  ToyClient stranger = world.logged_in("batch");
  EXPECT_EQ(told(stranger, "end " + id_of(killer)), "not_owner");
  EXPECT_EQ(killer.ask("echo here"), "= here,idle");
}

TEST(SessionKillTest, StatementsOfTheDeadAreKilledThroughTheReserve) {
  ToyWorld world(4, config::TargetSession::any, true);
  std::vector<ToyClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(world.logged_in());
    clients.back().send("slow forever\n");
  }
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 3; }));
  ToyClient waiter = world.logged_in();
  waiter.send("echo me\n");
  for (ToyClient& client : clients) client.close_with_reset();
  EXPECT_EQ(waiter.answer(), "= me,idle");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 0; }));
  EXPECT_EQ(world.server.counts().cancels, 3U);
  EXPECT_LE(world.server.counts().most_open, 4U);
}

TEST(SessionKillTest, AKilledBackendIsFencedBeforeItIsLentAgain) {
  ToyWorld world(2, config::TargetSession::any, true);
  ToyClient victim = world.logged_in();
  ToyClient killer = world.logged_in();
  victim.send("slow answer\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  EXPECT_EQ(told(killer, "kill " + id_of(victim)), "done");
  EXPECT_EQ(victim.answer(), "= cancelled,idle");
  EXPECT_EQ(victim.ask("echo next"), "= next,idle");
  EXPECT_EQ(world.server.counts().pings, 1U);
  EXPECT_EQ(world.server.counts().logins, 2U) << "one of them to kill";
}

TEST(SessionKillTest, LoginsOfKillsArePacedLikeAllOthers) {
  ToyWorld world(4, config::TargetSession::any, true);
  ToyClient victim = world.logged_in();
  victim.send("slow answer\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  world.config.limits.max_connecting = 1;
  world.apply();
  const auto limits = ConnectPacer::Limits::of(world.config);
  ASSERT_TRUE(world.target.begin_attempt(limits)) << "somebody else connects";
  ToyClient killer = world.logged_in();
  EXPECT_EQ(told(killer, "kill " + id_of(victim)), "done");
  for (int i = 0; i < 20; ++i) world.turn();
  EXPECT_EQ(world.server.counts().logins, 1U);
  world.target.attempt_ended(ConnectPacer::Outcome::connected, {}, limits);
  EXPECT_EQ(victim.answer(), "= cancelled,idle");
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(SessionKillTest, AKillThatWaitsForTheReserveIsVoidWhenItsStatementEnds) {
  ToyWorld world(2, config::TargetSession::any, true);
  ASSERT_TRUE(world.target.ledger().try_open_reserved());  // somebody else has it
  ToyClient victim = world.logged_in();
  ToyClient killer = world.logged_in();
  EXPECT_EQ(victim.ask("begin"), "open");
  victim.send("slow answer\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  EXPECT_EQ(told(killer, "kill " + id_of(victim)), "done");
  world.server.release_slow();
  EXPECT_EQ(victim.answer(), "= answer,open");
  EXPECT_EQ(victim.ask("echo next"), "= next,open");
  EXPECT_EQ(victim.ask("commit"), "idle");
  EXPECT_EQ(killer.ask("echo me"), "= me,idle") << "by the same backend";
  world.target.ledger().closed_reserved();
  world.settle();
  EXPECT_EQ(world.server.counts().cancels, 0U);
}

TEST(SessionKillTest, AStatementIsKilledAtTheHostThatRunsIt) {
  ToyServer second;
  ToyWorld world(4, config::TargetSession::any, true, {{"127.0.0.1", second.port()}});
  ToyClient first = world.logged_in();
  first.send("slow one\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  world.target.served_by({"127.0.0.1", second.port()});
  ToyClient other = world.logged_in();
  other.send("slow other\n");
  ASSERT_TRUE(world.until([&] { return second.counts().slow == 1; }));
  ToyClient killer = world.logged_in();
  EXPECT_EQ(told(killer, "kill " + id_of(first)), "done");
  EXPECT_EQ(told(killer, "kill " + id_of(other)), "done");
  EXPECT_EQ(first.answer(), "= cancelled,idle");
  EXPECT_EQ(other.answer(), "= cancelled,idle");
  EXPECT_EQ(world.server.counts().cancels, 1U);
  EXPECT_EQ(second.counts().cancels, 1U);
}

TEST(SessionKillTest, WithoutAReserveNothingIsKilled) {
  ToyWorld world(1, config::TargetSession::any, true);
  ToyClient victim = world.logged_in();
  ToyClient killer = world.logged_in();
  victim.send("slow answer\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  EXPECT_EQ(told(killer, "kill " + id_of(victim)), "done");
  world.settle();
  world.server.release_slow();
  EXPECT_EQ(victim.answer(), "= answer,idle");
  EXPECT_EQ(world.server.counts().cancels, 0U);
}

TEST(SessionKillTest, AStatementThatWaitsForABackendIsCancelledThere) {
  ToyWorld world(1);
  ToyClient holder = world.logged_in();
  EXPECT_EQ(holder.ask("begin"), "open");
  ToyClient waiter = world.logged_in();
  waiter.send("echo never\n");
  ASSERT_TRUE(world.until([&] { return world.clients(ClientState::waiting) == 1; }));
  ToyClient killer = world.logged_in();
  EXPECT_EQ(told(killer, "kill " + id_of(waiter)), "done");
  EXPECT_EQ(waiter.line(), "fault cancelled");
  EXPECT_EQ(holder.ask("commit"), "idle");
  EXPECT_EQ(waiter.ask("echo again"), "= again,idle");
}

}  // namespace
}  // namespace weirpool::test
