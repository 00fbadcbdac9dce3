// What bounds a session: time, pool modes, names of databases, numbers of clients.
#include <gtest/gtest.h>

#include <string>

#include "config/network.hpp"
#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using metrics::ClientState;
using test::ToyClient;
using test::ToyWorld;

TEST(SessionLimits, ATransactionThatLastsTooLongEndsHoweverBusyItIs) {
  ToyWorld world(1);
  world.config.timeouts.transaction_timeout = config::Duration(60);
  world.config.timeouts.idle_transaction_timeout = test::kPatience;
  world.apply();
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  std::string answer;
  const auto busy = [&] { return (answer = client.ask("echo on")) != "= on,open"; };
  EXPECT_TRUE(world.until(busy));
  EXPECT_EQ(answer, "fault transaction_timeout");
  // The next one is a transaction of its own, and being idle outside one is none.
  ToyClient other = world.logged_in();
  EXPECT_EQ(other.ask("echo one"), "= one,idle");
  world.settle();
  world.settle();
  EXPECT_EQ(other.ask("echo two"), "= two,idle");
}

TEST(SessionLimits, AQueryThatRunsTooLongIsCancelledAndItsClientTold) {
  ToyWorld world(1);
  world.config.timeouts.query_timeout = config::Duration(30);
  world.apply();
  ToyClient client = world.logged_in();
  client.send("slow forever\n");
  EXPECT_EQ(client.line(), "fault query_timeout");
  ToyClient other = world.logged_in();
  EXPECT_EQ(other.ask("echo next"), "= next,idle");
  EXPECT_EQ(world.server.counts().cancels, 1U);
}

TEST(SessionLimits, EachQueryOfATransactionHasTheWholeTime) {
  ToyWorld world(1);
  world.config.timeouts.query_timeout = config::Duration(400);
  world.apply();
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  std::string pipelined;
  for (int i = 0; i < 10; ++i) pipelined += "slow " + std::to_string(i) + "\n";
  client.send(pipelined);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
    world.settle();  // 50 ms and more, ten times
    world.server.release_slow();
    EXPECT_EQ(client.answer(), "= " + std::to_string(i) + ",open");
  }
}

// --- pool modes, aliases, numbers of clients -----------------------------------------------------

TEST(SessionLimits, InSessionModeABackendBelongsToItsClientAndIsResetBehindIt) {
  ToyWorld world(1);
  world.config.pool.mode = config::PoolMode::session;
  world.apply();
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("echo one"), "= one,idle");
  ToyClient second = world.logged_in();
  second.send("echo me\n");
  ASSERT_TRUE(world.until([&] { return world.clients(ClientState::waiting) == 1; }));
  EXPECT_EQ(first.ask("echo two"), "= two,idle");
  EXPECT_FALSE(second.has_line());
  first.send("bye\n");
  EXPECT_EQ(second.answer(), "= me,idle");
  EXPECT_EQ(world.server.counts().resets, 1U);
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(SessionLimits, InStatementModeATransactionIsRefused) {
  ToyWorld world(1);
  world.config.users["batch"].pool_mode = config::PoolMode::statement;
  world.apply();
  ToyClient client = world.logged_in("batch");
  EXPECT_EQ(client.ask("echo one"), "= one,idle");
  EXPECT_EQ(client.ask("begin"), "open");
  EXPECT_EQ(client.line(), "fault transaction_refused");
  ToyClient other = world.logged_in();
  EXPECT_EQ(other.ask("begin"), "open");
}

TEST(SessionLimits, ADatabaseMayBeResetAfterEveryTransaction) {
  ToyWorld world(1);
  world.config.databases["shop"].reset_query_always = true;
  world.apply();
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("echo one"), "= one,idle");
  EXPECT_EQ(client.ask("echo two"), "= two,idle");
  EXPECT_TRUE(world.until([&] { return world.server.counts().resets == 2; }));
}

TEST(SessionLimits, ANameLeadsToAnotherDatabaseAndUser) {
  ToyWorld world(1);
  std::string user;
  std::string database;
  world.server.answer_logins([&](const auto& as, const auto& to, const auto&) {
    user = as;
    database = to;
    return "ok";
  });
  world.config.databases["reports"].database = "shop_2026";
  world.config.databases["reports"].user = "batch";
  world.apply();
  ToyClient client = world.logged_in("app", "reports");
  EXPECT_EQ(client.ask("echo one"), "= one,idle");
  EXPECT_EQ(user, "batch");
  EXPECT_EQ(database, "shop_2026");
  ToyClient lost = world.client();
  EXPECT_EQ(lost.log_in("app", "shop"), "fault unknown_database");
}

TEST(SessionLimits, ClientsOfAUserADatabaseAndASourceAreCounted) {
  using protocol::Fault;
  ToyWorld world(1);
  world.config.users["app"].max_user_client_connections = 1;
  world.config.limits.max_db_client_connections = 2;
  world.config.limits.max_source_client_connections = 4;
  world.apply();
  ToyClient first = world.logged_in();
  ToyClient again = world.client();
  EXPECT_EQ(again.log_in(), "fault too_many_of_user");
  again.close();
  ToyClient second = world.logged_in("batch");
  ToyClient third = world.client();
  EXPECT_EQ(third.log_in("batch"), "fault too_many_of_database");
  third.close();
  ASSERT_TRUE(world.until([&] { return world.sessions() == 2; }));
  ToyClient elsewhere = world.logged_in("batch", "other");
  ToyClient there = world.logged_in("batch", "other");
  ToyClient beyond = world.client();
  EXPECT_EQ(beyond.log_in("batch", "more"), "fault too_many_of_source");
  elsewhere.close();
  ASSERT_TRUE(world.until([&] { return world.sessions() < 5; }));
  first.close();
  ASSERT_TRUE(world.until([&] { return world.sessions() < 4; }));
  EXPECT_EQ(world.client().log_in(), "welcome");
}

TEST(SessionLimits, AClientCountsAsItselfWhoeverItsPoolLogsInAs) {
  ToyWorld world(1);
  world.config.databases["shop"].user = "batch";
  world.config.users["batch"].max_user_client_connections = 1;
  world.config.users["app"].max_user_client_connections = 2;
  world.apply();
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(world.client().log_in(), "fault too_many_of_user");
}

/// Whoever waits for what one client does not send, or does not take, gets its backend.
TEST(SessionLimits, AClientThatStallsItsStatementIsAsIdleAsInATransaction) {
  ToyWorld world(1);
  world.config.timeouts.idle_transaction_timeout = config::Duration(100);
  world.apply();
  ToyClient half = world.logged_in();
  half.send("put 100000\nthe beginning");
  EXPECT_EQ(world.logged_in().ask("echo one"), "= one,idle");
  ToyClient deaf = world.client(4096);
  EXPECT_EQ(deaf.log_in(), "welcome");
  deaf.send("big 20000000\n");
  ASSERT_TRUE(world.until([&] { return world.clients(ClientState::active) == 1; }));
  EXPECT_EQ(world.logged_in().ask("echo two"), "= two,idle");
  // One whose statement takes long does not.
  ToyClient patient = world.logged_in();
  patient.send("slow work\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  for (int i = 0; i < 4; ++i) world.settle();  // 50 ms and more
  EXPECT_FALSE(patient.ended());
  world.server.release_slow();
  EXPECT_EQ(patient.answer(), "= work,idle");
}

TEST(SessionLimits, OthersMayNotWaitForAStalledStatementEither) {
  ToyWorld world(1);
  world.config.timeouts.idle_transaction_timeout = test::kPatience;
  world.config.timeouts.idle_transaction_timeout_waiting = config::Duration(50);
  world.apply();
  ToyClient half = world.logged_in();
  half.send("put 100000\nthe beginning");
  EXPECT_EQ(world.logged_in().ask("echo one"), "= one,idle");
}

TEST(SessionLimits, AWriterThatHasBecomeAStandbyIsLeft) {
  ToyWorld world(2);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("deny"), "= read only,idle");
  EXPECT_EQ(client.ask("echo same"), "= same,idle");
  EXPECT_EQ(world.server.counts().logins, 1U);  // nobody asked for a writer
  ToyWorld writers(2, config::TargetSession::primary);
  ToyClient writer = writers.logged_in();
  EXPECT_EQ(writer.ask("deny"), "= read only,idle");
  EXPECT_EQ(writer.ask("echo same"), "= same,idle");
  EXPECT_EQ(writers.server.counts().logins, 1U);  // its server is still the primary
  writers.server.play_role("standby");
  EXPECT_EQ(writer.ask("deny"), "= read only,idle");
  ASSERT_TRUE(writers.until([&] { return writers.target.ledger().open() == 0; }));
  writers.server.play_role("primary");
  EXPECT_EQ(writer.ask("echo elsewhere"), "= elsewhere,idle");
  EXPECT_EQ(writers.server.counts().logins, 2U);
  EXPECT_EQ(writers.closed(writers.pool(), metrics::CloseReason::outdated), 1U);
}

/// Whoever asks for any server gets none thrown out for its role: but its name may lead elsewhere.
TEST(SessionLimits, NamesAreLookedUpWhenAServerRefusesToWrite) {
  ToyWorld world(2);
  world.config.timeouts.dns_max_ttl = test::kPatience;
  world.apply();
  const config::IpBytes here = config::parse_network("127.0.0.1").value.value().prefix;
  const config::IpBytes other = config::parse_network("192.0.2.1").value.value().prefix;
  const TimePoint since = Clock::now();
  const auto gone = [&] { return world.target.outdated(here, since); };
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  world.target.resolved(world.target.backend().address, {other});
  EXPECT_TRUE(gone());
  EXPECT_EQ(client.ask("deny"), "= read only,open");
  EXPECT_EQ(client.ask("commit"), "idle");
  EXPECT_TRUE(world.until([&] { return !gone(); }));
}

}  // namespace
}  // namespace weirpool::proxy
