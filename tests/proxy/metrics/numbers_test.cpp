#include "proxy/metrics/numbers.hpp"

#include <gtest/gtest.h>

namespace weirpool::metrics {
namespace {

TEST(Numbers, WorkersAreSummed) {
  WorkerMetrics one;
  WorkerMetrics two;
  one.clients[1].add(3);
  two.clients[1].add(-1);  // a session moved: only the sum means something
  two.faults[4].add(2);
  one.logins_ok.add(1);
  one.loop_lag.observe(0.2);
  two.loop_lag.observe(0.2);
  ClientNumbers sum;
  sum.add(one);
  sum.add(two);
  EXPECT_EQ(sum.clients[1], 2);
  EXPECT_EQ(sum.faults[4], 2U);
  EXPECT_EQ(sum.logins_ok, 1U);
  EXPECT_EQ(sum.loop_lag.buckets[10], 2U);
  EXPECT_DOUBLE_EQ(sum.loop_lag.sum, 0.4);
}

TEST(Numbers, TheOldestWaiterOfAllShardsCounts) {
  PoolMetrics one;
  PoolMetrics two;
  PoolMetrics none;
  one.oldest_since.set(9'000'000'000);
  two.oldest_since.set(7'000'000'000);
  one.wait.observe(0.2);
  two.wait.observe(0.2);
  two.closed[2].add(1);
  one.pins.add("listen");
  two.pins.add("listen");
  one.classes[2].offered.add(3);
  two.classes[2].offered.add(1);
  two.classes[2].shed[1].add(1);
  one.sources.set({1, 2});
  two.sources.set({2, 3});
  PoolNumbers sum;
  for (const PoolMetrics* shard : {&one, &two, &none}) sum.add(*shard, 10'000'000'000);
  EXPECT_DOUBLE_EQ(sum.oldest_wait_seconds, 3.0);
  EXPECT_EQ(sum.wait_buckets[10], 2U);
  EXPECT_DOUBLE_EQ(sum.wait_sum, 0.4);
  EXPECT_EQ(sum.closed[2], 1U);
  EXPECT_EQ(sum.pins.at("listen"), 2U);
  EXPECT_EQ(sum.classes[2].offered, 4U);
  EXPECT_EQ(sum.classes[2].all_shed(), 1U);
  EXPECT_EQ(sum.sources.size(), 3U) << "one node that both have seen counts once";
}

}  // namespace
}  // namespace weirpool::metrics
