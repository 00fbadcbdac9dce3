// Cancel requests end the statement they are for and hit nothing else.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using metrics::ClientState;
using metrics::CloseReason;
using test::ToyClient;
using test::ToyWorld;

void cancel(ToyWorld& world, const std::string& key) {
  ToyClient canceller = world.client();
  canceller.send("cancel " + key + "\n");
  EXPECT_EQ(canceller.line(), "<closed>");
}

/// Of a statement that is under way at the server.
void cancel_slowly(ToyWorld& world, ToyClient& client) {
  client.send("slow answer\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  cancel(world, client.cancel_key());
}

TEST(SessionCancelTest, ACancelledBackendIsFencedBeforeItIsLentAgain) {
  ToyWorld world(1);
  world.server.hold_cancels(true);
  ToyClient client = world.logged_in();
  cancel_slowly(world, client);
  EXPECT_EQ(client.answer(), "= cancelled,idle");
  // The cancel connection has not ended: nobody knows yet whom it will hit.
  client.send("echo next\n");
  world.settle();
  EXPECT_FALSE(client.has_line());
  EXPECT_EQ(world.server.counts().pings, 0U);
  world.server.hold_cancels(false);
  EXPECT_EQ(client.answer(), "= next,idle");
  EXPECT_EQ(world.server.counts().pings, 1U);
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(SessionCancelTest, ACancelThatHasNotLandedHoldsTheNextStatementOfTheSameTransaction) {
  ToyWorld world(1);
  world.server.hold_cancels(true);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  cancel_slowly(world, client);
  EXPECT_EQ(client.answer(), "= cancelled,open");
  const std::size_t before = world.server.commands().size();
  client.send("echo next\n");
  world.settle();
  EXPECT_EQ(world.server.commands().size(), before);
  world.server.hold_cancels(false);
  EXPECT_EQ(client.answer(), "= next,open");
  EXPECT_EQ(client.ask("commit"), "idle");
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(SessionCancelTest, ACancelThatWasNotSentIsVoidWhenItsStatementEnds) {
  ToyWorld world(1);
  world.config.limits.max_cancel_connections = 1;
  world.apply();
  ASSERT_TRUE(world.target.begin_cancel(1));  // the only place is taken
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  cancel_slowly(world, client);
  world.server.release_slow();
  EXPECT_EQ(client.answer(), "= answer,open");
  EXPECT_EQ(client.ask("echo next"), "= next,open");
  cancel_slowly(world, client);
  world.target.end_cancel();
  EXPECT_EQ(client.answer(), "= cancelled,open");
  EXPECT_EQ(world.server.counts().cancels, 1U);
}

TEST(SessionCancelTest, ACancelThatWasNotSentIsVoidWhenThePipelineHasGoneOn) {
  ToyWorld world(1);
  world.config.limits.max_cancel_connections = 1;
  world.apply();
  ASSERT_TRUE(world.target.begin_cancel(1));  // the only place is taken
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  client.send("slow one\nslow two\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  cancel(world, client.cancel_key());
  world.server.release_slow();
  EXPECT_EQ(client.answer(), "= one,open");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  world.target.end_cancel();
  world.settle();
  EXPECT_EQ(world.server.counts().cancels, 0U);
  world.server.release_slow();
  EXPECT_EQ(client.answer(), "= two,open");
}

TEST(SessionCancelTest, ABackendWhoseCancelMayStillArriveIsAskedForNothingElse) {
  ToyWorld world(1);
  world.server.reset_cancels();
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  cancel_slowly(world, client);
  EXPECT_EQ(client.answer(), "= cancelled,open");
  EXPECT_EQ(client.ask("echo next"), "fault backend_lost");
  ToyClient other = world.logged_in();
  EXPECT_EQ(other.ask("echo me"), "= me,idle");
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(SessionCancelTest, WhoWaitsDoesNotCountOnABackendThatIsStillAimedAt) {
  ToyWorld world(2);
  world.server.hold_cancels(true);
  ToyClient first = world.logged_in();
  cancel_slowly(world, first);
  EXPECT_EQ(first.answer(), "= cancelled,idle");
  ToyClient second = world.logged_in();
  EXPECT_EQ(second.ask("echo me"), "= me,idle");
  EXPECT_EQ(world.server.counts().logins, 2U);
  world.server.hold_cancels(false);
}

TEST(SessionCancelTest, ABackendWhoseCancelConnectionBrokeIsRetired) {
  ToyWorld world(1);
  world.server.reset_cancels();
  ToyClient client = world.logged_in();
  cancel_slowly(world, client);
  EXPECT_EQ(client.answer(), "= cancelled,idle");
  EXPECT_EQ(client.ask("echo next"), "= next,idle");
  EXPECT_EQ(world.closed(world.pool(), CloseReason::fence_failed), 1U);
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(SessionCancelTest, ABackendThatFailsItsFenceIsRetired) {
  ToyWorld world(1);
  world.server.answer_pings("= not a pong\n");
  ToyClient client = world.logged_in();
  cancel_slowly(world, client);
  EXPECT_EQ(client.answer(), "= cancelled,idle");
  EXPECT_EQ(client.ask("echo next"), "= next,idle");
  EXPECT_EQ(world.closed(world.pool(), CloseReason::fence_failed), 1U);
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(SessionCancelTest, ACancelReachesOnlyItsOwnRunningStatement) {
  ToyWorld world(2);
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  first.send("slow one\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  std::string wrong = first.cancel_key();
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  for (const std::string& key : {wrong, second.cancel_key(), std::string("4711 00")}) {
    cancel(world, key);
  }
  EXPECT_EQ(world.server.counts().cancels, 0U);
  world.server.release_slow();
  EXPECT_EQ(first.answer(), "= one,idle");
}

TEST(SessionCancelTest, WhoCancelsWhileWaitingIsToldAndStays) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  second.send("echo me\n");
  ASSERT_TRUE(world.until([&] { return world.clients(ClientState::waiting) == 1; }));
  cancel(world, second.cancel_key());
  EXPECT_EQ(second.answer(), "fault cancelled");
  EXPECT_EQ(world.server.counts().cancels, 0U);
  EXPECT_EQ(first.ask("commit"), "idle");
  EXPECT_EQ(second.ask("echo again"), "= again,idle");
}

TEST(SessionCancelTest, ACancelForSomebodyIdleInATransactionHitsNothingLater) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  cancel(world, client.cancel_key());
  EXPECT_EQ(client.ask("echo unharmed"), "= unharmed,open");
  EXPECT_EQ(world.server.counts().cancels, 0U);
}

}  // namespace
}  // namespace weirpool::proxy
