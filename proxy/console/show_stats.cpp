// SHOW STATS and its parts. Averages are those of the last whole period, as PgBouncer makes them.
#include <algorithm>
#include <array>
#include <utility>

#include "proxy/console/show.hpp"

namespace weirpool::console {
namespace {

constexpr std::size_t kFields = 11;

/// In the order of the wire.
std::array<std::uint64_t, kFields> fields_of(const Stats& stats) {
  return {stats.assignments,   stats.transactions,     stats.queries,    stats.received,
          stats.sent,          stats.transaction_time, stats.query_time, stats.wait_time,
          stats.client_parses, stats.server_parses,    stats.binds};
}

std::uint64_t per(std::uint64_t sum, std::uint64_t count) { return count == 0 ? 0 : sum / count; }

/// Counts and bytes per second; times per transaction, query and assignment.
std::array<std::uint64_t, kFields> averages_of(const Period& period, const std::string& database) {
  std::array<std::uint64_t, kFields> average{};
  const auto newer = period.newer.find(database);
  if (newer == period.newer.end() || period.seconds <= 0) return average;
  const auto older = period.older.find(database);
  const auto before = fields_of(older == period.older.end() ? Stats{} : older->second);
  average = fields_of(newer->second);
  for (std::size_t i = 0; i < kFields; ++i) average[i] -= std::min(average[i], before[i]);
  constexpr std::array<std::pair<std::size_t, std::size_t>, 3> kTimes{{{5, 1}, {6, 2}, {7, 0}}};
  std::array<std::uint64_t, kFields> rates = average;
  for (std::uint64_t& rate : rates) {
    rate = static_cast<std::uint64_t>(static_cast<double>(rate) / period.seconds);
  }
  for (const auto& [time, count] : kTimes) rates[time] = per(average[time], average[count]);
  return rates;
}

using Numbers = std::vector<std::uint64_t>;

void append(Numbers& to, const std::array<std::uint64_t, kFields>& values) {
  to.insert(to.end(), values.begin(), values.end());
}

template <class Make>
Rows per_database(const Report& report, Make make) {
  std::map<std::string, Stats> all = stats_of(report.numbers);
  all["pgbouncer"];
  Rows rows;
  for (const auto& [database, stats] : all) {
    std::vector<Cell> row{database};
    for (const std::uint64_t value : make(database, stats)) row.push_back(number(value));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

Rows stats(const Report& report) {
  return per_database(report, [&](const std::string& database, const Stats& sums) {
    Numbers values;
    append(values, fields_of(sums));
    append(values, averages_of(report.period, database));
    return values;
  });
}

Rows stats_totals(const Report& report) {
  return per_database(report, [](const std::string&, const Stats& sums) {
    Numbers values;
    append(values, fields_of(sums));
    return values;
  });
}

Rows stats_averages(const Report& report) {
  return per_database(report, [&](const std::string& database, const Stats&) {
    Numbers values;
    append(values, averages_of(report.period, database));
    return values;
  });
}

Rows totals(const Report& report) {
  constexpr std::array<std::string_view, kFields> kNames{"server_assignment_count",
                                                         "xact_count",
                                                         "query_count",
                                                         "client_bytes",
                                                         "server_bytes",
                                                         "xact_time",
                                                         "query_time",
                                                         "wait_time",
                                                         "ps_client_parse_count",
                                                         "ps_server_parse_count",
                                                         "ps_bind_count"};
  std::array<std::uint64_t, kFields> sums{};
  std::array<std::uint64_t, kFields> means{};
  for (const auto& [database, stats] : stats_of(report.numbers)) {
    const auto fields = fields_of(stats);
    const auto averages = averages_of(report.period, database);
    for (std::size_t i = 0; i < kFields; ++i) {
      sums[i] += fields[i];
      means[i] += averages[i];
    }
  }
  Rows rows;
  for (std::size_t i = 0; i < kFields; ++i) {
    rows.push_back({"total_" + std::string(kNames[i]), number(sums[i])});
  }
  for (std::size_t i = 0; i < kFields; ++i) {
    rows.push_back({"avg_" + std::string(kNames[i]), number(means[i])});
  }
  return rows;
}

}  // namespace weirpool::console
