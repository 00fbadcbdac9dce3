#include "proxy/net/chunk_pool.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace weirpool::proxy {
namespace {

TEST(ChunkPool, AReturnedChunkIsBorrowedAgain) {
  ChunkPool pool;
  Chunk chunk = pool.borrow();
  const std::uint8_t* where = chunk.get();
  pool.give_back(std::move(chunk));
  EXPECT_EQ(pool.kept(), 1U);
  EXPECT_EQ(pool.borrow().get(), where);
  EXPECT_EQ(pool.kept(), 0U);
}

TEST(ChunkPool, ABurstDoesNotStay) {
  ChunkPool pool;
  std::vector<Chunk> burst;
  for (int i = 0; i < 1000; ++i) burst.push_back(pool.borrow());
  for (Chunk& chunk : burst) pool.give_back(std::move(chunk));
  EXPECT_LE(pool.kept() * kChunkSize, std::size_t{5} << 20);
}

}  // namespace
}  // namespace weirpool::proxy
