// The plain values behind the metrics page: what all workers counted, summed. The exporter sees
// only these, so it knows no worker.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "proxy/metrics/counters.hpp"

namespace weirpool::metrics {

/// A Histogram, summed.
struct HistogramNumbers {
  std::array<std::uint64_t, kWaitBuckets> buckets{};  ///< each alone, not cumulative
  double sum = 0;                                     ///< seconds

  void add(const Histogram& one);
};

struct ClientNumbers {
  std::array<std::int64_t, kClientStates> clients{};
  std::int64_t console = 0;
  std::uint64_t accepted = 0;
  std::uint64_t logins_ok = 0;
  std::uint64_t tls_handshakes = 0;
  std::uint64_t tls_failed = 0;
  std::array<std::uint64_t, kFaults> faults{};
  HistogramNumbers loop_lag;

  void add(const WorkerMetrics& worker);
};

/// The labels of one pool.
struct PoolName {
  std::string backend;
  std::string database;
  std::string user;
  auto operator<=>(const PoolName&) const = default;
};

/// WorkCounters, summed.
struct Work {
  std::uint64_t transactions = 0;
  std::uint64_t queries = 0;
  std::uint64_t client_parses = 0;
  std::uint64_t server_parses = 0;
  std::uint64_t binds = 0;
};

/// ClassCounters, summed.
struct ClassNumbers {
  std::uint64_t offered = 0;
  std::uint64_t admitted = 0;
  std::array<std::uint64_t, kShedReasons> shed{};

  std::uint64_t all_shed() const;
};

struct PoolNumbers {
  std::int64_t connecting = 0;
  std::int64_t idle = 0;
  std::int64_t active = 0;
  std::int64_t resting = 0;
  std::int64_t resetting = 0;
  std::int64_t closing = 0;
  std::int64_t waiting = 0;
  std::int64_t clients = 0;
  std::int64_t cancelling = 0;
  double oldest_wait_seconds = 0;
  std::array<std::uint64_t, kWaitBuckets> wait_buckets{};
  double wait_sum = 0;
  std::uint64_t transactions = 0;
  Work work;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t lent_microseconds = 0;
  std::uint64_t query_microseconds = 0;
  std::uint64_t transaction_microseconds = 0;
  std::uint64_t connects_ok = 0;
  std::uint64_t connects_failed = 0;
  std::uint64_t hand_overs = 0;
  std::uint64_t cancels = 0;
  std::array<std::uint64_t, kCloseReasons> closed{};
  std::map<std::string_view, std::uint64_t> pins;
  std::array<ClassNumbers, kClasses> classes{};
  std::int64_t overloaded = 0;  ///< workers whose line is
  std::uint64_t overloads = 0;
  std::set<std::uint64_t> sources;  ///< web nodes seen lately

  /// `now`: steady_clock, nanoseconds.
  void add(const PoolMetrics& shard, std::int64_t now);
};

struct BackendNumbers {
  std::string name;
  std::string protocol;
  std::uint32_t open = 0;             ///< connections that count against the bound
  std::uint32_t max_connections = 0;  ///< the bound
  std::uint32_t useful = 0;           ///< of those, as found by trial; the bound where nothing was
  std::optional<double> elasticity;   ///< see admission::Elasticity
  std::uint32_t circuit = 0;          ///< 0 closed, 1 open, 2 half open
  double pace = 1;                    ///< of the configured connect rate
  std::uint64_t retries = 0;          ///< requests given to another backend
  std::uint64_t retries_refused = 0;  ///< those that were not, for there have been too many
};

/// The scaling signal of one thing, as it was last read.
struct ScalingNumbers {
  std::string_view scope{};  ///< whole, backend or pool
  PoolName of{};             ///< as far as the scope has names
  std::string_view verdict{};
  std::string_view reason{};
  bool known = false;  ///< without that there is only the verdict
  double offered_per_second = 0;
  double demand = 0;
  double useful = 0;
  double saturation = 0;
  double wait_p95_seconds = 0;
  double shed_ratio = 0;
  std::uint64_t sources = 0;
};

struct Snapshot {
  std::string version;
  ClientNumbers clients;
  /// Clients that never became a session, by fault; counted outside the workers.
  std::array<std::uint64_t, kFaults> turned_away{};
  std::map<PoolName, PoolNumbers> pools;
  std::vector<BackendNumbers> backends;
  std::vector<ScalingNumbers> scaling;
  std::uint32_t client_limit = 0;
  std::uint32_t workers = 0;
  std::uint32_t workers_behind = 0;
  std::uint64_t memory_high = 0;   ///< bytes; 0: no bound
  std::uint32_t memory_state = 0;  ///< as admission::MemoryState
  std::uint64_t held_accepts = 0;
  bool draining = false;
  bool last_reload_ok = true;
  double last_reload_ok_time = 0;  ///< Unix seconds; the start counts as the first
  std::uint64_t reloads_ok = 0;
  std::uint64_t reloads_failed = 0;
  std::uint64_t log_dropped = 0;
};

}  // namespace weirpool::metrics
