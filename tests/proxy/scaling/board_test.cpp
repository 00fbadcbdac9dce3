#include "proxy/scaling/board.hpp"

#include <gtest/gtest.h>

namespace weirpool::scaling {
namespace {

TEST(BoardTest, PoolsServersAndEverything) {
  metrics::Snapshot numbers;
  numbers.backends = {{"shop", "postgresql", 0, 20, 20, {}}, {"mail", "mysql", 0, 10, 10, {}}};
  metrics::PoolNumbers& app = numbers.pools[{"shop", "app", "ann"}];
  metrics::PoolNumbers& web = numbers.pools[{"shop", "web", "ann"}];
  app.sources = {1, 2};
  web.sources = {2, 3};
  const auto bound = [](const metrics::PoolName& pool) -> std::uint32_t {
    return pool.database == "app" ? 4 : 0;
  };
  Board board;
  board.read(numbers, 10, bound);
  EXPECT_EQ(board.signals().whole.verdict, Verdict::hold_unknown);
  for (metrics::PoolNumbers* pool : {&app, &web}) {
    pool->classes[2].offered = pool->classes[2].admitted = 1000;
    pool->lent_microseconds = 20'000'000;
  }
  board.read(numbers, 10, bound);
  const Signals& made = board.signals();
  EXPECT_DOUBLE_EQ((made.pools.at({"shop", "app", "ann"}).saturation()), 0.5);
  EXPECT_DOUBLE_EQ((made.pools.at({"shop", "web", "ann"}).saturation()), 0.1);
  EXPECT_DOUBLE_EQ(made.servers.at("shop").saturation(), 0.2);
  EXPECT_EQ(made.servers.at("shop").sources, 3U);
  EXPECT_DOUBLE_EQ(made.servers.at("mail").demand, 0);
  EXPECT_DOUBLE_EQ(made.whole.demand, 4);
  EXPECT_DOUBLE_EQ(made.whole.useful, 30);
  EXPECT_EQ(made.whole.sources, 3U);
  EXPECT_EQ(made.whole.verdict, Verdict::scale_web_ok);
}

TEST(BoardTest, WhatIsUsefulCountsNotWhatIsAllowed) {
  metrics::Snapshot numbers;
  numbers.backends = {{"shop", "postgresql", 0, 20, 8, {}}};
  metrics::PoolNumbers& app = numbers.pools[{"shop", "app", "ann"}];
  const auto bound = [](const metrics::PoolName&) -> std::uint32_t { return 10; };
  Board board;
  board.read(numbers, 10, bound);
  app.classes[2].offered = app.classes[2].admitted = 1000;
  app.lent_microseconds = 80'000'000;
  board.read(numbers, 10, bound);
  EXPECT_DOUBLE_EQ(board.signals().servers.at("shop").saturation(), 1);
  EXPECT_DOUBLE_EQ((board.signals().pools.at({"shop", "app", "ann"}).saturation()), 1);
}

TEST(BoardTest, APoolThatIsGoneIsForgotten) {
  metrics::Snapshot numbers;
  numbers.backends = {{"shop", "postgresql", 0, 20, 20, {}}};
  numbers.pools[{"shop", "app", "ann"}];
  Board board;
  const auto unbounded = [](const metrics::PoolName&) -> std::uint32_t { return 0; };
  board.read(numbers, 10, unbounded);
  EXPECT_EQ(board.signals().pools.size(), 1U);
  numbers.pools.clear();
  board.read(numbers, 10, unbounded);
  EXPECT_TRUE(board.signals().pools.empty());
}

}  // namespace
}  // namespace weirpool::scaling
