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

std::vector<Cell> row(const metrics::ScalingNumbers& numbers) {
  return {std::string(numbers.scope),
          numbers.of.backend,
          numbers.of.database,
          numbers.of.user,
          std::string(numbers.verdict),
          std::string(numbers.reason),
          fraction(numbers.offered_per_second),
          fraction(numbers.demand),
          fraction(numbers.useful),
          fraction(numbers.saturation),
          fraction(numbers.wait_p95_seconds),
          fraction(numbers.shed_ratio),
          number(numbers.sources)};
}

}  // namespace

Rows scaling_signals(const Report& report) {
  Rows rows;
  for (const metrics::ScalingNumbers& numbers : report.scaling.numbers()) {
    rows.push_back(row(numbers));
  }
  return rows;
}

}  // namespace weirpool::console
