// SHOW CONFIG, LISTS, USERS, VERSION and the rest: what weirpool says about itself.
#include <algorithm>
#include <utility>

#include "config/load.hpp"
#include "config/option_table.hpp"
#include "proxy/console/show.hpp"
#include "proxy/log/log.hpp"

namespace weirpool::console {
namespace {

std::uint64_t sum_of(const Report& report, std::int64_t metrics::PoolNumbers::*count) {
  std::int64_t sum = 0;
  for (const auto& [name, pool] : report.numbers.pools) sum += pool.*count;
  return sum < 0 ? 0 : static_cast<std::uint64_t>(sum);
}

bool is_secret(const config::Place& place) { return place.option.is_secret(); }

}  // namespace

bool is_global(const config::Option& option) {
  const std::string_view parent = option.parent();
  return parent == "limits" || parent == "timeouts" || parent == "pool";
}

Rows users(const Report& report) {
  Rows rows;
  for (const auto& [name, user] : report.config->users) {
    std::int64_t servers = 0;
    std::int64_t clients = 0;
    for (const auto& [pool, numbers] : report.numbers.pools) {
      if (pool.user != name) continue;
      servers += numbers.active + numbers.idle + numbers.resetting + numbers.connecting;
      clients += numbers.clients;
    }
    const bool mode = user.pool_mode != config::PoolMode::inherit;
    // The bounds that hold, its own or the general ones; sizes of pools only where it has its own.
    const auto first = [](std::uint32_t own, std::uint32_t other) {
      return own != 0 ? own : other;
    };
    rows.push_back(
        {name, user.pool_size == 0 ? Cell("") : small(user.pool_size), Cell(""),
         mode ? Cell(pool_mode_of(*report.config, {}, name)) : Cell(),
         small(first(user.max_user_connections, report.config->pool.max_user_connections)),
         number(servers),
         small(first(user.max_user_client_connections,
                     report.config->limits.max_user_client_connections)),
         number(clients)});
  }
  return rows;
}

Rows lists(const Report& report) {
  std::set<std::string> databases{"pgbouncer"};
  for (const auto& [name, pool] : report.numbers.pools) databases.insert(name.database);
  const std::uint64_t used = sum_of(report, &metrics::PoolNumbers::active) +
                             sum_of(report, &metrics::PoolNumbers::resetting) +
                             sum_of(report, &metrics::PoolNumbers::connecting);
  std::int64_t clients = 0;
  for (const std::int64_t count : report.numbers.clients.clients) clients += count;
  return {{"databases", small(databases.size())},
          {"users", small(report.config->users.size())},
          {"peers", "0"},
          {"pools", small(report.numbers.pools.size() + 1)},
          {"peer_pools", "0"},
          {"free_clients", "0"},
          {"used_clients", number(clients)},
          {"login_clients", small(report.logins)},
          {"free_servers", small(sum_of(report, &metrics::PoolNumbers::idle))},
          {"used_servers", small(used)},
          {"dns_names", "0"},
          {"dns_zones", "0"},
          {"dns_queries", "0"},
          {"dns_pending", "0"}};
}

Rows settings(const Report& report) {
  Rows rows;
  config::Config copy = *report.config;
  config::walk(copy, [&rows](const config::Place& place) {
    const config::Option& option = place.option;
    if (option.holds_options() || is_secret(place)) return;
    const bool global = is_global(option);
    rows.push_back({global ? std::string(option.name()) : place.path,
                    config::text_of(option, option.field(place.scope)),
                    std::string(option.fallback),
                    option.reload == config::Reload::restart ? "no" : "yes"});
  });
  const auto names_limit = [](const auto& row) { return row[0] == "max_user_connections"; };
  if (std::none_of(rows.begin(), rows.end(), names_limit)) {
    // Exporters read it as a number; none means no limit there too.
    rows.push_back({"max_user_connections", "0", "0", "no"});
  }
  return rows;
}

Rows version(const Report& report) {
  return {{"PgBouncer 1.25.2 (weirpool " + report.numbers.version + ")"}};
}

Rows state(const Report& report) {
  return {{"active", report.paused || report.suspended ? "no" : "yes"},
          {"paused", report.paused ? "yes" : "no"},
          {"suspended", report.suspended ? "yes" : "no"}};
}

Rows status(const Report& report) {
  const metrics::Snapshot& numbers = report.numbers;
  std::int64_t clients = 0;
  for (const std::int64_t count : numbers.clients.clients) clients += count;
  std::uint64_t open = 0;
  std::uint64_t limit = 0;
  for (const metrics::BackendNumbers& backend : numbers.backends) {
    open += backend.open;
    limit += backend.max_connections;
  }
  return {{"version", numbers.version},
          {"draining", numbers.draining ? "yes" : "no"},
          {"paused", report.paused ? "yes" : "no"},
          {"paused_databases", number(std::uint64_t{report.paused_databases.size()})},
          {"disabled_databases", number(std::uint64_t{report.disabled_databases.size()})},
          {"workers", number(std::uint64_t{numbers.workers})},
          {"clients", number(clients)},
          {"clients_limit", number(std::uint64_t{numbers.client_limit})},
          {"logins", number(report.logins)},
          {"waiting", number(sum_of(report, &metrics::PoolNumbers::waiting))},
          {"backends_open", number(open)},
          {"backends_limit", number(limit)},
          {"reload_ok", numbers.last_reload_ok ? "yes" : "no"}};
}

Rows memory(const Report& report) {
  Rows rows;
  for (const Size& size : report.sizes) {
    rows.push_back(
        {size.name, small(size.bytes), small(size.used), "0", small(size.bytes * size.used)});
  }
  return rows;
}

Rows prepared_statements(const Report& report) {
  Rows rows;
  for (const Statement& statement : report.statements) {
    rows.push_back({statement.protocol, statement.name, statement.text, small(statement.users)});
  }
  return rows;
}

Rows events(const Report&) {
  Rows rows;
  for (const log::Remembered& event : log::recent()) {
    rows.push_back({event.time, event.level, event.name, event.message, event.fields});
  }
  return rows;
}

Rows no_rows(const Report&) { return {}; }

}  // namespace weirpool::console
