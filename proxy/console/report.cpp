#include "proxy/console/report.hpp"

namespace weirpool::console {

void Stats::add(const metrics::PoolNumbers& pool) {
  constexpr double kMicroseconds = 1e6;
  for (const std::uint64_t count : pool.wait_buckets) assignments += count;
  transactions += pool.work.transactions;
  queries += pool.work.queries;
  received += pool.received;
  sent += pool.sent;
  transaction_time += pool.transaction_microseconds;
  query_time += pool.query_microseconds;
  wait_time += static_cast<std::uint64_t>(pool.wait_sum * kMicroseconds);
  client_parses += pool.work.client_parses;
  server_parses += pool.work.server_parses;
  binds += pool.work.binds;
}

const config::Database* database_of(const config::Config& config, const std::string& name) {
  auto found = config.databases.find(name);
  if (found == config.databases.end()) found = config.databases.find("*");
  return found == config.databases.end() ? nullptr : &found->second;
}

std::string pool_mode_of(const config::Config& config, const std::string& database,
                         const std::string& user) {
  config::PoolMode mode = config.pool.mode;
  const config::Database* known = database_of(config, database);
  if (known && known->pool_mode != config::PoolMode::inherit) mode = known->pool_mode;
  const auto account = config.users.find(user);
  if (account != config.users.end() && account->second.pool_mode != config::PoolMode::inherit) {
    mode = account->second.pool_mode;
  }
  switch (mode) {
    case config::PoolMode::session: return "session";
    case config::PoolMode::statement: return "statement";
    default: return "transaction";
  }
}

std::map<std::string, Stats> stats_of(const metrics::Snapshot& numbers) {
  std::map<std::string, Stats> stats;
  for (const auto& [name, pool] : numbers.pools) stats[name.database].add(pool);
  return stats;
}

}  // namespace weirpool::console
