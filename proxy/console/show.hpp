// SHOW: one row per table in show_table.cpp. The columns of PgBouncer's own tables, their order and
// their types are those of its version 1.25: exporters read some of them by position.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "config/option_table.hpp"
#include "protocol/console.hpp"
#include "proxy/console/report.hpp"

namespace weirpool::console {

using protocol::console::Cell;
using protocol::console::Column;
using protocol::console::Table;
using protocol::console::Type;
using Rows = std::vector<std::vector<Cell>>;

/// What has to be gathered for a table.
enum class Needs : std::uint8_t {
  nothing,  ///< counters, which any thread may read
  links,    ///< every client and backend, from the workers
};

struct Show {
  std::string_view name;  ///< in capitals
  std::vector<Column> columns;
  Needs needs = Needs::nothing;
  Rows (*rows)(const Report& report) = nullptr;
  bool for_admins = false;  ///< who only watches may not see it
};

/// Null: there is no such table.
const Show* find_show(std::string_view name);
const std::vector<Show>& shows();

/// Columns from "name:s name:i": s text, i int4, q int8, N numeric, b bytea, as PgBouncer
/// abbreviates them.
std::vector<Column> columns(std::string_view spec);

Cell number(std::uint64_t value);
Cell number(std::int64_t value);
/// int4: what is larger is shown as the largest.
Cell small(std::uint64_t value);
/// YYYY-MM-DD HH:MM:SS UTC; empty for no time.
std::string time_text(const Report& report, TimePoint at);

/// Bounds, timeouts and pool sizes carry PgBouncer's names, which are global there.
bool is_global(const config::Option& option);

// show_pools.cpp
Rows pools(const Report& report);
Rows pools_extended(const Report& report);
Rows databases(const Report& report);
Rows backends(const Report& report);
// show_admission.cpp
Rows admission(const Report& report);
// show_scaling.cpp
Rows scaling_signals(const Report& report);
// show_stats.cpp
Rows stats(const Report& report);
Rows stats_totals(const Report& report);
Rows stats_averages(const Report& report);
Rows totals(const Report& report);
// show_links.cpp
Rows clients(const Report& report);
Rows servers(const Report& report);
Rows sockets(const Report& report);
Rows active_sockets(const Report& report);
Rows pins(const Report& report);
// show_self.cpp
Rows users(const Report& report);
Rows lists(const Report& report);
Rows settings(const Report& report);
Rows version(const Report& report);
Rows state(const Report& report);
Rows status(const Report& report);
Rows memory(const Report& report);
Rows prepared_statements(const Report& report);
Rows events(const Report& report);
Rows no_rows(const Report& report);

}  // namespace weirpool::console
