// The signals of all pools, of their database servers and of everything, from one snapshot of the
// numbers per window.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "proxy/metrics/numbers.hpp"
#include "proxy/scaling/signal.hpp"

namespace weirpool::scaling {

/// What can be looked at; a copy belongs to whoever looks.
struct Signals {
  Signal whole;
  std::map<std::string, Signal> servers;
  std::map<metrics::PoolName, Signal> pools;

  /// The whole first, then servers, then pools.
  std::vector<metrics::ScalingNumbers> numbers() const;
};

class Board {
 public:
  /// How many backends a pool may have, of its own; zero: what its server has.
  using Bound = std::function<std::uint32_t(const metrics::PoolName& pool)>;

  /// Once per window of `seconds`.
  void read(const metrics::Snapshot& numbers, double seconds, const Bound& bound);
  const Signals& signals() const { return signals_; }

 private:
  std::map<std::string, Watch> servers_;
  std::map<metrics::PoolName, Watch> pools_;
  Signals signals_;
};

}  // namespace weirpool::scaling
