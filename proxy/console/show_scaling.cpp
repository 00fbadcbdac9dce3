// SHOW SCALING: everything first, then each database server, then each pool.
#include <array>
#include <cstdio>

#include "proxy/console/show.hpp"

namespace weirpool::console {
namespace {

Cell fraction(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4f", value);
  return std::string(text.data());
}

std::vector<Cell> row(std::string scope, metrics::PoolName name, const scaling::Signal& signal) {
  return {std::move(scope),
          std::move(name.backend),
          std::move(name.database),
          std::move(name.user),
          std::string(signal.label()),
          std::string(signal.reason),
          fraction(signal.offered_per_second),
          fraction(signal.demand),
          fraction(signal.useful),
          fraction(signal.saturation()),
          fraction(signal.wait_p95_seconds),
          fraction(signal.shed_ratio),
          number(signal.sources)};
}

}  // namespace

Rows scaling_signals(const Report& report) {
  Rows rows{row("whole", {}, report.scaling.whole)};
  for (const auto& [name, signal] : report.scaling.servers) {
    rows.push_back(row("backend", {name, {}, {}}, signal));
  }
  for (const auto& [name, signal] : report.scaling.pools) {
    rows.push_back(row("pool", name, signal));
  }
  return rows;
}

}  // namespace weirpool::console
