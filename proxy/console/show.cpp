#include "proxy/console/show.hpp"

#include <algorithm>
#include <ctime>
#include <limits>

namespace weirpool::console {
namespace {

constexpr std::string_view kLinkColumns =
    "type:s user:s database:s replication:s state:s addr:s port:i local_addr:s local_port:i "
    "connect_time:s request_time:s wait:i wait_us:i close_needed:i ptr:s link:s remote_pid:i tls:s "
    "application_name:s prepared_statements:i id:i";
constexpr std::string_view kSocketColumns =
    " recv_pos:i pkt_pos:i pkt_remain:i send_pos:i send_remain:i pkt_avail:i send_avail:i";

Type type_of(char letter) {
  switch (letter) {
    case 'i': return Type::int4;
    case 'q': return Type::int8;
    case 'N': return Type::numeric;
    case 'b': return Type::bytes;
    default: return Type::text;
  }
}

std::vector<Column> socket_columns() {
  return columns(std::string(kLinkColumns) + std::string(kSocketColumns));
}

/// Column names with N behind a database.
std::vector<Column> numeric_columns(std::string_view names) {
  std::vector<Column> made = columns(names);
  for (std::size_t i = 1; i < made.size(); ++i) made[i].type = Type::numeric;
  return made;
}

std::vector<Show> pgbouncer_tables() {
  return {
      {"POOLS",
       columns("database:s user:s cl_active:i cl_waiting:i cl_active_cancel_req:i "
               "cl_waiting_cancel_req:i sv_active:i sv_active_cancel:i sv_being_canceled:i "
               "sv_idle:i sv_used:i sv_tested:i sv_login:i maxwait:i maxwait_us:i pool_mode:s "
               "load_balance_hosts:s"),
       Needs::nothing, pools},
      {"STATS",
       numeric_columns(
           "database total_server_assignment_count total_xact_count total_query_count "
           "total_received total_sent total_xact_time total_query_time total_wait_time "
           "total_client_parse_count total_server_parse_count total_bind_count "
           "avg_server_assignment_count avg_xact_count avg_query_count avg_recv avg_sent "
           "avg_xact_time avg_query_time avg_wait_time avg_client_parse_count "
           "avg_server_parse_count avg_bind_count"),
       Needs::nothing, stats},
      {"STATS_TOTALS",
       numeric_columns("database server_assignment_count xact_count query_count bytes_received "
                       "bytes_sent xact_time query_time wait_time client_parse_count "
                       "server_parse_count bind_count"),
       Needs::nothing, stats_totals},
      {"STATS_AVERAGES",
       numeric_columns("database server_assignment_count xact_count query_count bytes_received "
                       "bytes_sent xact_time query_time wait_time avg_client_parse_count "
                       "avg_server_parse_count avg_bind_count"),
       Needs::nothing, stats_averages},
      {"TOTALS", columns("name:s value:N"), Needs::nothing, totals},
      {"DATABASES",
       columns("name:s host:s port:i database:s force_user:s pool_size:i min_pool_size:i "
               "reserve_pool_size:i server_lifetime:i pool_mode:s load_balance_hosts:s "
               "max_connections:i current_connections:i max_client_connections:i "
               "current_client_connections:i paused:i disabled:i"),
       Needs::nothing, databases},
      {"CLIENTS", columns(kLinkColumns), Needs::links, clients},
      {"SERVERS", columns(kLinkColumns), Needs::links, servers},
      {"SOCKETS", socket_columns(), Needs::links, sockets},
      {"ACTIVE_SOCKETS", socket_columns(), Needs::links, active_sockets},
      {"LISTS", columns("list:s items:i"), Needs::nothing, lists},
      {"USERS",
       columns("name:s pool_size:s reserve_pool_size:s pool_mode:s max_user_connections:i "
               "current_connections:i max_user_client_connections:i current_client_connections:i"),
       Needs::nothing, users},
      {"CONFIG", columns("key:s value:s default:s changeable:s"), Needs::nothing, settings},
      {"VERSION", columns("version:s"), Needs::nothing, version},
      {"STATE", columns("key:s value:s"), Needs::nothing, state},
      {"MEM", columns("name:s size:i used:i free:i memtotal:i"), Needs::nothing, memory},
      // For the process that takes sockets over in PgBouncer's online restart. Weirpool hands none
      // over, and shows no cancel keys, passwords and SCRAM keys.
      {"FDS",
       columns("fd:i task:s user:s database:s addr:s port:i cancel:q link:i client_encoding:s "
               "std_strings:s datestyle:s timezone:s password:s scram_client_key:b "
               "scram_server_key:b"),
       Needs::nothing, no_rows, true},
      {"DNS_HOSTS", columns("hostname:s ttl:q addrs:s"), Needs::nothing, no_rows},
      {"DNS_ZONES", columns("zonename:s serial:q count:i"), Needs::nothing, no_rows},
      {"PEERS", columns("peer_id:i host:s port:i pool_size:i"), Needs::nothing, no_rows},
      {"PEER_POOLS",
       columns("peer_id:i cl_active_cancel_req:i cl_waiting_cancel_req:i sv_active_cancel:i "
               "sv_login:i"),
       Needs::nothing, no_rows},
  };
}

std::vector<Show> own_tables() {
  return {
      {"POOLS_EXTENDED",
       columns("backend:s protocol:s database:s user:s cl_active:i cl_waiting:i pinned:i "
               "sv_active:i sv_idle:i sv_connecting:i sv_resetting:i sv_closing:i "
               "backend_open:i max_connections:i maxwait_us:q wait_p50_us:q wait_p95_us:q "
               "wait_p99_us:q transactions:q queries:q connects:q connects_failed:q hand_overs:q "
               "cancels:q pins:q"),
       Needs::links, pools_extended},
      {"ADMISSION",
       columns("backend:s database:s user:s class:s offered:q admitted:q shed:q shed_overload:q "
               "shed_hopeless:q shed_timeout:q shed_queue_full:q shed_source_quota:q "
               "shed_backend_down:q shed_memory:q waiting:i "
               "overloaded:i overloads:q sources:i"),
       Needs::nothing, admission},
      {"SCALING",
       columns("scope:s backend:s database:s user:s verdict:s reason:s offered_per_second:N "
               "demand:N useful:N saturation:N wait_p95_seconds:N shed_ratio:N sources:q"),
       Needs::nothing, scaling_signals},
      {"STATUS", columns("key:s value:s"), Needs::nothing, status},
      {"BACKENDS",
       columns("name:s protocol:s host:s port:i open:i max_connections:i useful:i waiting:i"),
       Needs::nothing, backends},
      {"PINS",
       columns("id:i backend:s database:s user:s application_name:s reason:s since:s "
               "remote_pid:i"),
       Needs::links, pins},
      {"PREPARED_STATEMENTS", columns("protocol:s name:s statement:s users:i"), Needs::nothing,
       prepared_statements, true},
      {"EVENTS", columns("time:s level:s event:s message:s fields:s"), Needs::nothing, events},
  };
}

}  // namespace

std::vector<Column> columns(std::string_view spec) {
  std::vector<Column> made;
  while (!spec.empty()) {
    const std::size_t space = std::min(spec.find(' '), spec.size());
    const std::string_view one = spec.substr(0, space);
    const std::size_t colon = one.find(':');
    if (!one.empty()) {
      const Type type = colon == std::string_view::npos ? Type::text : type_of(one[colon + 1]);
      made.push_back({std::string(one.substr(0, colon)), type});
    }
    spec.remove_prefix(std::min(space + 1, spec.size()));
  }
  return made;
}

const std::vector<Show>& shows() {
  static const std::vector<Show> all = [] {
    std::vector<Show> tables = pgbouncer_tables();
    for (Show& own : own_tables()) tables.push_back(std::move(own));
    return tables;
  }();
  return all;
}

const Show* find_show(std::string_view name) {
  for (const Show& show : shows()) {
    if (show.name == name) return &show;
  }
  return nullptr;
}

Cell number(std::uint64_t value) { return std::to_string(value); }
Cell number(std::int64_t value) { return std::to_string(value); }

Cell small(std::uint64_t value) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  return std::to_string(std::min(value, kMost));
}

std::string time_text(const Report& report, TimePoint at) {
  if (at == TimePoint{}) return {};
  const auto wall = report.wall - std::chrono::duration_cast<std::chrono::system_clock::duration>(
                                      report.now - at);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(wall);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length =
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return {text.data(), length};
}

}  // namespace weirpool::console
