// The arbiter of one database server: how many statements may execute there at a time, and how many
// of them from which shard. It belongs to the server, for all pools and workers load it together.
//
// Executing is not the same as lent: a backend whose client is idle in a transaction does nothing,
// and its next statement never waits. So shards count what executes and lend within their share;
// only that is limited, no connection is closed for it.
//
// The main thread ticks and sets the shares; at every lending a worker loads its own, an atomic
// that rarely changes: that is all that the data path pays.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "config/config.hpp"
#include "proxy/admission/elasticity.hpp"
#include "proxy/metrics/counters.hpp"
#include "proxy/pool/pool_ledger.hpp"

namespace weirpool::proxy {

class Arbiter {
 public:
  static constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();
  using Share = std::atomic<std::uint32_t>;

  /// A shard takes its seat: what it counts, and the share that it may lend. Any thread.
  std::shared_ptr<const Share> enroll(const PoolLedger::Place& place,
                                      std::shared_ptr<const metrics::PoolMetrics> numbers);
  void forget(const PoolLedger::Place& place);

  /// Tells a shard that its share has grown while it has a line; must only post. Before the first
  /// tick.
  void set_messenger(std::function<void(const PoolLedger::Place& to)> share_raised) {
    share_raised_ = std::move(share_raised);
  }
  /// Looks, decides and divides; when to look again. `most`: connections that may be open. Main
  /// thread only.
  admission::Duration tick(config::ElasticityMode mode, std::uint32_t most, TimePoint now);

  /// What is known of the server. Any thread.
  struct Finding {
    std::uint32_t useful = 0;  ///< zero: nothing is limited
    std::optional<double> elasticity;
  };
  Finding finding() const;

 private:
  struct Seat {
    PoolLedger::Place place;
    std::shared_ptr<const metrics::PoolMetrics> numbers;
    std::shared_ptr<Share> share;
    std::uint64_t completed = 0;  ///< of `numbers`, when last looked at
    std::uint64_t refused = 0;
    std::uint32_t executing = 0;
    std::uint32_t waiting = 0;
  };

  admission::Elasticity::Sample look();
  void lift();
  void divide(std::uint32_t limit);
  static std::uint64_t refused(const metrics::PoolMetrics& numbers);
  void raise(Seat& seat, std::uint32_t share);

  mutable std::mutex mutex_;
  std::list<Seat> seats_;
  admission::Elasticity elasticity_;
  Finding finding_;
  bool limiting_ = false;
  std::vector<PoolLedger::Place> raised_;  ///< by this tick
  std::function<void(const PoolLedger::Place& to)> share_raised_;
};

/// Shares of `limit` by demand, everybody's at least one; `demand` is less than the limit in sum:
/// what is left is everybody's, for whoever comes first until they are made anew.
std::vector<std::uint32_t> shares_of(std::uint32_t limit, const std::vector<std::uint32_t>& demand);

}  // namespace weirpool::proxy
