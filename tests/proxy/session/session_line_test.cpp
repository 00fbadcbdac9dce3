// A session and the line of its pool, proxy/session/session_line.cpp.
#include <gtest/gtest.h>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using admission::Class;
using metrics::ClientState;
using metrics::ShedReason;
using test::ToyClient;
using test::ToyWorld;

const metrics::ClassCounters& numbers(ToyWorld& world, Class importance) {
  return world.pool().metrics().classes[static_cast<std::size_t>(importance)];
}

TEST(SessionLineTest, WhatIsAskedForAndWhatIsGivenIsCounted) {
  ToyWorld world(1);
  world.config.timeouts.query_wait_timeout = config::Duration(30);
  world.apply();
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(first.ask("echo a"), "= a,idle");
  EXPECT_EQ(first.ask("begin"), "open");
  EXPECT_EQ(second.ask("echo b"), "fault pool_timeout");
  EXPECT_EQ(first.ask("commit"), "idle");
  const metrics::ClassCounters& usual = numbers(world, Class::normal);
  EXPECT_EQ(usual.offered.get(), 3U);
  EXPECT_EQ(usual.admitted.get(), 2U);
  EXPECT_EQ(usual.shed[static_cast<std::size_t>(ShedReason::timeout)].get(), 1U);
}

TEST(SessionLineTest, WhereTheStatementsOwnTimeEndsFirstTheClientHearsThat) {
  ToyWorld world(1);
  world.config.timeouts.query_wait_timeout = test::kPatience;
  world.apply();
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(second.ask("limit 30"), "idle");
  EXPECT_EQ(first.ask("begin"), "open");
  EXPECT_EQ(second.ask("echo b"), "fault own_deadline");
  EXPECT_EQ(first.ask("commit"), "idle");
  EXPECT_EQ(second.ask("echo c"), "= c,idle");
}

TEST(SessionLineTest, WorkHasTheClassOfItsClientOrOfItsStatement) {
  ToyWorld world(1);
  config::AdmissionRule by_user;
  by_user.user = "batch";
  by_user.importance = config::AdmissionClass::sheddable;
  config::AdmissionRule by_tag;
  by_tag.tag = "priority=high";
  by_tag.importance = config::AdmissionClass::high;
  world.config.admission.rules = {by_tag, by_user};
  world.apply();
  ToyClient app = world.logged_in();
  EXPECT_EQ(app.ask("echo a"), "= a,idle");
  EXPECT_EQ(numbers(world, Class::normal).admitted.get(), 1U);
  EXPECT_EQ(app.ask("echo b /*priority='high'*/"), "= b /*priority='high'*/,idle");
  EXPECT_EQ(numbers(world, Class::high).admitted.get(), 1U);
  EXPECT_EQ(app.ask("echo c"), "= c,idle");
  EXPECT_EQ(numbers(world, Class::normal).admitted.get(), 2U);
  ToyClient batch = world.logged_in("batch");
  EXPECT_EQ(batch.ask("echo d"), "= d,idle");
  const auto sheddable = static_cast<std::size_t>(Class::sheddable);
  EXPECT_EQ(world.pool("shop", "batch").metrics().classes[sheddable].admitted.get(), 1U);
}

TEST(SessionLineTest, WhoIsRefusedHearsItInTheTermsOfItsRule) {
  ToyWorld world(1);
  world.config.timeouts.query_wait_timeout = config::Duration(30);
  config::AdmissionRule by_user;
  by_user.user = "app";
  by_user.refuse_with = config::RefuseWith::serialization_failure;
  config::AdmissionRule by_tag;
  by_tag.tag = "driver=aws";
  by_tag.refuse_with = config::RefuseWith::lock_not_available;
  world.config.admission.rules = {by_tag, by_user};
  world.apply();
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  ToyClient third = world.logged_in();
  EXPECT_EQ(third.ask("limit 10"), "idle");
  EXPECT_EQ(first.ask("begin"), "open");
  EXPECT_EQ(second.ask("echo b"), "fault refused_as_conflict");
  EXPECT_EQ(second.ask("echo b /*driver='aws'*/"), "fault refused_as_lock_wait");
  EXPECT_EQ(third.ask("echo b"), "fault own_deadline") << "that is its own affair";
  const metrics::ClassCounters& usual = numbers(world, Class::normal);
  EXPECT_EQ(usual.shed[static_cast<std::size_t>(ShedReason::timeout)].get(), 3U);
  EXPECT_EQ(first.ask("commit"), "idle");
}

// --- idle in a transaction -----------------------------------------------------------------------

TEST(SessionLineTest, IdleInATransactionIsCutShortOnlyWhileOthersWait) {
  ToyWorld world(1);
  world.config.timeouts.idle_transaction_timeout_waiting = config::Duration(30);
  world.apply();
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  world.settle();
  world.settle();
  EXPECT_EQ(first.ask("echo alone"), "= alone,open");
  second.send("echo me\n");
  EXPECT_EQ(first.answer(), "fault idle_transaction_timeout");
  EXPECT_EQ(second.answer(), "= me,idle");
}

TEST(SessionLineTest, WhoIsBusyInItsTransactionIsLeftAlone) {
  ToyWorld world(1);
  world.config.timeouts.idle_transaction_timeout_waiting = config::Duration(400);
  world.apply();
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  second.send("echo me\n");
  for (int i = 0; i < 12; ++i) {
    world.settle();
    ASSERT_EQ(first.ask("echo busy"), "= busy,open");
  }
  EXPECT_EQ(first.ask("commit"), "idle");
  EXPECT_EQ(second.answer(), "= me,idle");
}

}  // namespace
}  // namespace weirpool::proxy
