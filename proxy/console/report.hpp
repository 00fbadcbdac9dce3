// What the tables of the console are made of: plain values, gathered from all workers. A table sees
// only these, so it knows no worker and no thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "proxy/metrics/link.hpp"
#include "proxy/metrics/numbers.hpp"
#include "proxy/net/deadlines.hpp"
#include "proxy/scaling/board.hpp"

namespace weirpool::console {

using proxy::TimePoint;

using metrics::Link;

/// Sums per database, named as in SHOW STATS.
struct Stats {
  std::uint64_t assignments = 0;
  std::uint64_t transactions = 0;
  std::uint64_t queries = 0;
  std::uint64_t received = 0;          ///< bytes, from clients
  std::uint64_t sent = 0;              ///< bytes, from backends
  std::uint64_t transaction_time = 0;  ///< microseconds
  std::uint64_t query_time = 0;
  std::uint64_t wait_time = 0;
  std::uint64_t client_parses = 0;
  std::uint64_t server_parses = 0;
  std::uint64_t binds = 0;

  void add(const metrics::PoolNumbers& pool);
};

/// Both ends of the last whole period that averages are made of.
struct Period {
  std::map<std::string, Stats> older;
  std::map<std::string, Stats> newer;
  double seconds = 0;  ///< between them; zero: not yet
};

struct Statement {
  std::string protocol;
  std::string name;
  std::string text;
  std::uint64_t users = 0;
};

struct Size {
  std::string name;
  std::uint64_t bytes = 0;  ///< of one
  std::uint64_t used = 0;
};

struct Report {
  config::Snapshot config;
  metrics::Snapshot numbers;
  std::vector<Link> clients;   ///< only where asked for
  std::vector<Link> backends;  ///< only where asked for
  std::vector<Statement> statements;
  std::vector<Size> sizes;
  Period period;
  scaling::Signals scaling;
  std::uint64_t logins = 0;  ///< clients that have not finished their login
  bool paused = false;
  bool suspended = false;
  std::set<std::string> paused_databases;
  std::set<std::string> disabled_databases;
  TimePoint now{};
  std::chrono::system_clock::time_point wall{};  ///< the same moment
};

/// "transaction", "session" or "statement": the user's own, the database's, the general one.
std::string pool_mode_of(const config::Config& config, const std::string& database,
                         const std::string& user);
/// What is configured about a database of this name; null: nothing.
const config::Database* database_of(const config::Config& config, const std::string& name);

/// By database: all users, workers and servers together.
std::map<std::string, Stats> stats_of(const metrics::Snapshot& numbers);

}  // namespace weirpool::console
