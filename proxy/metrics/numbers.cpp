#include "proxy/metrics/numbers.hpp"

#include <algorithm>
#include <numeric>

namespace weirpool::metrics {

void HistogramNumbers::add(const Histogram& one) {
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += one.bucket(i);
  sum += one.sum();
}

void ClientNumbers::add(const WorkerMetrics& worker) {
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i] += worker.clients[i].get();
  for (std::size_t i = 0; i < faults.size(); ++i) faults[i] += worker.faults[i].get();
  console += worker.console.get();
  accepted += worker.accepted.get();
  logins_ok += worker.logins_ok.get();
  tls_handshakes += worker.tls_handshakes.get();
  tls_failed += worker.tls_failed.get();
  loop_lag.add(worker.loop_lag);
}

std::uint64_t ClassNumbers::all_shed() const {
  return std::accumulate(shed.begin(), shed.end(), std::uint64_t{0});
}

void PoolNumbers::add(const PoolMetrics& shard, std::int64_t now) {
  connecting += shard.connecting.get();
  idle += shard.idle.get();
  active += shard.active.get();
  resting += shard.resting.get();
  resetting += shard.resetting.get();
  closing += shard.closing.get();
  waiting += shard.waiting.get();
  clients += shard.clients.get();
  cancelling += shard.cancelling.get();
  const std::int64_t since = shard.oldest_since.get();
  if (since != 0) {
    const double seconds = static_cast<double>(now - since) / 1e9;
    oldest_wait_seconds = std::max(oldest_wait_seconds, seconds);
  }
  for (std::size_t i = 0; i < wait_buckets.size(); ++i) wait_buckets[i] += shard.wait.bucket(i);
  wait_sum += shard.wait.sum();
  transactions += shard.transactions.get();
  work.transactions += shard.work.transactions.get();
  work.queries += shard.work.queries.get();
  work.client_parses += shard.work.client_parses.get();
  work.server_parses += shard.work.server_parses.get();
  work.binds += shard.work.binds.get();
  received += shard.received.get();
  sent += shard.sent.get();
  lent_microseconds += shard.lent_microseconds.get();
  query_microseconds += shard.query_microseconds.get();
  transaction_microseconds += shard.transaction_microseconds.get();
  connects_ok += shard.connects_ok.get();
  connects_failed += shard.connects_failed.get();
  hand_overs += shard.hand_overs.get();
  cancels += shard.cancels.get();
  for (std::size_t i = 0; i < closed.size(); ++i) closed[i] += shard.closed[i].get();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    classes[i].offered += shard.classes[i].offered.get();
    classes[i].admitted += shard.classes[i].admitted.get();
    for (std::size_t reason = 0; reason < kShedReasons; ++reason) {
      classes[i].shed[reason] += shard.classes[i].shed[reason].get();
    }
  }
  overloaded += shard.overloaded.get();
  overloads += shard.overloads.get();
  const std::vector<std::uint64_t> live = shard.sources.get();
  sources.insert(live.begin(), live.end());
  shard.pins.visit([this](std::string_view reason, std::uint64_t n) { pins[reason] += n; });
}

}  // namespace weirpool::metrics
