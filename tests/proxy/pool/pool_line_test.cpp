#include "proxy/pool/pool_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>

#include "tests/support/stander.hpp"
#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using admission::Class;
using metrics::ShedReason;
using protocol::Fault;
using test::Stander;
using test::ToyWorld;

std::uint64_t shed(PoolShard& shard, Class importance, ShedReason reason) {
  return shard.metrics()
      .classes[static_cast<std::size_t>(importance)]
      .shed[static_cast<std::size_t>(reason)]
      .get();
}

/// Three come for each one that is served, until `holds` or there are plenty.
bool flood(ToyWorld& world, PoolShard& shard, std::list<Stander>& line, const admission::Flow& flow,
           const std::function<bool()>& holds) {
  constexpr std::size_t kPlenty = 400;
  return world.until([&] {
    world.spin();
    for (int i = 0; i < 3 && line.size() < kPlenty; ++i) {
      line.emplace_back(shard, Waiter::Wish::backend, &flow);
    }
    const auto served =
        std::find_if(line.begin(), line.end(), [](Stander& one) { return one.served(); });
    if (served != line.end()) {
      served->give_back();
      line.erase(served);
    }
    return holds();
  });
}

TEST(PoolLineTest, AStandingLineIsAnOverloadAndTheOldestAreTold) {
  ToyWorld world(1);
  world.config.admission.queue_target = config::Duration(1);
  world.apply();
  PoolShard& shard = world.pool();
  const admission::Flow flow = shard.flow(Class::normal, {7}, "web");
  std::list<Stander> line;
  const auto overloaded = [&] { return shed(shard, Class::normal, ShedReason::overload) > 0; };
  ASSERT_TRUE(flood(world, shard, line, flow, overloaded));
  EXPECT_GE(shard.metrics().overloads.get(), 1U);
  const auto refused = std::find_if(line.begin(), line.end(), [](Stander& one) {
    return one.place->refusal() == Fault::pool_overloaded;
  });
  ASSERT_NE(refused, line.end());
  const std::string& advice = refused->place->detail();
  EXPECT_TRUE(advice.starts_with("retry_after_ms=")) << advice;
  EXPECT_NE(advice.find(" class=normal wait_ms="), std::string::npos) << advice;
  // When nobody comes any more it is over, and that is noticed though nothing happens.
  line.clear();
  EXPECT_TRUE(world.until([&] { return shard.metrics().overloaded.get() == 0; }));
  EXPECT_FALSE(shard.line_stands());
}

TEST(PoolLineTest, WithoutATargetTheLineMayStand) {
  ToyWorld world(1);
  PoolShard& shard = world.pool();
  const admission::Flow flow = shard.flow(Class::normal, {7}, "web");
  std::list<Stander> line;
  ASSERT_TRUE(flood(world, shard, line, flow, [&] { return line.size() > 300; }));
  EXPECT_EQ(shed(shard, Class::normal, ShedReason::overload), 0U);
  EXPECT_EQ(shard.metrics().overloads.get(), 0U);
}

TEST(PoolLineTest, WhoOnlyWantsFactsIsNeitherLentToNorShed) {
  ToyWorld world(1);
  world.config.admission.queue_target = config::Duration(1);
  world.apply();
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return ""; });
  PoolShard& shard = world.pool();
  Stander curious(shard, Waiter::Wish::facts);
  Stander working(shard);
  EXPECT_EQ(shard.metrics().waiting.get(), 2);
  world.settle();
  EXPECT_TRUE(curious.place->waiting());
  EXPECT_EQ(shard.line().size(), 2U);
  world.begin_drain();
  EXPECT_EQ(curious.place->refusal(), Fault::shutting_down);
  EXPECT_EQ(working.place->refusal(), Fault::shutting_down);
  EXPECT_EQ(shard.metrics().waiting.get(), 0);
}

TEST(PoolLineTest, WhileTheServerIsDownOnlyImportantWorkWaitsAndNotForEver) {
  ToyWorld world(1);
  world.server.stop();
  PoolShard& shard = world.pool();
  const auto flow = [&](Class importance) { return shard.flow(importance, {}, ""); };
  const admission::Flow high = flow(Class::high);
  const admission::Flow normal = flow(Class::normal);
  Stander curious(shard, Waiter::Wish::facts);
  Stander important(shard, Waiter::Wish::backend, &high);
  Stander ordinary(shard, Waiter::Wish::backend, &normal);
  // Some failures are nothing yet; from now on they have lasted.
  ASSERT_TRUE(world.until([&] { return shard.metrics().connects_failed.get() >= 2; }));
  EXPECT_TRUE(ordinary.place->waiting());
  ConnectPacer::Limits limits = ConnectPacer::Limits::of(world.config);
  limits.open_after = {};
  ASSERT_TRUE(world.until([&] {
    if (world.target.begin_attempt(limits)) {
      world.target.attempt_ended(ConnectPacer::Outcome::failed, {}, limits);
    }
    return world.target.down();
  }));
  ASSERT_TRUE(world.until([&] { return !ordinary.place->waiting(); }));
  EXPECT_EQ(ordinary.place->refusal(), Fault::backend_down);
  EXPECT_NE(ordinary.place->detail().find("retry_after_ms="), std::string::npos);
  EXPECT_EQ(shed(shard, Class::normal, ShedReason::backend_down), 1U);
  EXPECT_TRUE(important.place->waiting());
  EXPECT_TRUE(curious.place->waiting());
  EXPECT_EQ(shard.admit(normal, admission::Duration::max()).fault, Fault::backend_down);
  EXPECT_EQ(shard.admit(high, admission::Duration::max()).fault, Fault::none);

  world.config.timeouts.failover_hold = config::Duration(1);
  world.apply();
  ASSERT_TRUE(world.until([&] { return !important.place->waiting(); }));
  EXPECT_EQ(important.place->refusal(), Fault::backend_down);
  EXPECT_EQ(curious.place->refusal(), Fault::backend_unavailable);

  world.server.start();
  EXPECT_TRUE(world.until([&] { return !world.target.down(); })) << "though nobody waits";
  EXPECT_EQ(shard.admit(normal, admission::Duration::max()).fault, Fault::none);
}

}  // namespace
}  // namespace weirpool::proxy
