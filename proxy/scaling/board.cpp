#include "proxy/scaling/board.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace weirpool::scaling {
namespace {

metrics::ScalingNumbers numbers_of(std::string_view scope, metrics::PoolName of,
                                   const Signal& signal) {
  return {.scope = scope,
          .of = std::move(of),
          .verdict = signal.label(),
          .reason = signal.reason,
          .known = signal.verdict != Verdict::hold_unknown,
          .offered_per_second = signal.offered_per_second,
          .demand = signal.demand,
          .useful = signal.useful,
          .saturation = signal.saturation(),
          .wait_p95_seconds = signal.wait_p95_seconds,
          .shed_ratio = signal.shed_ratio,
          .sources = signal.sources};
}

}  // namespace

std::vector<metrics::ScalingNumbers> Signals::numbers() const {
  std::vector<metrics::ScalingNumbers> all{numbers_of("whole", {}, whole)};
  for (const auto& [name, signal] : servers) {
    all.push_back(numbers_of("backend", {name, {}, {}}, signal));
  }
  for (const auto& [name, signal] : pools) all.push_back(numbers_of("pool", name, signal));
  return all;
}

void Board::read(const metrics::Snapshot& numbers, double seconds, const Bound& bound) {
  Signals made;
  std::vector<Signal> all;
  std::set<std::uint64_t> sources;
  for (const metrics::BackendNumbers& server : numbers.backends) {
    Reading sum;
    sum.useful = server.useful;
    for (const auto& [name, pool] : numbers.pools) {
      if (name.backend != server.name) continue;
      sum.add(pool);
      Reading own;
      const std::uint32_t most = bound(name);
      own.useful = most == 0 ? server.useful : std::min(most, server.useful);
      own.add(pool);
      Watch& watch = pools_[name];
      watch.read(own, seconds);
      made.pools[name] = watch.signal();
    }
    sources.insert(sum.sources.begin(), sum.sources.end());
    Watch& watch = servers_[server.name];
    watch.read(sum, seconds);
    made.servers[server.name] = watch.signal();
    all.push_back(watch.signal());
  }
  std::erase_if(pools_, [&](const auto& entry) { return !numbers.pools.contains(entry.first); });
  made.whole = joined(all);
  made.whole.sources = sources.size();
  signals_ = std::move(made);
}

}  // namespace weirpool::scaling
