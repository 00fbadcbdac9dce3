// PAUSE, RECONNECT and looking at a pool, proxy/pool/recall.cpp.
#include <gtest/gtest.h>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using metrics::CloseReason;
using test::ToyClient;
using test::ToyWorld;

TEST(RecallTest, APausedPoolClosesWhatIsFreeAndItsClientsWait) {
  ToyWorld world(2);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("echo a"), "= a,idle");
  PoolShard& pool = world.pool();
  pool.set_paused(true);
  ASSERT_TRUE(world.until([&] { return pool.backends() == 0; }));
  EXPECT_EQ(world.closed(pool, CloseReason::recalled), 1U);
  client.send("echo b\n");
  ASSERT_TRUE(world.until([&] { return world.clients(metrics::ClientState::waiting) == 1; }));
  world.settle();
  EXPECT_EQ(world.server.counts().open, 0U);
  EXPECT_FALSE(client.has_line());
  pool.set_paused(false);
  EXPECT_EQ(client.answer(), "= b,idle");
}

TEST(RecallTest, APauseWaitsForTheTransaction) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  PoolShard& pool = world.pool();
  pool.set_paused(true);
  world.settle();
  EXPECT_EQ(pool.backends(), 1U);
  EXPECT_EQ(client.ask("echo inside"), "= inside,open");
  EXPECT_EQ(client.ask("commit"), "idle");
  EXPECT_TRUE(world.until([&] { return pool.backends() == 0; }));
  pool.set_paused(false);
}

TEST(RecallTest, ABoundThatIsLoweredClosesWhatIsIdleAndThenWhatComesBack) {
  ToyWorld world(3);
  std::vector<ToyClient> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(world.logged_in());
  for (ToyClient& client : clients) EXPECT_EQ(client.ask("begin"), "open");
  EXPECT_EQ(clients[0].ask("commit"), "idle");
  PoolShard& pool = world.pool();
  ASSERT_TRUE(world.until([&] { return pool.metrics().idle.get() == 1; }));
  world.config.pool.default_pool_size = 1;
  world.apply();
  pool.sweep();
  ASSERT_TRUE(world.until([&] { return pool.backends() == 2; }));
  pool.sweep();
  pool.sweep();
  EXPECT_EQ(pool.recalled(), 1U);
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(clients[i].ask("echo inside"), "= inside,open") << "nobody is disturbed";
    EXPECT_EQ(clients[i].ask("commit"), "idle");
  }
  ASSERT_TRUE(world.until([&] { return pool.backends() == 1; }));
  EXPECT_EQ(world.closed(pool, CloseReason::recalled), 2U);
  pool.sweep();
  EXPECT_EQ(clients[0].ask("echo served"), "= served,idle");
  EXPECT_EQ(pool.backends(), 1U);
}

TEST(RecallTest, RecalledBackendsGoAtTheirBoundaryAndNewOnesCome) {
  ToyWorld world(2);
  ToyClient inside = world.logged_in();
  ToyClient idle = world.logged_in();
  EXPECT_EQ(inside.ask("begin"), "open");
  EXPECT_EQ(idle.ask("echo a"), "= a,idle");
  PoolShard& pool = world.pool();
  pool.recall();
  ASSERT_TRUE(world.until([&] { return pool.backends() == 1; }));
  EXPECT_EQ(pool.recalled(), 1U);
  EXPECT_EQ(idle.ask("echo b"), "= b,idle") << "over a new one";
  EXPECT_EQ(pool.recalled(), 1U);
  EXPECT_EQ(inside.ask("commit"), "idle");
  ASSERT_TRUE(world.until([&] { return pool.recalled() == 0; }));
  EXPECT_EQ(pool.backends(), 1U);
}

TEST(RecallTest, InspectionTellsWhoHasWhat) {
  ToyWorld world(2);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("echo a"), "= a,idle");
  PoolShard& pool = world.pool();
  ASSERT_EQ(pool.inspect().size(), 1U);
  const metrics::Link idle = pool.inspect().front();
  EXPECT_EQ(idle.state, "idle");
  EXPECT_EQ(idle.database, "shop");
  EXPECT_EQ(idle.user, "app");
  EXPECT_EQ(idle.peer.port, world.server.port());
  EXPECT_NE(idle.since, TimePoint{});
  EXPECT_FALSE(idle.close_needed);
  EXPECT_EQ(client.ask("begin"), "open");
  const metrics::Link lent = pool.inspect().front();
  EXPECT_EQ(lent.state, "active");
  EXPECT_NE(lent.other, 0U);
  EXPECT_EQ(client.ask("commit"), "idle");
  EXPECT_GT(pool.metrics().lent_microseconds.get(), 0U);
}

}  // namespace
}  // namespace weirpool::proxy
