// A pool that keeps a database server busier than is good for it, however few execute: its arbiter
// finds that as few as possible are useful, and divides those between this pool and others.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>

#include "config/limits.hpp"
#include "proxy/pool/arbiter.hpp"

namespace weirpool::test {

class CrowdedServer {
 public:
  /// `arbiter` outlives it.
  explicit CrowdedServer(proxy::Arbiter& arbiter, std::uint32_t most = 40)
      : arbiter_(arbiter), most_(most), share_(arbiter.enroll(place_, numbers_)) {
    numbers_->waiting.set(1000);
    for (int i = 0; i < 4000; ++i) tick();
  }
  ~CrowdedServer() { arbiter_.forget(place_); }
  CrowdedServer(const CrowdedServer&) = delete;
  CrowdedServer& operator=(const CrowdedServer&) = delete;

  /// As many as may execute, and the same throughput whatever happens.
  void tick(config::ElasticityMode mode = config::ElasticityMode::enforce) {
    now_ += config::kArbiterTick;
    numbers_->active.set(std::min(share_->load(), most_));
    numbers_->work.transactions.add(25);
    arbiter_.tick(mode, most_, now_);
  }
  std::uint32_t share() const { return share_->load(); }
  std::uint32_t useful() const { return arbiter_.finding().useful; }
  metrics::PoolMetrics& numbers() { return *numbers_; }

 private:
  proxy::Arbiter& arbiter_;
  const std::uint32_t most_;
  proxy::TimePoint now_{std::chrono::hours(1)};
  const proxy::PoolLedger::Place place_{1, {nullptr, "crowd", "crowd", 0}};
  const std::shared_ptr<metrics::PoolMetrics> numbers_ = std::make_shared<metrics::PoolMetrics>();
  const std::shared_ptr<const proxy::Arbiter::Share> share_;
};

}  // namespace weirpool::test
