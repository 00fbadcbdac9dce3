// The effective configuration as plain structs. Filled by load.cpp from the option table, never
// changed afterwards: every reload makes a new Config, shared by all threads as a snapshot.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/secret.hpp"

namespace weirpool::config {

using Duration = std::chrono::milliseconds;  ///< zero: disabled

enum class Protocol : std::uint8_t { postgresql, mysql };
/// libpq's sslmode names. allow is not offered.
enum class SslMode : std::uint8_t { disable, prefer, require, verify_ca, verify_full };
enum class ClientTls : std::uint8_t { disable, allow, require };
/// Is it tried out how many backends are useful, and are no more used?
enum class ElasticityMode : std::uint8_t { off, advise, enforce };
/// When a client gives its backend back. inherit: as the next wider place says.
enum class PoolMode : std::uint8_t { transaction, session, statement, inherit };
/// What a client has to show; reject is a word of rules only.
enum class AuthMethod : std::uint8_t {
  automatic,
  trust,
  password,
  md5,
  scram_sha_256,
  cert,
  reject
};
/// How TLS with a server begins: after a question in its protocol, or at once (libpq's
/// sslnegotiation).
enum class TlsNegotiation : std::uint8_t { postgres, direct };
enum class Compression : std::uint8_t { off, zlib, zstd };
enum class PostgresVersion : std::uint8_t { v3_0, v3_2 };
/// How important work is when not all of it can be served, the most important first.
enum class AdmissionClass : std::uint8_t { critical, high, normal, sheddable };
/// In the words of the SQL standard and of PostgreSQL for their codes.
enum class RefuseWith : std::uint8_t {
  too_many_connections,
  serialization_failure,
  lock_not_available
};
enum class LogFormat : std::uint8_t { automatic, json, text };
enum class LogLevel : std::uint8_t { debug, info, warn, error };

/// host:port; an IPv6 host is written in brackets and kept without them.
struct Address {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Address&) const = default;
};

/// One host, or several of one database in the order in which they are tried; the first is the
/// base.
struct HostList : Address {
  std::vector<Address> others;
  bool operator==(const HostList&) const = default;
};

/// Which of the hosts will do, as libpq has it.
enum class TargetSession : std::uint8_t {
  any,
  read_write,
  read_only,
  primary,
  standby,
  prefer_standby
};

struct BackendTls {
  SslMode mode = SslMode::prefer;
  std::string ca_file;    ///< PEM bundle; empty: the system's
  std::string cert_file;  ///< client certificate, optional
  std::string key_file;
  TlsNegotiation negotiation = TlsNegotiation::postgres;
  bool operator==(const BackendTls&) const = default;
};

struct Backend {
  std::string name;
  Protocol protocol = Protocol::postgresql;
  HostList address;
  TargetSession target_session_attrs = TargetSession::any;
  std::uint32_t max_connections = 0;
  BackendTls tls;
  bool allow_public_key_retrieval = false;
  bool allow_cleartext_password = false;
  Compression compression = Compression::off;
  PostgresVersion max_protocol_version = PostgresVersion::v3_0;
  std::string auth_user;    ///< empty: users are not looked up in the database
  std::string auth_query;   ///< empty: the dialect's own
  std::string auth_dbname;  ///< where it runs
  bool operator==(const Backend&) const = default;
};

struct ListenerTls {
  ClientTls mode = ClientTls::disable;
  std::string cert_file;
  std::string key_file;
  std::string ca_file;  ///< empty: clients are not asked for a certificate
  bool operator==(const ListenerTls&) const = default;
};

struct Listener {
  Address address;
  std::string backend;
  std::vector<std::string> proxy_protocol_from;  ///< networks, checked to be well-formed
  ListenerTls tls;
  bool operator==(const Listener&) const = default;
};

/// A password and where it came from. A file is read again for every new backend login and whenever
/// it changed, so tokens that live 15 minutes and rotated secrets need no reload.
struct PasswordSource {
  Secret value;      ///< from `password` or `password_env`, or the file's content at load
  std::string file;  ///< empty: no file
  bool operator==(const PasswordSource&) const = default;
};

/// A database as clients name it. What is empty, zero or inherit is as it would be without.
struct Database {
  std::string name;             ///< "*": all that are not listed
  std::string backend;          ///< empty: the listener's
  std::string database;         ///< at the server; empty: the same name
  std::string user;             ///< whom weirpool logs in as; empty: as the client
  std::string connect_options;  ///< PostgreSQL's startup parameter `options`
  PoolMode pool_mode = PoolMode::inherit;
  std::uint32_t pool_size = 0;
  std::uint32_t min_pool_size = 0;
  std::uint32_t max_db_connections = 0;
  std::uint32_t max_db_client_connections = 0;
  bool reset_query_always = false;
  bool operator==(const Database&) const = default;
};

/// What a user may have of its own; zero: as for everybody.
struct UserTimeouts {
  Duration client_idle_timeout{};
  Duration idle_transaction_timeout{};
  Duration transaction_timeout{};
  Duration query_timeout{};
  bool operator==(const UserTimeouts&) const = default;
};

struct User {
  std::string name;
  PasswordSource password;
  std::optional<PasswordSource> old_password;  ///< still accepted during a rotation
  PoolMode pool_mode = PoolMode::inherit;
  std::uint32_t pool_size = 0;  ///< zero, here and below: as without
  std::uint32_t max_user_connections = 0;
  std::uint32_t max_user_client_connections = 0;
  UserTimeouts timeouts;
  bool operator==(const User&) const = default;
};

/// How clients are let in.
struct Auth {
  AuthMethod method = AuthMethod::automatic;
  bool plaintext_passwords = false;  ///< method password without TLS
  std::string hba;                   ///< rules in place of `method`; at most one of the two
  std::string hba_file;
  std::string ident_file;
  std::string user_file;  ///< more users, in the format of PgBouncer's userlist.txt
  Duration query_ttl{};   ///< how long what auth_query says is believed
  bool operator==(const Auth&) const = default;
};

struct Limits {
  std::uint32_t max_client_conn = 0;
  std::uint32_t max_db_client_connections = 0;  ///< zero, here and below: no bound
  std::uint32_t max_user_client_connections = 0;
  std::uint32_t max_source_client_connections = 0;  ///< per address
  std::uint32_t max_login_conn = 0;                 ///< clients that have not finished their login
  std::uint32_t memory_high = 0;                    ///< MiB, resolved; zero: no bound
  Duration loop_lag_high{};                         ///< zero: none
  std::uint32_t max_waiting_clients = 0;            ///< per pool and worker
  std::uint32_t max_source_waiting_clients = 0;     ///< of those, of one address; zero: no bound
  std::uint32_t max_connecting = 0;                 ///< parallel connects per backend
  std::uint32_t connect_rate = 0;                   ///< connects per second and backend
  std::uint32_t max_cancel_connections = 0;         ///< per backend, beside max_connections
  bool operator==(const Limits&) const = default;
};

/// Named as PgBouncer names them where the meaning is the same.
struct Timeouts {
  Duration client_login_timeout{};
  Duration client_idle_timeout{};
  Duration idle_transaction_timeout{};
  Duration idle_transaction_timeout_waiting{};  ///< the same while others wait for a backend
  Duration transaction_timeout{};
  Duration query_timeout{};
  Duration query_wait_timeout{};
  Duration server_connect_timeout{};
  Duration server_idle_timeout{};
  Duration server_check_delay{};    ///< zero: before every lending
  Duration server_lifetime{};       ///< each connection lives 80 to 100 % of it
  Duration server_close_timeout{};  ///< a goodbye unanswered for this long is logged
  Duration dns_max_ttl{};  ///< names of backends are looked up again; zero: only to connect
  Duration cancel_wait_timeout{};
  Duration wind_up_timeout{};  ///< of a statement that its client has said goodbye behind
  Duration reset_timeout{};    ///< reset or fence of a backend between two clients
  Duration connect_backoff_min{};
  Duration connect_backoff_max{};
  Duration failover_hold{};
  Duration unknown_database_ttl{};  ///< how long a refusal by the backend is remembered
  Duration fd_retry_delay{};        ///< pause of accept() when file descriptors ran out
  bool operator==(const Timeouts&) const = default;
};

struct Tcp {
  Duration keepalive_idle{};
  Duration keepalive_interval{};
  std::uint32_t keepalive_count = 0;
  Duration user_timeout{};  ///< of silence, both sides; zero: none
  std::uint32_t backlog = 0;
  bool operator==(const Tcp&) const = default;
};

struct Drain {
  Duration lame_duck{};  ///< not ready but still accepting
  Duration timeout{};    ///< then everything left is closed
  bool operator==(const Drain&) const = default;
};

struct Admin {
  Address http;  ///< port 0: no HTTP
  std::vector<std::string> users;
  std::vector<std::string> stats_users;  ///< may look, not steer
  bool operator==(const Admin&) const = default;
};

struct Log {
  LogFormat format = LogFormat::automatic;
  LogLevel level = LogLevel::info;
  bool connections = false;  ///< one event per client login and leave
  bool operator==(const Log&) const = default;
};

/// What becomes of state that outlives its transaction; all but `routines` is PostgreSQL's.
/// `Follow` and `Keep` differ in what is possible.
enum class Follow : std::uint8_t { track, pin, refuse, allow };
enum class Keep : std::uint8_t { pin, refuse, allow };
struct SessionState {
  Follow parameters = Follow::track;
  Follow roles = Follow::track;
  Follow sql_prepare = Follow::track;
  Keep listen = Keep::pin;
  Keep temporary_objects = Keep::pin;
  Keep with_hold_cursors = Keep::pin;
  Keep advisory_locks = Keep::pin;
  Keep sequence_values = Keep::pin;
  Follow routines = Follow::track;
  bool operator==(const SessionState&) const = default;
};

struct Pool {
  PoolMode mode = PoolMode::transaction;
  std::uint32_t default_pool_size = 0;  ///< zero, here and below: no bound of its own
  std::uint32_t min_pool_size = 0;
  std::uint32_t max_db_connections = 0;
  std::uint32_t max_user_connections = 0;
  std::uint32_t max_prepared_statements = 0;  ///< per backend connection and per client
  bool reset_query_always = false;
  SessionState session_state;
  bool operator==(const Pool&) const = default;
};

/// Whose work belongs to a class. What is empty fits everybody.
struct AdmissionRule {
  std::string user;
  std::string database;     ///< as the client names it
  std::string application;  ///< application_name or program_name at the login
  std::string listener;     ///< its address, as the configuration has it
  std::string tag;          ///< key=value of a comment of the statement
  AdmissionClass importance = AdmissionClass::normal;
  RefuseWith refuse_with = RefuseWith::too_many_connections;
  bool operator==(const AdmissionRule&) const = default;
};

/// Who is served when there is not enough for all.
struct Admission {
  Duration queue_target{};  ///< zero: nobody is refused for a long line alone
  ElasticityMode elasticity = ElasticityMode::off;
  std::uint32_t critical_reserve = 0;  ///< percent of a pool's backends
  std::vector<AdmissionRule> rules;    ///< the first that fits
  bool operator==(const Admission&) const = default;
};

struct Config {
  std::uint32_t workers = 0;  ///< resolved: auto has become a number
  std::uint32_t instance_id = 0;
  std::map<std::string, Backend> backends;
  std::vector<Listener> listeners;
  std::map<std::string, Database> databases;  ///< empty: every name is passed on
  std::map<std::string, User> users;
  Auth auth;
  Pool pool;
  Limits limits;
  Admission admission;
  Timeouts timeouts;
  Tcp tcp;
  Drain drain;
  Admin admin;
  Log log;
};

using Snapshot = std::shared_ptr<const Config>;

}  // namespace weirpool::config
