#include "proxy/net/chunk_pool.hpp"

#include <utility>

namespace weirpool::proxy {

Chunk ChunkPool::borrow() {
  if (free_.empty()) return Chunk(new std::uint8_t[kChunkSize]);
  Chunk chunk = std::move(free_.back());
  free_.pop_back();
  return chunk;
}

void ChunkPool::give_back(Chunk chunk) {
  if (free_.size() < kKeep) free_.push_back(std::move(chunk));
}

}  // namespace weirpool::proxy
