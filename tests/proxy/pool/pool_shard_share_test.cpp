// How many statements may execute for a shard, proxy/pool/pool_shard_share.cpp.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/crowded_server.hpp"
#include "tests/support/stander.hpp"
#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using admission::Class;
using test::CrowdedServer;
using test::Stander;
using test::ToyWorld;

/// All backends are open and idle, and one may be lent: others keep the server busy.
struct Crowded {
  explicit Crowded(std::uint32_t backends = 4) : world(backends), shard(world.pool()) {
    std::vector<std::unique_ptr<Stander>> all;
    for (std::uint32_t i = 0; i < backends; ++i) all.push_back(std::make_unique<Stander>(shard));
    for (const auto& one : all) EXPECT_TRUE(world.until([&] { return one->served(); }));
    for (const auto& one : all) one->give_back();
    crowd.emplace(world.target.arbiter());
  }
  std::size_t idle() const { return static_cast<std::size_t>(shard.metrics().idle.get()); }

  ToyWorld world;
  PoolShard& shard;
  std::optional<CrowdedServer> crowd;
};

TEST(PoolShardShareTest, NoMoreAreLentThanMayExecute) {
  Crowded pool;
  Lease one = pool.shard.take_idle();
  ASSERT_TRUE(one);
  EXPECT_FALSE(pool.shard.take_idle());
  EXPECT_EQ(pool.idle(), 3U);
  Stander next(pool.shard);
  pool.world.turn();
  EXPECT_FALSE(next.served());
  Standing clean;
  clean.at_boundary = true;
  std::exchange(one, {}).end(clean, false);
  EXPECT_TRUE(next.served());
  EXPECT_EQ(pool.idle(), 3U);
}

/// What is dirty is closed, and an idle one is there at once.
TEST(PoolShardShareTest, ALostBackendMakesRoomForAnIdleOne) {
  Crowded pool;
  Lease one = pool.shard.take_idle();
  ASSERT_TRUE(one);
  Stander next(pool.shard);
  one = {};
  ASSERT_TRUE(pool.world.until([&] { return next.served(); }));
  EXPECT_EQ(pool.shard.metrics().connecting.get(), 0);
}

TEST(PoolShardShareTest, NothingIsOpenedForWhoMayNotExecute) {
  Crowded pool;
  const Lease one = pool.shard.take_idle();
  ASSERT_TRUE(one);
  while (std::unique_ptr<BackendParts> gone = pool.shard.release_idle()) {
    pool.world.target.ledger().closed(pool.shard.key());
  }
  Stander next(pool.shard);
  pool.world.turn();
  EXPECT_EQ(pool.shard.backends(), 1U);
  pool.crowd->tick(config::ElasticityMode::off);
  EXPECT_TRUE(pool.world.until([&] { return next.served(); }));
}

TEST(PoolShardShareTest, WhoRestsLetsAnotherExecute) {
  Crowded pool;
  Lease one = pool.shard.take_idle();
  ASSERT_TRUE(one);
  Stander next(pool.shard);
  EXPECT_FALSE(next.served());
  pool.shard.rests(*one, true, true);
  EXPECT_TRUE(next.served());
  EXPECT_EQ(pool.shard.metrics().resting.get(), 1);
  // Its next statement does not wait.
  pool.shard.rests(*one, false, true);
  EXPECT_EQ(pool.shard.metrics().resting.get(), 0);
  Stander third(pool.shard);
  next.give_back();
  EXPECT_FALSE(third.served());
  pool.shard.rests(*one, true, true);
  EXPECT_TRUE(third.served());
  one = {};
  EXPECT_EQ(pool.shard.metrics().resting.get(), 0);
}

TEST(PoolShardShareTest, AShareThatGrowsIsUsedAtOnce) {
  Crowded pool;
  Lease one = pool.shard.take_idle();
  Stander two(pool.shard);
  Stander three(pool.shard);
  EXPECT_FALSE(two.served());
  pool.crowd->numbers().waiting.set(0);
  pool.crowd->tick();
  ASSERT_TRUE(pool.world.until([&] { return two.served(); }));
  pool.crowd->tick(config::ElasticityMode::off);
  EXPECT_TRUE(pool.world.until([&] { return three.served(); }));
}

/// Idle ones are not his to keep who may not use them.
TEST(PoolShardShareTest, AnotherPoolMayHaveWhatMayNotBeLent) {
  Crowded pool;
  const Lease one = pool.shard.take_idle();
  Stander waiting(pool.shard);
  PoolShard& other = pool.world.pool("other");
  Stander stranger(other);
  ASSERT_TRUE(pool.world.until([&] { return stranger.served(); }));
  EXPECT_EQ(pool.idle(), 2U);
  EXPECT_FALSE(waiting.served());
}

TEST(PoolShardShareTest, WorkOfClassCriticalHasItsReserveOnTop) {
  Crowded pool;
  pool.world.config.admission.critical_reserve = 25;
  pool.world.config.admission.rules.emplace_back().importance = config::AdmissionClass::critical;
  pool.world.apply();
  const admission::Flow normal = pool.shard.flow(Class::normal, {1}, "");
  const admission::Flow critical = pool.shard.flow(Class::critical, {1}, "");
  const Lease one = pool.shard.take_idle(&normal);
  ASSERT_TRUE(one);
  EXPECT_FALSE(pool.shard.take_idle(&normal));
  const Lease important = pool.shard.take_idle(&critical);
  EXPECT_TRUE(important);
  EXPECT_FALSE(pool.shard.take_idle(&critical));
}

TEST(PoolShardShareTest, TheLineKnowsHowManyServeIt) {
  Crowded pool;
  const admission::Flow flow = pool.shard.flow(Class::normal, {1}, "");
  static_cast<void>(pool.shard.admit(flow, admission::Duration::max()));
  EXPECT_EQ(pool.shard.line().work().backends(), 1U);
  pool.crowd->tick(config::ElasticityMode::off);
  static_cast<void>(pool.shard.admit(flow, admission::Duration::max()));
  EXPECT_EQ(pool.shard.line().work().backends(), 4U);
}

}  // namespace
}  // namespace weirpool::proxy
