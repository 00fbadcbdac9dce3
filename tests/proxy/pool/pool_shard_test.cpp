#include "proxy/pool/pool_shard.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "tests/support/stander.hpp"
#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using metrics::CloseReason;
using protocol::Fault;
using test::Stander;
using test::ToyCounts;
using test::ToyWorld;

TEST(PoolShardTest, ANewcomerOpensABackendAndTheNextOneReusesIt) {
  ToyWorld world(2);
  PoolShard& shard = world.pool();
  EXPECT_FALSE(shard.take_idle());
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.give_back();
  EXPECT_TRUE(shard.take_idle());
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(PoolShardTest, ABackendIdleForLongProvesThatItLivesBeforeItIsLent) {
  ToyWorld world(2);
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.give_back();
  world.config.timeouts.server_check_delay = config::Duration(1);
  world.apply();
  world.settle();
  EXPECT_FALSE(shard.take_idle());
  EXPECT_EQ(shard.metrics().idle.get(), 1);
  Stander second(shard);
  ASSERT_TRUE(world.until([&] { return second.served(); }));
  EXPECT_EQ(world.server.counts().pings, 1U);
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(PoolShardTest, OneThatDoesNotAnswerTheCheckIsReplaced) {
  ToyWorld world(2);
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.give_back();
  world.config.timeouts.server_check_delay = {};
  world.apply();
  world.server.answer_pings("what?\n");
  EXPECT_FALSE(shard.take_idle());
  Stander second(shard);
  ASSERT_TRUE(world.until([&] { return second.served(); }));
  EXPECT_EQ(world.server.counts().logins, 2U);
  EXPECT_EQ(world.closed(shard, CloseReason::stale), 1U);
}

TEST(PoolShardTest, APoolGrowsToItsOwnBoundOnly) {
  ToyWorld world(4);
  world.config.pool.default_pool_size = 1;
  world.apply();
  PoolShard& shard = world.pool();
  Stander first(shard);
  Stander second(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  Stander other(world.pool("other"));
  ASSERT_TRUE(world.until([&] { return other.served(); }));
  EXPECT_FALSE(second.served());
  first.give_back();
  EXPECT_TRUE(second.served());
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(PoolShardTest, AMinimumIsKeptOpenWhileNobodyElseNeedsThePlace) {
  ToyWorld world(3);
  world.config.pool.min_pool_size = 2;
  world.config.timeouts.server_idle_timeout = config::Duration(1);
  world.apply();
  PoolShard& shard = world.pool();
  const auto sweep_until = [&](std::uint32_t open) {
    return world.until([&] {
      shard.sweep();
      return world.target.ledger().open() == open && shard.metrics().idle.get() == open;
    });
  };
  EXPECT_TRUE(sweep_until(2));
  world.settle();
  EXPECT_TRUE(sweep_until(2));
  std::vector<std::unique_ptr<Stander>> others;
  for (int i = 0; i < 3; ++i) others.push_back(std::make_unique<Stander>(world.pool("other")));
  for (const auto& other : others) ASSERT_TRUE(world.until([&] { return other->served(); }));
  shard.sweep();
  EXPECT_EQ(world.target.ledger().open_of(world.key()), 0U);
}

TEST(PoolShardTest, WaitersAreServedFirstComeFirstServed) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  std::vector<std::unique_ptr<Stander>> line;
  for (int i = 0; i < 5; ++i) line.push_back(std::make_unique<Stander>(shard));
  for (std::size_t i = 0; i < line.size(); ++i) {
    ASSERT_TRUE(world.until([&] { return line[i]->served(); }));
    for (std::size_t later = i + 1; later < line.size(); ++later) {
      EXPECT_TRUE(line[later]->place->waiting());
    }
    // A newcomer cannot overtake the line.
    EXPECT_FALSE(shard.take_idle());
    line[i]->give_back();
  }
  EXPECT_EQ(world.server.counts().most_open, 1U);
}

TEST(PoolShardTest, WhoLeavesTheLineTakesThePlaceAlong) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  Stander second(shard);
  Stander third(shard);
  EXPECT_EQ(shard.metrics().waiting.get(), 2);
  second.place.reset();
  EXPECT_EQ(shard.metrics().waiting.get(), 1);
  first.give_back();
  EXPECT_TRUE(third.served());
}

TEST(PoolShardTest, ABackendGrantedAndNotTakenGoesToTheNextInLine) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  Stander second(shard);
  Stander third(shard);
  first.give_back();
  ASSERT_FALSE(second.place->waiting());
  second.place.reset();
  EXPECT_TRUE(third.served());
  third.give_back();
  EXPECT_EQ(shard.metrics().idle.get(), 1);
  EXPECT_EQ(shard.metrics().active.get(), 0);
}

TEST(PoolShardTest, AForgottenLeaseDiscardsItsBackend) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  {
    Stander careless(shard);
    ASSERT_TRUE(world.until([&] { return careless.served(); }));
  }
  EXPECT_EQ(world.closed(shard, CloseReason::client_gone), 1U);
  EXPECT_FALSE(shard.take_idle());
  ASSERT_TRUE(world.until([&] { return shard.unused(); }));
  EXPECT_EQ(world.server.counts().goodbyes, 0U);
}

TEST(PoolShardTest, TheSlotIsFreeOnlyWhenTheServerHasClosed) {
  ToyWorld world(1);
  world.server.hold_closes(true);
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.lease = {};
  Stander second(shard);
  ASSERT_TRUE(world.until([&] { return world.server.counts().ends == 1; }));
  world.settle();
  EXPECT_FALSE(second.served());
  EXPECT_EQ(world.target.ledger().open(), 1U);
  EXPECT_EQ(world.server.counts().accepted, 1U);
  world.server.hold_closes(false);
  EXPECT_TRUE(world.until([&] { return second.served(); }));
  EXPECT_EQ(world.server.counts().most_open, 1U);
}

TEST(PoolShardTest, AnIdleBackendMovesToTheWorkerThatWaits) {
  ToyWorld world(1);
  PoolShard& here = world.pool();
  PoolShard& there = world.shard_of(1, world.key());
  Stander first(here);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.give_back();
  Stander second(there);
  ASSERT_TRUE(world.until([&] { return second.served(); }));
  EXPECT_TRUE(here.unused());
  EXPECT_EQ(world.server.counts().logins, 1U);
  EXPECT_FALSE(world.target.ledger().wanted());
}

TEST(PoolShardTest, AReleasedBackendGoesToTheWorkerThatWaitsLonger) {
  ToyWorld world(1);
  PoolShard& here = world.pool();
  PoolShard& there = world.shard_of(1, world.key());
  Stander first(here);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  Stander second(there);
  first.give_back();
  EXPECT_EQ(here.metrics().idle.get(), 0);
  ASSERT_TRUE(world.until([&] { return second.served(); }));
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(PoolShardTest, AnotherPoolsIdleBackendIsEvictedWhenTheBudgetIsSpent) {
  ToyWorld world(1);
  PoolShard& shop = world.pool("shop");
  PoolShard& blog = world.pool("blog");
  Stander first(shop);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.give_back();
  Stander second(blog);
  ASSERT_TRUE(world.until([&] { return second.served(); }));
  EXPECT_EQ(world.closed(shop, CloseReason::evicted), 1U);
  EXPECT_EQ(world.server.counts().goodbyes, 1U);
  EXPECT_EQ(world.server.counts().most_open, 1U);
}

TEST(PoolShardTest, AReleasedBackendIsClosedForAnotherPoolThatWaits) {
  ToyWorld world(1);
  PoolShard& shop = world.pool("shop");
  Stander first(shop);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  Stander second(world.pool("blog"));
  first.give_back();
  ASSERT_TRUE(world.until([&] { return second.served(); }));
  EXPECT_EQ(world.closed(shop, CloseReason::evicted), 1U);
  EXPECT_EQ(world.server.counts().most_open, 1U);
}

TEST(PoolShardTest, AGrantThatComesLateLeavesNoWishBehind) {
  ToyWorld world(1);
  PoolShard& here = world.pool();
  PoolShard& there = world.shard_of(1, world.key());
  Stander first(here);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  world.hold_grants = true;
  Stander second(there);
  first.lease = {};
  ASSERT_TRUE(world.until([&] { return world.grants_held() == 1; }));
  // The line empties and fills again while the grant is on its way, which makes a second wish.
  second.place.reset();
  Stander third(there);
  world.hold_grants = false;
  world.deliver_grants();
  ASSERT_TRUE(world.until([&] { return third.served(); }));
  EXPECT_FALSE(world.target.ledger().wanted());
}

TEST(PoolShardTest, AGrantNobodyNeedsGoesBack) {
  ToyWorld world(1);
  PoolShard& here = world.pool();
  Stander first(here);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  world.hold_grants = true;
  {
    Stander second(world.shard_of(1, world.key()));
    first.lease = {};
    ASSERT_TRUE(world.until([&] { return world.grants_held() == 1; }));
  }
  world.deliver_grants();
  ASSERT_TRUE(world.until([&] { return world.target.ledger().open() == 0; }));
}

TEST(PoolShardTest, ADeadIdleBackendIsNoticedAtOnce) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.give_back();
  world.server.kill_all();
  ASSERT_TRUE(world.until([&] { return shard.unused(); }));
  EXPECT_EQ(world.closed(shard, CloseReason::stale), 1U);
  EXPECT_EQ(world.target.ledger().open(), 0U);
}

TEST(PoolShardTest, ABackendThatDiedAMomentAgoIsNotLent) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.give_back();
  world.server.kill_all();
  // The event loop has had no turn, so only a look at the socket can tell.
  EXPECT_FALSE(shard.take_idle());
}

TEST(PoolShardTest, OneThatHasDiedWhileItWasLentIsNotGrantedToTheNextInLine) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  Stander second(shard);
  world.server.kill_all();
  world.settle();  // the poller hears of it
  first.give_back();
  EXPECT_FALSE(second.served());
  EXPECT_EQ(world.closed(shard, CloseReason::backend_lost), 1U);
  ASSERT_TRUE(world.until([&] { return second.served(); }));
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(PoolShardTest, AnIdleBackendThatSpeaksIsNeverLent) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.give_back();
  world.server.say_to_all("= out of turn\n");
  EXPECT_TRUE(world.until([&] { return shard.unused(); }));
  EXPECT_EQ(world.closed(shard, CloseReason::stale), 1U);
}

TEST(PoolShardTest, WhatIsIdleForTooLongGoes) {
  ToyWorld world(2);
  world.config.timeouts.server_idle_timeout = config::Duration(30);
  world.apply();
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  first.give_back();
  shard.sweep();
  EXPECT_EQ(shard.metrics().idle.get(), 1);
  ASSERT_TRUE(world.until([&] {
    shard.sweep();
    return shard.metrics().idle.get() == 0;
  }));
  EXPECT_EQ(world.closed(shard, CloseReason::idle_timeout), 1U);
  EXPECT_TRUE(world.server.wait([](const ToyCounts& now) { return now.goodbyes == 1; }));
}

TEST(PoolShardTest, WhatIsOldEnoughGoesAtItsNextRelease) {
  ToyWorld world(1);
  world.config.timeouts.server_lifetime = config::Duration(10);
  world.apply();
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  ASSERT_TRUE(world.until([&] { return first.lease->expires < Clock::now(); }));
  first.give_back();
  EXPECT_EQ(world.closed(shard, CloseReason::lifetime), 1U);
  EXPECT_TRUE(world.until([&] { return shard.unused(); }));
  EXPECT_EQ(world.server.counts().goodbyes, 1U);
}

TEST(PoolShardTest, ARefusedLoginAnswersEverybodyAndIsRememberedForAWhile) {
  ToyWorld world(4);
  world.config.timeouts.unknown_database_ttl = config::Duration(60);
  world.apply();
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return "nodb"; });
  PoolShard& shard = world.pool("nowhere");
  Stander first(shard);
  Stander second(shard);
  ASSERT_TRUE(world.until([&] { return !first.place->waiting() && !second.place->waiting(); }));
  EXPECT_EQ(first.place->refusal(), Fault::unknown_database);
  EXPECT_EQ(second.place->refusal(), Fault::unknown_database);
  ASSERT_TRUE(world.until([&] { return shard.unused(); }));
  const unsigned asked = world.server.counts().refused;
  Stander third(shard);
  EXPECT_EQ(third.place->refusal(), Fault::unknown_database);
  EXPECT_EQ(world.server.counts().refused, asked);
  world.server.answer_logins({});
  EXPECT_TRUE(world.until([&] {
    Stander later(shard);
    return world.until([&] { return !later.place->waiting(); }) && later.served();
  }));
}

TEST(PoolShardTest, WhoCanBeServedByWhatIsOpenDoesNotHearThatANewLoginWasRefused) {
  ToyWorld world(4);
  world.config.timeouts.unknown_database_ttl = config::Duration(60);
  world.apply();
  PoolShard& shard = world.pool();
  Stander first(shard);
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return "refused"; });
  Stander second(shard);
  ASSERT_TRUE(world.until([&] { return world.server.counts().refused > 0; }));
  Stander third(shard);
  EXPECT_TRUE(second.place->waiting() && third.place->waiting());
  ASSERT_TRUE(world.until([&] { return world.server.counts().refused > 1; })) << "tried again";
  EXPECT_TRUE(second.place->waiting() && third.place->waiting());
  first.give_back();
  EXPECT_TRUE(second.served());
  second.give_back();
  EXPECT_TRUE(third.served());
}

TEST(PoolShardTest, WhichPasswordAServerTakesForWrongIsTold) {
  ToyWorld world(1);
  world.passwords = {"wrong", "right"};
  world.server.answer_logins([](const auto&, const auto&, const std::string& password) {
    return password == "wrong" ? "refused" : "ok";
  });
  Stander first(world.pool());
  ASSERT_TRUE(world.until([&] { return first.served(); }));
  EXPECT_EQ(world.refused, std::vector<std::string>{"wrong"});
}

TEST(PoolShardTest, AnUnknownPasswordIsARefusalToo) {
  ToyWorld world(1);
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return "refused"; });
  Stander first(world.pool());
  ASSERT_TRUE(world.until([&] { return !first.place->waiting(); }));
  EXPECT_EQ(first.place->refusal(), Fault::backend_refused_login);
}

TEST(PoolShardTest, WaitersStayWhileTheServerIsDownAndAreServedWhenItIsBack) {
  ToyWorld world(2);
  world.server.stop();
  PoolShard& shard = world.pool();
  Stander first(shard);
  Stander second(shard);
  ASSERT_TRUE(world.until([&] { return shard.metrics().connects_failed.get() >= 4; }));
  EXPECT_TRUE(first.place->waiting());
  EXPECT_EQ(world.target.ledger().open(), 0U);
  world.server.start();
  EXPECT_TRUE(world.until([&] { return first.served() && second.served(); }));
}

TEST(PoolShardTest, WhoOnlyWantsFactsIsAnsweredByTheFirstLogin) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  Stander curious(shard, Waiter::Wish::facts);
  EXPECT_EQ(world.target.facts(shard.key()), nullptr);
  ASSERT_TRUE(world.until([&] { return !curious.place->waiting(); }));
  EXPECT_FALSE(curious.served());
  EXPECT_NE(world.target.facts(shard.key()), nullptr);
  EXPECT_EQ(shard.metrics().idle.get(), 1);
}

TEST(PoolShardTest, NotMoreThanSoManyConnectAtOnce) {
  ToyWorld world(8);
  world.config.limits.max_connecting = 2;
  world.apply();
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return ""; });
  PoolShard& shard = world.pool();
  std::vector<std::unique_ptr<Stander>> line;
  for (int i = 0; i < 6; ++i) line.push_back(std::make_unique<Stander>(shard));
  ASSERT_TRUE(world.until([&] { return world.server.counts().open == 2; }));
  EXPECT_EQ(shard.metrics().connecting.get(), 2);
  EXPECT_EQ(world.target.ledger().open(), 2U);
  line.clear();
}

TEST(PoolShardTest, ADrainTakesWhatIsIdleAndWhatComesBack) {
  ToyWorld world(2);
  PoolShard& shard = world.pool();
  Stander lent(shard);
  Stander idle(shard);
  ASSERT_TRUE(world.until([&] { return lent.served() && idle.served(); }));
  idle.give_back();
  Stander waiting(world.pool("blog"));
  world.begin_drain();
  EXPECT_EQ(waiting.place->refusal(), Fault::shutting_down);
  EXPECT_EQ(world.closed(shard, CloseReason::shutdown), 1U);
  lent.give_back();
  EXPECT_EQ(world.closed(shard, CloseReason::shutdown), 2U);
  EXPECT_TRUE(world.until([&] { return shard.unused(); }));
}

TEST(PoolShardTest, WhoComesDuringADrainIsRefusedAtOnce) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  world.begin_drain();
  Stander late(shard);
  EXPECT_FALSE(late.place->waiting());
  EXPECT_EQ(late.place->refusal(), Fault::shutting_down);
}

}  // namespace
}  // namespace weirpool::proxy
