// Every metric, one row: its name is a promise to dashboards. Names carry their unit.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weirpool::metrics {

enum class Metric : std::uint8_t {
  build_info,
  workers,
  client_connections,
  client_connections_limit,
  clients_accepted,
  clients_turned_away,
  logins,
  tls_handshakes,
  faults,
  backend_open,
  backend_limit,
  backend_useful,
  backend_elasticity,
  backend_circuit,
  backend_pace,
  backend_retries,
  server_connections,
  resting,
  queue_length,
  oldest_wait,
  wait,
  transactions,
  connects,
  closed,
  hand_overs,
  cancels,
  pins,
  offered,
  admitted,
  shed,
  overloaded,
  overloads,
  sources,
  memory_high,
  memory_state,
  loop_lag,
  workers_behind,
  held_accepts,
  draining,
  reload_ok,
  reload_time,
  reloads,
  log_dropped,
  process_memory,
  process_cpu,
  process_fds,
  process_max_fds,
  process_start,
  count_,
};

enum class Kind : std::uint8_t { counter, gauge, histogram };

struct MetricRow {
  Metric metric;
  std::string_view name;
  Kind kind;
  std::string_view labels;  ///< names, for the reference
  std::string_view help;
};

inline constexpr std::array<MetricRow, static_cast<std::size_t>(Metric::count_)> metric_table{{
    {Metric::build_info, "weirpool_build_info", Kind::gauge, "version",
     "Always 1; the labels tell what runs."},
    {Metric::workers, "weirpool_workers", Kind::gauge, "", "Worker threads."},
    {Metric::client_connections, "weirpool_client_connections", Kind::gauge, "state",
     "Clients connected now."},
    {Metric::client_connections_limit, "weirpool_client_connections_limit", Kind::gauge, "",
     "Clients that may be connected at once."},
    {Metric::clients_accepted, "weirpool_client_connections_accepted_total", Kind::counter, "",
     "Connections that became a session."},
    {Metric::clients_turned_away, "weirpool_client_connections_rejected_total", Kind::counter,
     "reason", "Connections that were refused before they became a session."},
    {Metric::logins, "weirpool_client_logins_total", Kind::counter, "result",
     "Logins by outcome: ok or denied."},
    {Metric::tls_handshakes, "weirpool_client_tls_handshakes_total", Kind::counter, "result",
     "TLS handshakes with clients."},
    {Metric::faults, "weirpool_faults_total", Kind::counter, "reason",
     "What weirpool itself told clients, or why it closed them."},
    {Metric::backend_open, "weirpool_backend_connections_open", Kind::gauge, "backend,protocol",
     "Connections that count against max_connections, in every state."},
    {Metric::backend_limit, "weirpool_backend_connections_limit", Kind::gauge, "backend,protocol",
     "max_connections of the backend."},
    {Metric::backend_useful, "weirpool_backend_connections_useful", Kind::gauge, "backend,protocol",
     "Statements that should execute at a time, as found by trial (admission.elasticity)."},
    {Metric::backend_elasticity, "weirpool_backend_elasticity_ratio", Kind::gauge,
     "backend,protocol",
     "Throughput gained by more statements at a time, as last measured. 1: all of it, 0: none."},
    {Metric::backend_circuit, "weirpool_backend_circuit_state", Kind::gauge, "backend,protocol",
     "Can the server be reached? 0: yes (closed), 1: no (open), 2: being tried (half open)."},
    {Metric::backend_pace, "weirpool_backend_connect_pace_ratio", Kind::gauge, "backend,protocol",
     "Share of limits.connect_rate in use: below 1 where the server is slow, full or just back."},
    {Metric::backend_retries, "weirpool_request_retries_total", Kind::counter,
     "backend,protocol,result",
     "Requests whose backend was lost before it was given a byte of them: given to another one "
     "(ok), or refused because there have been too many."},
    {Metric::server_connections, "weirpool_server_connections", Kind::gauge,
     "backend,database,user,state", "Backend connections of a pool."},
    {Metric::resting, "weirpool_server_connections_resting", Kind::gauge, "backend,database,user",
     "Active ones where nothing executes: the client is idle in a transaction or pinned."},
    {Metric::queue_length, "weirpool_pool_queue_length", Kind::gauge, "backend,database,user",
     "Clients waiting for a backend."},
    {Metric::oldest_wait, "weirpool_pool_oldest_wait_seconds", Kind::gauge, "backend,database,user",
     "How long the client at the head has been waiting."},
    {Metric::wait, "weirpool_pool_wait_seconds", Kind::histogram, "backend,database,user",
     "Time that served clients waited for a backend."},
    {Metric::transactions, "weirpool_transactions_total", Kind::counter, "backend,database,user",
     "Times that a client gave its backend back."},
    {Metric::connects, "weirpool_server_connects_total", Kind::counter,
     "backend,database,user,result", "Attempts to open a backend connection, login included."},
    {Metric::closed, "weirpool_server_closed_total", Kind::counter, "backend,database,user,reason",
     "Backend connections closed."},
    {Metric::hand_overs, "weirpool_pool_hand_overs_total", Kind::counter, "backend,database,user",
     "Idle backend connections that moved between workers."},
    {Metric::cancels, "weirpool_cancel_requests_total", Kind::counter, "backend,database,user",
     "Cancel requests sent."},
    {Metric::pins, "weirpool_pins_total", Kind::counter, "backend,database,user,reason",
     "Times that a client began to keep its backend across transactions, and why."},
    {Metric::offered, "weirpool_admission_offered_total", Kind::counter,
     "backend,database,user,class", "Transactions that asked for a backend."},
    {Metric::admitted, "weirpool_admission_admitted_total", Kind::counter,
     "backend,database,user,class", "Transactions that were given one."},
    {Metric::shed, "weirpool_admission_shed_total", Kind::counter,
     "backend,database,user,class,reason", "Transactions that were refused, and why."},
    {Metric::overloaded, "weirpool_pool_overloaded", Kind::gauge, "backend,database,user",
     "Workers whose line of this pool is overloaded."},
    {Metric::overloads, "weirpool_pool_overloads_total", Kind::counter, "backend,database,user",
     "Times that an overload began."},
    {Metric::sources, "weirpool_pool_sources", Kind::gauge, "backend,database,user",
     "Client addresses that have used the pool lately."},
    {Metric::memory_high, "weirpool_memory_high_bytes", Kind::gauge, "",
     "Resident memory from which on nobody new is taken in; 0: no bound."},
    {Metric::memory_state, "weirpool_memory_state", Kind::gauge, "",
     "Is memory short? 0: no, 1: nobody new, sheddable work does not wait, 2: nor does normal "
     "work."},
    {Metric::loop_lag, "weirpool_loop_lag_seconds", Kind::histogram, "",
     "How late the workers' event loops are, sampled evenly in time while limits.loop_lag_high is "
     "set."},
    {Metric::workers_behind, "weirpool_workers_behind", Kind::gauge, "",
     "Workers that get no new clients because their event loop is behind."},
    {Metric::held_accepts, "weirpool_accepts_held_total", Kind::counter, "",
     "Times that accepting paused because all workers were behind."},
    {Metric::draining, "weirpool_draining", Kind::gauge, "", "1 while weirpool is leaving."},
    {Metric::reload_ok, "weirpool_config_last_reload_successful", Kind::gauge, "",
     "1 if the last configuration that was read is in effect."},
    {Metric::reload_time, "weirpool_config_last_reload_success_timestamp_seconds", Kind::gauge, "",
     "When the configuration in effect was read."},
    {Metric::reloads, "weirpool_config_reloads_total", Kind::counter, "result", "Reloads."},
    {Metric::log_dropped, "weirpool_log_dropped_total", Kind::counter, "",
     "Log events lost because standard output was not read."},
    {Metric::process_memory, "process_resident_memory_bytes", Kind::gauge, "", "Resident memory."},
    {Metric::process_cpu, "process_cpu_seconds_total", Kind::counter, "",
     "User and system CPU time spent."},
    {Metric::process_fds, "process_open_fds", Kind::gauge, "", "Open file descriptors."},
    {Metric::process_max_fds, "process_max_fds", Kind::gauge, "", "Limit of file descriptors."},
    {Metric::process_start, "process_start_time_seconds", Kind::gauge, "",
     "Start of the process, Unix time."},
}};

consteval bool metric_table_is_complete() {
  for (std::size_t i = 0; i < metric_table.size(); ++i) {
    if (static_cast<std::size_t>(metric_table[i].metric) != i) return false;
  }
  return true;
}
static_assert(metric_table_is_complete());

}  // namespace weirpool::metrics
