// Everything weirpool itself ever tells a client, one row each in fault_table.hpp. A protocol turns
// a Fault into its own message (ErrorResponse, ERR packet); the core names only the Fault.
#pragma once

#include <cstdint>
#include <string_view>

namespace weirpool::protocol {

enum class Fault : std::uint8_t {
  none,                      ///< nothing to say: just close
  protocol_violation,        ///< the client broke the protocol
  message_too_large,         ///< a message exceeds the limit of its phase
  unsupported,               ///< legal, but weirpool does not do it
  tls_required,              ///< this listener takes no plaintext
  login_denied,              ///< wrong password or unknown user: never told apart
  not_admitted,              ///< no rule lets this client in, or one keeps it out
  unknown_database,          ///< the backend has no such database
  database_disabled,         ///< an administrator has said DISABLE
  console_denied,            ///< this user may not use the console
  login_timeout,             ///< the client did not finish its login in time
  proxy_header,              ///< a PROXY protocol header is missing or malformed
  too_many_clients,          ///< max_client_conn or the file descriptor budget is reached
  too_many_of_source,        ///< max_source_client_connections is reached
  too_many_of_user,          ///< max_user_client_connections is reached
  too_many_of_database,      ///< max_db_client_connections is reached
  too_many_logins,           ///< too many clients are logging in at once
  short_of_memory,           ///< weirpool has too little memory for one more client
  backend_unavailable,       ///< no backend can be opened; the login is refused
  backend_full,              ///< the backend has as many connections as it takes
  account_full,              ///< the same, of this user or this database only
  backend_refused_login,     ///< the backend rejects weirpool's own login to this database: not the
                             ///< client's fault
  pool_timeout,              ///< query_wait_timeout passed before a backend was free; session kept
  pool_queue_full,           ///< the waiting line is at its bound; session kept
  pool_overloaded,           ///< the line is too long to be worth waiting in; session kept
  line_out_of_memory,        ///< weirpool has too little memory to let it wait; session kept
  refused_as_conflict,       ///< any of these four, for whom the rules let hear a conflict; kept
  refused_as_lock_wait,      ///< the same as a lock that was not had in time; session kept
  backend_down,              ///< the database server cannot be reached just now; session kept
  source_quota,              ///< its address has as many in line as it may; session kept
  own_deadline,              ///< the statement's own timeout ends before a backend is free; kept
  backend_lost,              ///< the backend went away under this client, which was idle
  outcome_unknown,           ///< the same while a request was under way that may have taken effect
  transaction_lost,          ///< the same inside a transaction that cannot have been committed: the
                             ///< session goes on as a failed transaction
  transaction_failed,        ///< that transaction has not been ended yet
  transaction_refused,       ///< a transaction of several statements in statement mode
  backend_violation,         ///< the backend broke the protocol
  shutting_down,             ///< draining: this client leaves at its boundary
  killed,                    ///< an administrator has said KILL
  idle_transaction_timeout,  ///< idle inside a transaction for too long
  transaction_timeout,       ///< inside one transaction for too long
  query_timeout,             ///< one query ran for too long
  cancelled,                 ///< the client cancelled its request before a backend was free
  client_idle_timeout,       ///< idle for too long
  internal,                  ///< a bug: refused rather than guessed
  count_,
};

enum class Severity : std::uint8_t { error, fatal };

struct FaultRow {
  Fault fault;
  std::string_view sqlstate;        ///< PostgreSQL SQLSTATE
  std::uint16_t mysql_errno;        ///< MySQL error number
  std::string_view mysql_sqlstate;  ///< SQLSTATE in the MySQL ERR packet
  std::string_view label;           ///< stable value of the metric label and the log field `reason`
  Severity severity;                ///< fatal: the connection is closed after it
  std::string_view message;         ///< primary message, lower case, no final stop
};

const FaultRow& row_of(Fault fault);

}  // namespace weirpool::protocol
