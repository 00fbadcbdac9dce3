// What the shards of one pool have together, on all workers. They share their backends: one that
// has none at the moment is lent another's for whoever has waited longest, so how long its own line
// takes is told by all backends and all lines.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace weirpool::proxy {

/// Any thread.
struct PoolTotals {
  std::atomic<std::size_t> backends{0};  ///< logged in
  std::atomic<std::size_t> waiting{0};
};

/// One shard's part. Its worker's thread only.
class PartOfPool {
 public:
  explicit PartOfPool(std::shared_ptr<PoolTotals> all) : all_(std::move(all)) {}
  PartOfPool(const PartOfPool&) = delete;
  PartOfPool& operator=(const PartOfPool&) = delete;
  ~PartOfPool() { note(0, 0); }

  void note(std::size_t backends, std::size_t waiting) {
    move(all_->backends, backends_, backends);
    move(all_->waiting, waiting_, waiting);
  }
  std::size_t backends_elsewhere() const { return all_->backends.load(kOrder) - backends_; }
  /// So many of all backends serve this shard's line, which has `own` itself.
  std::size_t serving(std::size_t own) const {
    const std::size_t backends = own + backends_elsewhere();
    const std::size_t waiting = all_->waiting.load(kOrder);
    if (backends == 0 || waiting == waiting_) return backends;
    return std::max<std::size_t>(backends * (waiting_ + 1) / (waiting + 1), 1);
  }

 private:
  static constexpr std::memory_order kOrder = std::memory_order_relaxed;

  static void move(std::atomic<std::size_t>& all, std::size_t& mine, std::size_t now) {
    if (now == mine) return;
    all.fetch_add(now - std::exchange(mine, now), kOrder);  // may wrap around, and so back
  }

  std::shared_ptr<PoolTotals> all_;
  std::size_t backends_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace weirpool::proxy
