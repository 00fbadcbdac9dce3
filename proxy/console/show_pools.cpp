// SHOW POOLS, DATABASES and what weirpool adds to them.
#include <algorithm>
#include <array>
#include <utility>

#include "proxy/console/show.hpp"

namespace weirpool::console {
namespace {

using metrics::PoolNumbers;

constexpr std::uint64_t kMicrosecond = 1'000'000;  // per second

std::uint64_t at_least_zero(std::int64_t value) {
  return value < 0 ? 0 : static_cast<std::uint64_t>(value);
}

/// What the columns of PgBouncer count; several servers' pools of one name are one row, because
/// exporters make one series of database and user.
struct PoolSum {
  std::int64_t clients = 0;
  std::int64_t waiting = 0;
  std::int64_t cancelling = 0;
  std::int64_t active = 0;
  std::int64_t idle = 0;
  std::int64_t tested = 0;
  std::int64_t connecting = 0;
  double oldest_wait = 0;

  void add(const PoolNumbers& pool) {
    clients += pool.clients;
    waiting += pool.waiting;
    cancelling += pool.cancelling;
    active += pool.active;
    idle += pool.idle;
    tested += pool.resetting;
    connecting += pool.connecting;
    oldest_wait = std::max(oldest_wait, pool.oldest_wait_seconds);
  }
};

std::int64_t open_backends(const PoolNumbers& pool) {
  return pool.active + pool.idle + pool.resetting + pool.connecting + pool.closing;
}

std::vector<Cell> pool_row(std::string database, std::string user, const PoolSum& pool,
                           std::string mode) {
  const auto wait = static_cast<std::uint64_t>(pool.oldest_wait * 1e6);
  const auto count = [](std::int64_t value) { return small(at_least_zero(value)); };
  return {std::move(database),
          std::move(user),
          count(pool.clients - pool.waiting),
          count(pool.waiting),
          count(pool.cancelling),
          "0",
          count(pool.active),
          count(pool.cancelling),
          "0",
          count(pool.idle),
          "0",
          count(pool.tested),
          count(pool.connecting),
          small(wait / kMicrosecond),
          small(wait % kMicrosecond),
          std::move(mode),
          std::nullopt};
}

/// The upper bound, in microseconds, of the bucket that holds this share of all waits.
std::uint64_t quantile(const PoolNumbers& pool, double share) {
  std::uint64_t all = 0;
  for (const std::uint64_t count : pool.wait_buckets) all += count;
  const auto rank = static_cast<std::uint64_t>(static_cast<double>(all) * share);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < metrics::kWaitBounds.size(); ++i) {
    seen += pool.wait_buckets[i];
    if (all > 0 && seen > rank) return static_cast<std::uint64_t>(metrics::kWaitBounds[i] * 1e6);
  }
  return all == 0 ? 0 : static_cast<std::uint64_t>(metrics::kWaitBounds.back() * 1e6);
}

const metrics::BackendNumbers* find_backend(const Report& report, const std::string& name) {
  for (const metrics::BackendNumbers& backend : report.numbers.backends) {
    if (backend.name == name) return &backend;
  }
  return nullptr;
}

struct DatabaseSum {
  std::set<std::string> backends;
  std::int64_t open = 0;
  std::int64_t clients = 0;
};

std::map<std::string, DatabaseSum> database_sums(const Report& report) {
  std::map<std::string, DatabaseSum> sums;
  for (const auto& [name, pool] : report.numbers.pools) {
    DatabaseSum& sum = sums[name.database];
    sum.backends.insert(name.backend);
    sum.open += open_backends(pool);
    sum.clients += pool.clients;
  }
  for (const auto& [name, database] : report.config->databases) {
    if (name == "*") continue;
    DatabaseSum& sum = sums[name];
    if (!database.backend.empty()) sum.backends.insert(database.backend);
  }
  for (const std::string& name : report.paused_databases) sums[name];
  for (const std::string& name : report.disabled_databases) sums[name];
  return sums;
}

std::vector<Cell> database_row(const Report& report, const std::string& name,
                               const DatabaseSum& sum) {
  Cell host;
  Cell port = "0";
  std::uint64_t most = 0;
  for (const std::string& backend : sum.backends) {
    const auto found = report.config->backends.find(backend);
    if (found == report.config->backends.end()) continue;
    host = found->second.address.host;
    port = small(found->second.address.port);
    most += found->second.max_connections;
  }
  if (sum.backends.size() > 1) host.reset();
  static const config::Database kNothingSaid;
  const config::Database* known = database_of(*report.config, name);
  const config::Database& said = known ? *known : kNothingSaid;
  const config::Pool& general = report.config->pool;
  const auto first = [](std::uint64_t own, std::uint64_t other) { return own != 0 ? own : other; };
  const auto lifetime =
      std::chrono::duration_cast<std::chrono::seconds>(report.config->timeouts.server_lifetime);
  const bool paused = report.paused || report.paused_databases.contains(name);
  return {
      name,
      host,
      port,
      said.database.empty() ? name : said.database,
      said.user.empty() ? Cell() : Cell(said.user),
      small(first(first(said.pool_size, general.default_pool_size), most)),
      small(first(said.min_pool_size, general.min_pool_size)),
      "0",
      small(static_cast<std::uint64_t>(lifetime.count())),
      pool_mode_of(*report.config, name, {}),
      std::nullopt,
      small(first(first(said.max_db_connections, general.max_db_connections), most)),
      small(at_least_zero(sum.open)),
      small(first(said.max_db_client_connections, report.config->limits.max_db_client_connections)),
      small(at_least_zero(sum.clients)),
      paused ? "1" : "0",
      report.disabled_databases.contains(name) ? "1" : "0"};
}

}  // namespace

Rows pools(const Report& report) {
  std::map<std::pair<std::string, std::string>, PoolSum> sums;
  for (const auto& [name, pool] : report.numbers.pools) {
    sums[{name.database, name.user}].add(pool);
  }
  Rows rows;
  for (const auto& [name, sum] : sums) {
    rows.push_back(pool_row(name.first, name.second, sum,
                            pool_mode_of(*report.config, name.first, name.second)));
  }
  PoolSum console;
  console.clients = report.numbers.clients.console;
  rows.push_back(pool_row("pgbouncer", "pgbouncer", console, "statement"));
  return rows;
}

Rows pools_extended(const Report& report) {
  std::map<metrics::PoolName, std::uint64_t> pinned;
  for (const Link& client : report.clients) {
    if (!client.pin.empty()) ++pinned[{client.backend, client.database, client.user}];
  }
  Rows rows;
  for (const auto& [name, pool] : report.numbers.pools) {
    const metrics::BackendNumbers* backend = find_backend(report, name.backend);
    std::uint64_t pins = 0;
    for (const auto& [reason, count] : pool.pins) pins += count;
    const auto count = [](std::int64_t value) { return small(at_least_zero(value)); };
    rows.push_back({name.backend,
                    backend == nullptr ? Cell() : backend->protocol,
                    name.database,
                    name.user,
                    count(pool.clients - pool.waiting),
                    count(pool.waiting),
                    small(pinned[name]),
                    count(pool.active),
                    count(pool.idle),
                    count(pool.connecting),
                    count(pool.resetting),
                    count(pool.closing),
                    backend == nullptr ? Cell() : small(backend->open),
                    backend == nullptr ? Cell() : small(backend->max_connections),
                    number(static_cast<std::uint64_t>(pool.oldest_wait_seconds * 1e6)),
                    number(quantile(pool, 0.50)),
                    number(quantile(pool, 0.95)),
                    number(quantile(pool, 0.99)),
                    number(pool.work.transactions),
                    number(pool.work.queries),
                    number(pool.connects_ok),
                    number(pool.connects_failed),
                    number(pool.hand_overs),
                    number(pool.cancels),
                    number(pins)});
  }
  return rows;
}

Rows databases(const Report& report) {
  Rows rows;
  for (const auto& [name, sum] : database_sums(report)) {
    rows.push_back(database_row(report, name, sum));
  }
  std::uint64_t port = 0;
  if (!report.config->listeners.empty()) port = report.config->listeners[0].address.port;
  rows.push_back({"pgbouncer", std::nullopt, small(port), "pgbouncer", "pgbouncer", "2", "0", "0",
                  "0", "statement", std::nullopt, "0", "0", "0",
                  small(at_least_zero(report.numbers.clients.console)), "0", "0"});
  return rows;
}

Rows backends(const Report& report) {
  Rows rows;
  for (const metrics::BackendNumbers& backend : report.numbers.backends) {
    std::int64_t waiting = 0;
    for (const auto& [name, pool] : report.numbers.pools) {
      if (name.backend == backend.name) waiting += pool.waiting;
    }
    const auto found = report.config->backends.find(backend.name);
    const bool known = found != report.config->backends.end();
    rows.push_back(
        {backend.name, backend.protocol, known ? Cell(found->second.address.host) : Cell(),
         known ? small(found->second.address.port) : Cell(), small(backend.open),
         small(backend.max_connections), small(backend.useful), small(at_least_zero(waiting))});
  }
  return rows;
}

}  // namespace weirpool::console
