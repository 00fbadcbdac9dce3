// What the data path counts. Every number has one writer, its worker, so an update is a plain load
// and store without a lock prefix; the scraper reads from its own thread and may be a moment late.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/fault.hpp"
#include "protocol/tally.hpp"

namespace weirpool::metrics {

/// Only ever grows. One writing thread, any reading ones.
class Counter {
 public:
  void add(std::uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. One writing thread, any reading ones.
class Gauge {
 public:
  void add(std::int64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Upper bounds in seconds of the wait for a backend: microseconds when the pool is healthy, so it
/// starts well below a millisecond. What is above the last one goes to one more bucket.
inline constexpr std::array kWaitBounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                        0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                        1.0,    2.5,     5.0,    10.0,  30.0};
inline constexpr std::size_t kWaitBuckets = kWaitBounds.size() + 1;

class Histogram {
 public:
  void observe(double seconds) {
    std::size_t bucket = 0;
    while (bucket < kWaitBounds.size() && seconds > kWaitBounds[bucket]) ++bucket;
    buckets_[bucket].add(1);
    sum_.store(sum_.load(std::memory_order_relaxed) + seconds, std::memory_order_relaxed);
  }
  /// Of one bucket alone, not cumulative.
  std::uint64_t bucket(std::size_t index) const { return buckets_[index].get(); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::array<Counter, kWaitBuckets> buckets_;
  std::atomic<double> sum_{0};
};

/// Counts by reasons the writer names as it goes. One writing thread, any reading ones.
class ReasonCounters {
 public:
  /// More reasons than either protocol has; what comes behind them is not counted.
  static constexpr std::size_t kReasons = 24;

  /// `reason` must live as long as the program.
  void add(std::string_view reason) {
    const std::size_t used = used_.load(std::memory_order_relaxed);
    std::size_t at = 0;
    while (at < used && entries_[at].reason != reason) ++at;
    if (at == kReasons) return;
    entries_[at].count.add(1);
    if (at < used) return;
    entries_[at].reason = reason;
    used_.store(used + 1, std::memory_order_release);
  }
  /// each(reason, count)
  template <class Each>
  void visit(Each each) const {
    const std::size_t used = used_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < used; ++i) each(entries_[i].reason, entries_[i].count.get());
  }

 private:
  struct Entry {
    std::string_view reason;
    Counter count;
  };
  std::array<Entry, kReasons> entries_;
  std::atomic<std::size_t> used_{0};
};

enum class ClientState : std::uint8_t { login, idle, active, waiting, count_ };
inline constexpr std::size_t kClientStates = static_cast<std::size_t>(ClientState::count_);
inline constexpr std::array<std::string_view, kClientStates> kClientStateLabels{
    "login", "idle", "active", "waiting"};

/// Why a backend was closed.
enum class CloseReason : std::uint8_t {
  client_gone,   ///< its client vanished inside a transaction
  idle_timeout,  ///< unused for too long
  lifetime,      ///< old enough
  backend_lost,  ///< the other side closed it
  violation,     ///< it broke its protocol
  reset_failed,  ///< it could not be cleaned for the next client
  evicted,       ///< another pool needed its place
  shutdown,
  reload,        ///< the configuration it was opened with is gone
  recalled,      ///< an administrator paused the pool or asked for new connections
  fence_failed,  ///< a cancel request might still hit it
  outdated,      ///< no host has its address any more, or its server is not what it was
  stale,         ///< found dead or with unexpected bytes when it was to be lent
  count_,
};
inline constexpr std::size_t kCloseReasons = static_cast<std::size_t>(CloseReason::count_);
inline constexpr std::array<std::string_view, kCloseReasons> kCloseReasonLabels{
    "client_gone",  "idle_timeout", "lifetime", "backend_lost", "violation",
    "reset_failed", "evicted",      "shutdown", "reload",       "recalled",
    "fence_failed", "outdated",     "stale"};

/// Classes of work, as admission::Class has them.
inline constexpr std::array<std::string_view, 4> kClassLabels{"critical", "high", "normal",
                                                              "sheddable"};
inline constexpr std::size_t kClasses = kClassLabels.size();

/// Why work was refused before it had a backend.
enum class ShedReason : std::uint8_t {
  overload,      ///< it stood in an overloaded line for too long, or would have
  hopeless,      ///< the line was longer than its time when it came
  timeout,       ///< its time in line was over
  queue_full,    ///< the line was at its bound
  source_quota,  ///< its source had as many in line as it may
  backend_down,  ///< the database server could not be reached
  memory,        ///< weirpool was short of it
  count_,
};
inline constexpr std::size_t kShedReasons = static_cast<std::size_t>(ShedReason::count_);
inline constexpr std::array<std::string_view, kShedReasons> kShedReasonLabels{
    "overload", "hopeless", "timeout", "queue_full", "source_quota", "backend_down", "memory"};

inline constexpr std::size_t kFaults = static_cast<std::size_t>(protocol::Fault::count_);

/// Written by one worker.
struct WorkerMetrics {
  std::array<Gauge, kClientStates> clients;  ///< connected now, by state
  Gauge console;                             ///< those of them that use the console
  Counter accepted;                          ///< connections that became a session
  Counter logins_ok;
  Counter tls_handshakes;               ///< finished ones, with clients
  Counter tls_failed;                   ///< begun and not finished
  std::array<Counter, kFaults> faults;  ///< told to clients, or the reason of a silent close
  Histogram loop_lag;                   ///< by how much the event loop is behind, evenly sampled
};

/// Sums of what engines have tallied.
struct WorkCounters {
  Counter transactions;
  Counter queries;
  Counter client_parses;
  Counter server_parses;
  Counter binds;

  /// Takes over `tally` and starts it again.
  void take(protocol::Tally& tally) {
    transactions.add(tally.transactions);
    queries.add(tally.queries);
    client_parses.add(tally.client_parses);
    server_parses.add(tally.server_parses);
    binds.add(tally.binds);
    tally = {};
  }
};

/// What one class of work has asked for and got.
struct ClassCounters {
  Counter offered;
  Counter admitted;
  std::array<Counter, kShedReasons> shed;
};

/// The web nodes that a pool has lately worked for, by admission::Source::key. Any thread.
class LiveSources {
 public:
  void set(std::vector<std::uint64_t> keys) {
    const std::lock_guard lock(mutex_);
    keys_ = std::move(keys);
  }
  std::vector<std::uint64_t> get() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> keys_;
};

/// One pool's part on one worker; written by that worker.
struct PoolMetrics {
  Gauge connecting;  ///< backends by state
  Gauge idle;
  Gauge active;
  Gauge
      resting;  ///< of the active: nothing executes, the client is idle in a transaction or pinned
  Gauge resetting;
  Gauge closing;
  Gauge waiting;     ///< clients in line
  Gauge clients;     ///< logged in, whether they have a backend or not
  Gauge cancelling;  ///< cancel requests on their way
  /// When the client waiting longest began to wait: steady_clock, nanoseconds; 0: nobody waits.
  Gauge oldest_since;
  std::array<ClassCounters, kClasses> classes;
  Gauge overloaded;      ///< 1: its line is refused from the old end
  Counter overloads;     ///< times that this began
  LiveSources sources;   ///< once per sweep
  Histogram wait;        ///< of clients that were served, most of them at once
  Counter transactions;  ///< leases that ended at a boundary
  WorkCounters work;
  Counter received;  ///< bytes read from clients
  Counter sent;      ///< bytes read from backends
  Counter lent_microseconds;
  Counter query_microseconds;        ///< at work on statements
  Counter transaction_microseconds;  ///< inside transactions, pauses included
  Counter connects_ok;
  Counter connects_failed;
  Counter hand_overs;  ///< idle backends received from another worker
  Counter cancels;     ///< cancel requests sent
  std::array<Counter, kCloseReasons> closed;
  ReasonCounters pins;  ///< times a client began to keep its backend across transactions
};

}  // namespace weirpool::metrics
