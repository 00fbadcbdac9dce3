// What becomes of a backend whose client goes while something of it is under way.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using metrics::CloseReason;
using test::ToyClient;
using test::ToyWorld;

/// `lines` begin with a slow command, which is being executed.
void ask_slowly(ToyWorld& world, ToyClient& client, const std::string& lines) {
  client.send(lines);
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
}

// --- goodbyes behind a statement -----------------------------------------------------------------

TEST(DepartureTest, AStatementInFrontOfAGoodbyeIsFinished) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  ask_slowly(world, client, "slow work\nbye\n");
  client.close();
  world.settle();
  EXPECT_EQ(world.sessions(), 1U);
  world.server.release_slow();
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(world.server.counts().cancels, 0U);
  EXPECT_EQ(world.pool().metrics().idle.get(), 1);
  ToyClient next = world.logged_in();
  EXPECT_EQ(next.ask("echo next"), "= next,idle");
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(DepartureTest, WhoStaysForTheAnswerHearsIt) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  ask_slowly(world, client, "slow work\nbye\n");
  world.server.release_slow();
  EXPECT_EQ(client.answer(), "= work,idle");
  EXPECT_EQ(client.line(), "<closed>");
}

TEST(DepartureTest, ButNotForEver) {
  ToyWorld world(1);
  world.config.timeouts.wind_up_timeout = config::Duration(30);
  world.apply();
  ToyClient client = world.logged_in();
  client.send("slow work\nbye\n");
  EXPECT_TRUE(world.until([&] { return world.server.counts().cancels == 1; }));
  EXPECT_EQ(client.line(), "<closed>");
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
}

// --- clients that vanish -------------------------------------------------------------------------

TEST(DepartureTest, TheStatementOfAClientThatIsGoneIsCancelledAndItsBackendServesTheNext) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  ask_slowly(world, first, "slow forever\n");
  ToyClient second = world.logged_in();
  second.send("echo me\n");
  first.close_with_reset();
  EXPECT_EQ(second.answer(), "= me,idle");
  EXPECT_EQ(world.server.counts().cancels, 1U);
  EXPECT_EQ(world.server.counts().pings, 1U);
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(DepartureTest, ItsTransactionIsRolledBackBeforeAnybodyElseComesIn) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  ToyClient second = world.logged_in();
  second.send("echo me\n");
  first.close();
  EXPECT_EQ(second.answer(), "= me,idle");
  EXPECT_EQ(world.server.commands(), (std::vector<std::string>{"begin", "rollback", "echo me"}));
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(DepartureTest, SoIsTheOneOfTheStatementThatWasCancelled) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  ask_slowly(world, first, "slow forever\necho never\n");
  first.close();
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  ToyClient second = world.logged_in();
  EXPECT_EQ(second.ask("echo me"), "= me,idle");
  EXPECT_EQ(world.server.commands().back(), "echo me");
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(DepartureTest, TheRollbackComesBehindTheCancelAndIsNotHitByIt) {
  ToyWorld world(1);
  world.server.hold_cancels(true);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  ask_slowly(world, client, "slow forever\n");
  client.close_with_reset();
  ASSERT_TRUE(world.until([&] { return world.server.counts().cancels == 1; }));
  world.settle();
  EXPECT_EQ(world.server.commands().back(), "slow forever");
  world.server.hold_cancels(false);
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(world.server.commands().back(), "rollback");
  EXPECT_TRUE(world.until([&] { return world.pool().metrics().idle.get() == 1; }));
}

TEST(DepartureTest, WhatIsLeftOpenBehindAGoodbyeIsRolledBack) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  ask_slowly(world, client, "slow work\nbye\n");
  world.server.release_slow();
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(world.server.commands(), (std::vector<std::string>{"begin", "slow work", "rollback"}));
  EXPECT_EQ(world.server.counts().cancels, 0U);
  EXPECT_EQ(world.pool().metrics().idle.get(), 1);
}

TEST(DepartureTest, ABackendThatDoesNotComeToRestIsClosed) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  ask_slowly(world, client, "slow stubborn\n");
  client.close_with_reset();
  EXPECT_TRUE(
      world.until([&] { return world.closed(world.pool(), CloseReason::client_gone) == 1; }));
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(world.pool().metrics().idle.get(), 0);
}

TEST(DepartureTest, ATransactionThatNoRollbackEndsIsClosed) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("begin stubborn"), "open");
  ToyClient second = world.logged_in();
  second.send("echo me\n");
  first.close();
  EXPECT_EQ(second.answer(), "= me,idle");
  EXPECT_EQ(world.closed(world.pool(), CloseReason::client_gone), 1U);
  EXPECT_EQ(world.server.commands(),
            (std::vector<std::string>{"begin stubborn", "rollback", "echo me"}));
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(DepartureTest, ABackendThatIsClosedCountsUntilItHasGone) {
  ToyWorld world(1);
  world.server.hold_closes(true);
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  first.send("put 100\nhalf of it");
  ToyClient second = world.logged_in();
  second.send("echo me\n");
  first.close();
  ASSERT_TRUE(world.until([&] { return world.server.counts().ends == 1; }));
  world.settle();
  EXPECT_FALSE(second.has_line());
  EXPECT_EQ(world.target.ledger().open(), 1U);
  EXPECT_EQ(world.closed(world.pool(), CloseReason::client_gone), 1U);
  world.server.hold_closes(false);
  EXPECT_EQ(second.answer(), "= me,idle");
  EXPECT_EQ(world.server.counts().logins, 2U);
  EXPECT_EQ(world.server.counts().most_open, 1U);
}

TEST(DepartureTest, ABackendWithHalfAMessageIsClosed) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  client.send("put 100000\nonly the beginning");
  ASSERT_TRUE(world.until([&] { return world.pool().metrics().active.get() == 1; }));
  world.settle();
  client.close();
  EXPECT_TRUE(
      world.until([&] { return world.closed(world.pool(), CloseReason::client_gone) == 1; }));
  EXPECT_EQ(world.pool().metrics().idle.get(), 0);
}

TEST(DepartureTest, AnAnswerThatNobodyTakesIsDroppedUpToItsEnd) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  client.send("big 20000000\n");
  ASSERT_TRUE(world.until([&] { return world.pool().metrics().sent.get() > 0; }));
  client.close_with_reset();
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  ToyClient next = world.logged_in();
  EXPECT_EQ(next.ask("echo next"), "= next,idle");
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(DepartureTest, ABackendLostOnTheWayIsNobodysFault) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  ask_slowly(world, client, "slow work\nbye\n");
  world.server.kill_all();
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(client.line(), "<closed>");
}

}  // namespace
}  // namespace weirpool::proxy
