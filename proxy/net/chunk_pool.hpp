// Buffers of one size for one worker. Idle clients hold none: a chunk is borrowed when bytes arrive
// and goes back when they have left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace weirpool::proxy {

/// Bytes read at once; what streams through weirpool streams through this much memory.
inline constexpr std::size_t kChunkFill = 16 * 1024;
/// Room kept behind it, so that an engine can insert small messages without another write.
inline constexpr std::size_t kChunkSlack = 512;
inline constexpr std::size_t kChunkSize = kChunkFill + kChunkSlack;

using Chunk = std::unique_ptr<std::uint8_t[]>;

class ChunkPool {
 public:
  Chunk borrow();
  void give_back(Chunk chunk);
  std::size_t kept() const { return free_.size(); }

 private:
  /// 4 MiB stay with a worker after a burst; the rest goes back to the allocator.
  static constexpr std::size_t kKeep = 256;
  std::vector<Chunk> free_;
};

}  // namespace weirpool::proxy
