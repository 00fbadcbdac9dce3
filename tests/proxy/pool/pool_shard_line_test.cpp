// Who is served by a shard, proxy/pool/pool_shard_line.cpp.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/stander.hpp"
#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using admission::Class;
using metrics::ShedReason;
using protocol::Fault;
using test::Stander;
using test::ToyWorld;

constexpr admission::Duration kForEver = admission::Duration::max();

class PoolShardLineTest : public testing::Test {
 protected:
  PoolShard& grown(ToyWorld& world) {
    PoolShard& shard = world.pool();
    std::vector<std::unique_ptr<Stander>> all;
    const std::uint32_t limit = world.target.ledger().limit();
    for (std::uint32_t i = 0; i < limit; ++i) all.push_back(std::make_unique<Stander>(shard));
    for (const auto& one : all) EXPECT_TRUE(world.until([&] { return one->served(); }));
    for (const auto& one : all) one->give_back();
    return shard;
  }
  static Fault asks(PoolShard& shard, const admission::Flow& flow,
                    admission::Duration patience = kForEver) {
    return shard.admit(flow, patience).fault;
  }
};

TEST_F(PoolShardLineTest, SourcesTakeTurnsHoweverManyOfOneStandThere) {
  ToyWorld world(1);
  PoolShard& shard = grown(world);
  const admission::Flow greedy = shard.flow(Class::normal, {1}, "");
  const admission::Flow polite = shard.flow(Class::normal, {2}, "");
  Stander holder(shard);
  ASSERT_TRUE(world.until([&] { return holder.served(); }));
  std::vector<std::unique_ptr<Stander>> many;
  for (int i = 0; i < 20; ++i) {
    many.push_back(std::make_unique<Stander>(shard, Waiter::Wish::backend, &greedy));
  }
  Stander one(shard, Waiter::Wish::backend, &polite);
  holder.give_back();
  int before = 0;
  while (!one.served()) {
    ASSERT_TRUE(many[static_cast<std::size_t>(before)]->served());
    many[static_cast<std::size_t>(before++)]->give_back();
  }
  EXPECT_LE(before, 2);
}

TEST_F(PoolShardLineTest, WhoCannotBeServedInItsTimeIsRefusedAtOnce) {
  ToyWorld world(1);
  world.config.admission.queue_target = config::Duration(1000);
  world.apply();
  PoolShard& shard = grown(world);
  const admission::Flow flow = shard.flow(Class::normal, {1}, "");
  for (int i = 0; i < 20; ++i) {
    Stander one(shard);
    ASSERT_TRUE(world.until([&] { return one.served(); }));
    world.turn();
    one.lease->lent -= std::chrono::seconds(1);  // as if it had been held for so long
    one.give_back();
  }
  Stander holder(shard);
  ASSERT_TRUE(world.until([&] { return holder.served(); }));
  // A pool that has just got its first backend is cold for a moment.
  std::size_t asked = 0;
  EXPECT_TRUE(world.until([&] {
    ++asked;
    return asks(shard, flow, std::chrono::milliseconds(100)) == Fault::pool_overloaded;
  }));
  EXPECT_EQ(asks(shard, flow), Fault::none);
  const auto& numbers = shard.metrics().classes[static_cast<std::size_t>(Class::normal)];
  EXPECT_EQ(numbers.offered.get(), asked + 1);
  EXPECT_EQ(numbers.shed[static_cast<std::size_t>(ShedReason::hopeless)].get(), 1U);
  // A pool that is held up by an administrator says nothing about what comes.
  shard.set_paused(true);
  EXPECT_EQ(asks(shard, flow, std::chrono::milliseconds(100)), Fault::none);
  shard.set_paused(false);
}

TEST_F(PoolShardLineTest, AtTheBoundTheFattestSourceGivesWay) {
  ToyWorld world(1);
  world.config.limits.max_waiting_clients = 3;
  world.apply();
  PoolShard& shard = grown(world);
  const admission::Flow greedy = shard.flow(Class::normal, {1}, "");
  const admission::Flow polite = shard.flow(Class::normal, {2}, "");
  const admission::Flow batch = shard.flow(Class::sheddable, {3}, "");
  Stander holder(shard);
  ASSERT_TRUE(world.until([&] { return holder.served(); }));
  std::vector<std::unique_ptr<Stander>> many;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(asks(shard, greedy), Fault::none);
    many.push_back(std::make_unique<Stander>(shard, Waiter::Wish::backend, &greedy));
  }
  EXPECT_EQ(asks(shard, greedy), Fault::pool_queue_full);
  EXPECT_EQ(asks(shard, batch), Fault::pool_queue_full);
  EXPECT_TRUE(many[0]->place->waiting());
  EXPECT_EQ(asks(shard, polite), Fault::none);
  EXPECT_EQ(many[0]->place->refusal(), Fault::pool_queue_full);
  EXPECT_TRUE(many[1]->place->waiting());
}

TEST_F(PoolShardLineTest, ASourceMayHaveAQuota) {
  ToyWorld world(1);
  world.config.limits.max_source_waiting_clients = 1;
  world.apply();
  PoolShard& shard = grown(world);
  const admission::Flow first = shard.flow(Class::normal, {1}, "");
  const admission::Flow second = shard.flow(Class::normal, {2}, "");
  Stander holder(shard);
  ASSERT_TRUE(world.until([&] { return holder.served(); }));
  Stander waiting(shard, Waiter::Wish::backend, &first);
  EXPECT_EQ(asks(shard, first), Fault::source_quota);
  EXPECT_EQ(asks(shard, second), Fault::none);
}

TEST_F(PoolShardLineTest, WhileMemoryIsShortTheLeastImportantDoesNotWait) {
  using admission::MemoryState;
  ToyWorld world(1);
  PoolShard& shard = grown(world);
  std::vector<std::unique_ptr<Stander>> standing;
  std::vector<admission::Flow> flows;
  for (const Class each : {Class::critical, Class::high, Class::normal, Class::sheddable}) {
    flows.push_back(shard.flow(each, {1}, ""));
  }
  Stander holder(shard);
  ASSERT_TRUE(world.until([&] { return holder.served(); }));
  for (const admission::Flow& flow : flows) {
    standing.push_back(std::make_unique<Stander>(shard, Waiter::Wish::backend, &flow));
  }
  const auto told = [&](std::size_t which) { return standing[which]->place->refusal(); };
  shard.set_memory(MemoryState::tight);
  EXPECT_EQ(told(3), Fault::line_out_of_memory);
  EXPECT_EQ(told(2), Fault::none);
  EXPECT_EQ(asks(shard, flows[3]), Fault::line_out_of_memory);
  EXPECT_EQ(asks(shard, flows[2]), Fault::none);
  shard.set_memory(MemoryState::dire);
  EXPECT_EQ(told(2), Fault::line_out_of_memory);
  EXPECT_EQ(asks(shard, flows[2]), Fault::line_out_of_memory);
  EXPECT_EQ(told(1), Fault::none);
  EXPECT_EQ(told(0), Fault::none);
  EXPECT_EQ(asks(shard, flows[1]), Fault::none);
  constexpr auto kMemory = static_cast<std::size_t>(ShedReason::memory);
  EXPECT_EQ(shard.metrics().classes[2].shed[kMemory].get(), 2U);
  EXPECT_EQ(shard.metrics().classes[3].shed[kMemory].get(), 2U);
  // Nothing that need not wait is refused.
  standing.clear();
  holder.give_back();
  EXPECT_TRUE(shard.take_idle(flows.data() + 3));
  shard.set_memory(MemoryState::ample);
  EXPECT_EQ(asks(shard, flows[3]), Fault::none);
}

TEST_F(PoolShardLineTest, AShareIsKeptForCriticalWork) {
  ToyWorld world(4);
  PoolShard& shard = grown(world);
  config::AdmissionRule rule;
  rule.application = "checkout";
  rule.importance = config::AdmissionClass::critical;
  world.config.admission.rules.push_back(rule);
  world.config.admission.critical_reserve = 5;
  world.apply();
  const admission::Flow usual = shard.flow(Class::normal, {1}, "web");
  const admission::Flow urgent = shard.flow(Class::critical, {1}, "checkout");
  std::vector<Lease> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(shard.take_idle(&usual));
    ASSERT_TRUE(held.back());
  }
  EXPECT_FALSE(shard.take_idle(&usual));
  Stander waiting(shard, Waiter::Wish::backend, &usual);
  world.settle();
  EXPECT_FALSE(waiting.served());
  Lease reserved = shard.take_idle(&urgent);
  EXPECT_TRUE(reserved);
  // What comes back is the reserve again before it is anybody's.
  Standing clean;
  clean.at_boundary = true;
  reserved.end(clean, false);
  EXPECT_FALSE(waiting.served());
  held[0].end(clean, false);
  EXPECT_TRUE(waiting.served());
}

TEST_F(PoolShardLineTest, NothingIsLostWhenAWaiterLeavesWithItsGrant) {
  ToyWorld world(1);
  PoolShard& shard = grown(world);
  Stander holder(shard);
  ASSERT_TRUE(world.until([&] { return holder.served(); }));
  Stander leaver(shard);
  Stander next(shard);
  holder.give_back();
  ASSERT_FALSE(leaver.place->waiting());
  leaver.place.reset();
  EXPECT_TRUE(next.served());
  next.give_back();
  EXPECT_TRUE(shard.take_idle());
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST_F(PoolShardLineTest, WebNodesAreKnownByWhatTheyUse) {
  ToyWorld world(1);
  PoolShard& shard = grown(world);
  const admission::Flow node = shard.flow(Class::normal, {1}, "");
  EXPECT_TRUE(shard.take_idle(&node));
  shard.sweep();
  EXPECT_EQ(shard.metrics().sources.get(), std::vector<std::uint64_t>{1});
}

}  // namespace
}  // namespace weirpool::proxy
