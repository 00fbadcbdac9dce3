// Fault -> what the client reads. The numbers are chosen so that drivers' pools react as intended
// (53300 keeps a HikariCP connection, 1040/HY000 keeps a Connector/J one): see README, "Faults".
#pragma once

#include <array>

#include "protocol/fault.hpp"

namespace weirpool::protocol {

inline constexpr auto kFatal = Severity::fatal;
inline constexpr auto kError = Severity::error;

inline constexpr std::array<FaultRow, static_cast<std::size_t>(Fault::count_)> fault_table{{
    {Fault::none, "", 0, "", "none", kFatal, ""},
    {Fault::protocol_violation, "08P01", 1835, "HY000", "protocol_violation", kFatal,
     "protocol violation"},
    {Fault::message_too_large, "54000", 1153, "08S01", "message_too_large", kFatal,
     "message exceeds the limit"},
    {Fault::unsupported, "0A000", 1235, "42000", "unsupported", kFatal,
     "not supported by weirpool"},
    {Fault::tls_required, "28000", 3159, "HY000", "tls_required", kFatal,
     "connections using insecure transport are prohibited: use TLS"},
    {Fault::login_denied, "28P01", 1045, "28000", "login_denied", kFatal,
     "password authentication failed"},
    {Fault::not_admitted, "28000", 1130, "HY000", "not_admitted", kFatal,
     "this host, user and database are not let in together"},
    {Fault::unknown_database, "3D000", 1049, "42000", "unknown_database", kFatal,
     "database does not exist"},
    {Fault::database_disabled, "57P03", 1049, "42000", "database_disabled", kFatal,
     "database is disabled"},
    {Fault::console_denied, "42501", 1045, "28000", "console_denied", kFatal,
     "not allowed: the console is for admin.users and admin.stats_users"},
    {Fault::login_timeout, "08P01", 1159, "08S01", "login_timeout", kFatal,
     "login was not finished in time"},
    {Fault::proxy_header, "08P01", 1835, "HY000", "proxy_header", kFatal,
     "a PROXY protocol header is missing or malformed"},
    {Fault::too_many_clients, "53300", 1040, "08004", "too_many_clients", kFatal,
     "too many connections"},
    {Fault::too_many_of_source, "53300", 1040, "08004", "too_many_of_source", kFatal,
     "too many connections from this address"},
    {Fault::too_many_of_user, "53300", 1040, "08004", "too_many_of_user", kFatal,
     "too many connections of this user"},
    {Fault::too_many_of_database, "53300", 1040, "08004", "too_many_of_database", kFatal,
     "too many connections to this database"},
    {Fault::too_many_logins, "53300", 1040, "08004", "too_many_logins", kFatal,
     "too many connections are logging in"},
    {Fault::short_of_memory, "53300", 1040, "08004", "short_of_memory", kFatal,
     "weirpool has no memory for more connections"},
    {Fault::backend_unavailable, "57P03", 1040, "08004", "backend_unavailable", kFatal,
     "database is not available"},
    {Fault::backend_full, "57P03", 1040, "08004", "backend_full", kFatal,
     "database takes no more connections"},
    {Fault::account_full, "57P03", 1040, "08004", "account_full", kFatal,
     "database takes no more connections of this user"},
    {Fault::backend_refused_login, "57P03", 1040, "08004", "backend_refused_login", kFatal,
     "weirpool could not log in to the database; see its log"},
    {Fault::pool_timeout, "53300", 1040, "HY000", "pool_timeout", kError,
     "no database connection became free in time"},
    {Fault::pool_queue_full, "53300", 1040, "HY000", "pool_queue_full", kError,
     "too many clients are waiting for a database connection"},
    {Fault::pool_overloaded, "53300", 1040, "HY000", "pool_overloaded", kError,
     "the database is overloaded"},
    {Fault::line_out_of_memory, "53300", 1040, "HY000", "line_out_of_memory", kError,
     "weirpool has no memory to let this wait for a database connection"},
    {Fault::refused_as_conflict, "40001", 1213, "40001", "refused_as_conflict", kError,
     "the database is overloaded; run the transaction again"},
    {Fault::refused_as_lock_wait, "55P03", 1205, "HY000", "refused_as_lock_wait", kError,
     "the database is overloaded; no connection to it became free in time"},
    {Fault::backend_down, "53300", 1040, "HY000", "backend_down", kError,
     "the database cannot be reached"},
    {Fault::source_quota, "53400", 1226, "42000", "source_quota", kError,
     "too many clients of this address are waiting for a database connection"},
    {Fault::own_deadline, "57014", 3024, "HY000", "own_deadline", kError,
     "the statement's own time ends before a database connection is free"},
    {Fault::backend_lost, "08006", 1053, "08S01", "backend_lost", kFatal,
     "database connection was lost"},
    {Fault::outcome_unknown, "08007", 1053, "08S01", "outcome_unknown", kFatal,
     "database connection was lost; whether the request took effect is unknown"},
    {Fault::transaction_lost, "40001", 1213, "40001", "transaction_lost", kError,
     "database connection was lost and the transaction rolled back; restart the transaction"},
    {Fault::transaction_failed, "25P02", 1213, "40001", "transaction_failed", kError,
     "the transaction was lost with its database connection; commands are ignored until ROLLBACK"},
    {Fault::transaction_refused, "0A000", 1235, "42000", "transaction_refused", kFatal,
     "transactions of several statements are not allowed in pool mode statement"},
    {Fault::backend_violation, "08P01", 1835, "HY000", "backend_violation", kFatal,
     "database sent something that is not its protocol"},
    {Fault::shutting_down, "57P01", 1053, "08S01", "shutting_down", kFatal,
     "terminating connection: weirpool is shutting down"},
    {Fault::killed, "57P01", 1053, "08S01", "killed", kFatal,
     "terminating connection due to administrator command"},
    {Fault::idle_transaction_timeout, "25P03", 4031, "HY000", "idle_transaction_timeout", kFatal,
     "terminating connection: idle in transaction for too long"},
    {Fault::transaction_timeout, "25P04", 4031, "HY000", "transaction_timeout", kFatal,
     "terminating connection: the transaction took too long"},
    {Fault::query_timeout, "57014", 3024, "HY000", "query_timeout", kFatal,
     "terminating connection: the query took too long"},
    {Fault::cancelled, "57014", 1317, "70100", "cancelled", kError,
     "canceling statement due to user request"},
    {Fault::client_idle_timeout, "57P05", 4031, "HY000", "client_idle_timeout", kFatal,
     "terminating connection: idle for too long"},
    {Fault::internal, "XX000", 1105, "HY000", "internal", kFatal, "internal error"},
}};

consteval bool fault_table_is_complete() {
  for (std::size_t i = 0; i < fault_table.size(); ++i) {
    if (static_cast<std::size_t>(fault_table[i].fault) != i || fault_table[i].label.empty()) {
      return false;
    }
  }
  return true;
}
static_assert(fault_table_is_complete());

}  // namespace weirpool::protocol
