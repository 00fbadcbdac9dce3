#include "config/option_table.hpp"

#include <array>

#include "config/option_rows.hpp"

namespace weirpool::config {

namespace {

using namespace rows;

template <auto Inner>
constexpr At kTimeout = in_config<&Config::timeouts, Inner>;
template <auto Member>
constexpr At kState = in_config<&Config::pool, &Pool::session_state, Member>;
template <auto Inner>
constexpr At kLimit = in_config<&Config::limits, Inner>;
template <auto Inner>
constexpr At kPool = in_config<&Config::pool, Inner>;
template <auto Inner>
constexpr At kTcp = in_config<&Config::tcp, Inner>;
template <auto Inner>
constexpr At kAuth = in_config<&Config::auth, Inner>;
template <auto Inner>
constexpr At kBackendTls = in_backend<&Backend::tls, Inner>;
template <auto Inner>
constexpr At kListenerTls = in_listener<&Listener::tls, Inner>;
template <auto Inner>
constexpr At kUserTimeout = in_user<&User::timeouts, Inner>;

constexpr auto kOptions = std::to_array<Option>({
    holder("backends", Type::map, "The database servers, each under a name of its own.", true),
    group("backends.*", "One database server; its name labels logs, metrics and the console."),
    needed("backends.*.protocol", Type::choice, "postgresql|mysql", "postgresql",
           in_backend<&Backend::protocol>, "What the server speaks; MariaDB is mysql."),
    needed(
        "backends.*.address", Type::addresses, "", "shop.example.com:5432",
        in_backend<&Backend::address>,
        "Where it listens, host:port; several hosts of one database with commas between them, in "
        "the order in which they are tried."),
    choice(
        "backends.*.target_session_attrs", "any",
        "any|read-write|read-only|primary|standby|prefer-standby", restart,
        in_backend<&Backend::target_session_attrs>,
        "Which of its hosts will do; a connection is asked before it is first used, and again when "
        "the server has refused to write."),
    {"backends.*.max_connections", Type::integer, "", true, 1, 100'000, "", restart, "20",
     "Hard bound on what is ever open to it: all databases, users and workers together, "
     "connecting, resetting and closing ones included. On MySQL one in twenty of them, at least "
     "one "
     "if there are two, is kept for ending statements.",
     in_backend<&Backend::max_connections>},
    truth("backends.*.allow_public_key_retrieval", "false", restart,
          in_backend<&Backend::allow_public_key_retrieval>,
          "MySQL only: may the password be sent under an RSA key that the server itself hands out "
          "over a connection without TLS? Whoever sits in between could hand out theirs."),
    truth(
        "backends.*.allow_cleartext_password", "false", restart,
        in_backend<&Backend::allow_cleartext_password>,
        "MySQL only: may a password be sent as it is (mysql_clear_password, which access tokens of "
        "clouds need) inside TLS that proves nothing about the server? With tls.mode verify-ca or "
        "verify-full it always may; without TLS never."),
    choice("backends.*.compression", "off", "off|zlib|zstd", restart,
           in_backend<&Backend::compression>,
           "MySQL only: how what travels to and from the server is compressed, where the server "
           "offers it (MariaDB: zlib). It saves bytes between availability zones and costs CPU on "
           "both sides."),
    choice(
        "backends.*.max_protocol_version", "3.0", "3.0|3.2", restart,
        in_backend<&Backend::max_protocol_version>,
        "PostgreSQL only: the newest protocol to ask for; 3.2 has longer cancel keys. Servers fall "
        "back by themselves, some proxies in front of them do not."),
    text("backends.*.auth_user", "", "app", restart, in_backend<&Backend::auth_user>,
         "PostgreSQL only: one of users; clients that are in neither users nor auth.user_file are "
         "then looked up in the database, by auth_query as this user."),
    text("backends.*.auth_query", "", "SELECT * FROM pooler.user_lookup($$1)", restart,
         in_backend<&Backend::auth_query>,
         "Answers for the name $1 (write $$1) with the name, what is stored as its password and, "
         "optionally, for "
         "how many seconds that is valid; without it pg_authid is read."),
    text("backends.*.auth_dbname", "postgres", "", restart, in_backend<&Backend::auth_dbname>,
         "The database that auth_query runs in."),
    group("backends.*.tls", "TLS towards the server, named as libpq's sslmode names it."),
    choice("backends.*.tls.mode", "prefer", "disable|prefer|require|verify-ca|verify-full", restart,
           kBackendTls<&BackendTls::mode>,
           "prefer takes TLS if the server offers it; only verify-ca and verify-full check whom "
           "it is talking to."),
    choice("backends.*.tls.negotiation", "postgres", "postgres|direct", restart,
           kBackendTls<&BackendTls::negotiation>,
           "PostgreSQL only: direct begins with TLS at once, which servers from 17 on understand."),
    file("backends.*.tls.ca_file", "/etc/weirpool/ca.pem", restart,
         kBackendTls<&BackendTls::ca_file>,
         "PEM bundle of trusted authorities; without it the system's."),
    file("backends.*.tls.cert_file", "/etc/weirpool/client.pem", restart,
         kBackendTls<&BackendTls::cert_file>,
         "Client certificate, PEM, where the server asks for one."),
    file("backends.*.tls.key_file", "/etc/weirpool/client.key", restart,
         kBackendTls<&BackendTls::key_file>, "Its private key, PEM."),

    holder("listeners", Type::list, "Where clients connect.", true),
    group("listeners.*", "One address; its protocol follows from the backend."),
    needed("listeners.*.address", Type::address, "", "127.0.0.1:6432",
           in_listener<&Listener::address>, "host:port; 0.0.0.0 or [::] for all interfaces."),
    needed("listeners.*.backend", Type::text, "", "shop", in_listener<&Listener::backend>,
           "The name of the backend that its clients reach."),
    {"listeners.*.proxy_protocol_from", Type::names, "", false, 0, 0, "", restart,
     "[10.0.0.0/8, fd00::/8]",
     "Networks of load balancers that put a PROXY protocol header (version 1 or 2) before every "
     "connection: from there it must come, from elsewhere it is not understood. The address it "
     "names is the client's in the log and in all limits.",
     in_listener<&Listener::proxy_protocol_from>},
    group("listeners.*.tls", "TLS towards clients."),
    choice("listeners.*.tls.mode", "disable", "disable|allow|require", restart,
           kListenerTls<&ListenerTls::mode>,
           "allow leaves it to the client; require turns plaintext logins away."),
    file("listeners.*.tls.cert_file", "/etc/weirpool/server.pem", restart,
         kListenerTls<&ListenerTls::cert_file>, "Certificate chain, PEM, the own one first."),
    file("listeners.*.tls.key_file", "/etc/weirpool/server.key", restart,
         kListenerTls<&ListenerTls::key_file>, "Its private key, PEM."),
    file(
        "listeners.*.tls.ca_file", "/etc/weirpool/clients-ca.pem", restart,
        kListenerTls<&ListenerTls::ca_file>,
        "PEM bundle of the authorities whose client certificates count; without it clients are not "
        "asked for one."),

    holder("databases", Type::map,
           "Databases as clients name them. Without this section every name is passed on to the "
           "listener's backend; with it only those listed here exist, and \"*\" stands for all "
           "others."),
    group("databases.*", "One name that clients use."),
    text("databases.*.backend", "", "shop", new_connections, in_database<&Database::backend>,
         "Where it is; without it at the listener's backend."),
    text("databases.*.database", "", "shop_production", new_connections,
         in_database<&Database::database>, "Its name there; without it the same."),
    text("databases.*.user", "", "app", new_connections, in_database<&Database::user>,
         "A name from users that weirpool logs in as, whoever the client is; without it as the "
         "client."),
    text("databases.*.connect_options", "", "\"-c statement_timeout=30s\"", new_connections,
         in_database<&Database::connect_options>,
         "PostgreSQL only: the startup parameter options of its backend connections."),
    choice("databases.*.pool_mode", "inherit", kModesOrInherit, new_connections,
           in_database<&Database::pool_mode>,
           "Instead of pool_mode, unless the user has one of its own."),
    number("databases.*.pool_size", "0", 0, 100'000, live, in_database<&Database::pool_size>,
           "Instead of pool.default_pool_size; 0 leaves that."),
    number("databases.*.min_pool_size", "0", 0, 100'000, live,
           in_database<&Database::min_pool_size>, "Instead of pool.min_pool_size; 0 leaves that."),
    number("databases.*.max_db_connections", "0", 0, 100'000, live,
           in_database<&Database::max_db_connections>,
           "Instead of pool.max_db_connections; 0 leaves that."),
    number("databases.*.max_db_client_connections", "0", 0, 1'000'000, live,
           in_database<&Database::max_db_client_connections>,
           "Instead of limits.max_db_client_connections; 0 leaves that."),
    truth("databases.*.reset_query_always", "false", new_connections,
          in_database<&Database::reset_query_always>,
          "Reset a backend after every transaction, also where nothing is known to be left behind "
          "in it: for code that changes its session inside functions."),

    holder("users", Type::map, "Who may log in, and with what; used on both sides."),
    group("users.*", "One user; exactly one of the three password keys."),
    secret("users.*.password", Type::secret, "${APP_PASSWORD}",
           "The password, or what the database stores of it: md5... or SCRAM-SHA-256$... "
           "(PostgreSQL), *... or $A$... or the latter as 0x2441... (MySQL); keep it out of the "
           "file with ${NAME}."),
    secret("users.*.password_file", Type::secret_file, "/run/secrets/app",
           "A file that holds it, read again for every new backend login; one trailing newline "
           "is ignored."),
    secret("users.*.password_env", Type::secret_env, "APP_PASSWORD",
           "The name of an environment variable that holds it."),
    secret("users.*.old_password", Type::secret, "${APP_OLD_PASSWORD}",
           "Also accepted while a password is being changed."),
    secret("users.*.old_password_file", Type::secret_file, "/run/secrets/app-old",
           "A file that holds the old password."),
    secret("users.*.old_password_env", Type::secret_env, "APP_OLD_PASSWORD",
           "The name of an environment variable that holds the old password."),

    choice("users.*.pool_mode", "inherit", kModesOrInherit, new_connections,
           in_user<&User::pool_mode>, "Instead of pool_mode and of the database's."),
    number("users.*.pool_size", "0", 0, 100'000, live, in_user<&User::pool_size>,
           "Instead of pool.default_pool_size and of the database's; 0 leaves those."),
    number("users.*.max_user_connections", "0", 0, 100'000, live,
           in_user<&User::max_user_connections>,
           "Instead of pool.max_user_connections; 0 leaves that."),
    number("users.*.max_user_client_connections", "0", 0, 1'000'000, live,
           in_user<&User::max_user_client_connections>,
           "Instead of limits.max_user_client_connections; 0 leaves that."),
    timed("users.*.client_idle_timeout", "0", kSecond, 365 * kDay,
          kUserTimeout<&UserTimeouts::client_idle_timeout>,
          "Instead of timeouts.client_idle_timeout; 0 leaves that."),
    timed("users.*.idle_transaction_timeout", "0", 10, 365 * kDay,
          kUserTimeout<&UserTimeouts::idle_transaction_timeout>,
          "Instead of timeouts.idle_transaction_timeout; 0 leaves that."),
    timed("users.*.transaction_timeout", "0", 10, 365 * kDay,
          kUserTimeout<&UserTimeouts::transaction_timeout>,
          "Instead of timeouts.transaction_timeout; 0 leaves that."),
    timed("users.*.query_timeout", "0", 10, 365 * kDay, kUserTimeout<&UserTimeouts::query_timeout>,
          "Instead of timeouts.query_timeout; 0 leaves that."),

    group("auth", "How clients are let in."),
    choice(
        "auth.method", "auto", "auto|trust|password|md5|scram-sha-256|cert", new_connections,
        kAuth<&Auth::method>,
        "What clients of PostgreSQL listeners have to show; auto is the strongest that the stored "
        "password allows. trust asks for nothing; cert wants a client certificate with the user's "
        "name."),
    truth("auth.plaintext_passwords", "false", new_connections, kAuth<&Auth::plaintext_passwords>,
          "Lets method password be used without TLS."),
    text("auth.hba", "", "host all all 10.0.0.0/8 scram-sha-256", new_connections,
         kAuth<&Auth::hba>,
         "Rules in the syntax of pg_hba.conf, in place of method: the first that matches decides, "
         "and "
         "who matches none is turned away."),
    text("auth.hba_file", "", "/etc/weirpool/pg_hba.conf", new_connections, kAuth<&Auth::hba_file>,
         "A file with such rules."),
    text("auth.ident_file", "", "/etc/weirpool/pg_ident.conf", new_connections,
         kAuth<&Auth::ident_file>,
         "Which users a certificate's name may log in as, in the syntax of pg_ident.conf; rules "
         "name "
         "a map with map=."),
    text("auth.user_file", "", "/etc/weirpool/userlist.txt", new_connections,
         kAuth<&Auth::user_file>,
         "More users, in the format of PgBouncer's userlist.txt; read again whenever it changes. "
         "One with "
         "an empty password has none and comes in only where none is asked for: trust and cert."),
    timed("auth.query_ttl", "30s", 100, kDay, kAuth<&Auth::query_ttl>,
          "How long the answer of auth_query is believed; 0 asks for every login."),

    group("admin", "Watching and steering weirpool itself."),
    {"admin.http", Type::http_address, "127.0.0.1:9127", false, 0, 0, "", restart, "",
     "host:port of metrics, health checks and /api/v1, or off. It asks for no password: keep it "
     "private. Orders (POST) are taken from this machine only.",
     in_config<&Config::admin, &Admin::http>},
    {"admin.users", Type::names, "", false, 0, 0, "", live, "[app]",
     "Names from users that may use the console.", in_config<&Config::admin, &Admin::users>},
    {"admin.stats_users", Type::names, "", false, 0, 0, "", live, "[app]",
     "Names from users that may only look: SHOW commands.",
     in_config<&Config::admin, &Admin::stats_users>},

    {"workers", Type::automatic, "auto", false, 1, 256, "", restart, "",
     "Threads that relay; auto is the cores that the cgroup and the affinity mask really give.",
     in_config<&Config::workers>},
    number("instance_id", "0", 0, 255, restart, in_config<&Config::instance_id>,
           "Where several weirpools stand behind one address: another number for each. It is part "
           "of the connection ids and cancel keys of their clients."),
    choice("pool_mode", "transaction", kModes, new_connections, kPool<&Pool::mode>,
           "When a client gives its backend back: at the end of each transaction, when it leaves, "
           "or after each statement; the last refuses transactions of more than one."),

    group("pool",
          "How max_connections is divided among pools (one per database and user), and what is "
          "kept on backends. 0: no bound but max_connections."),
    number("pool.default_pool_size", "0", 0, 100'000, live, kPool<&Pool::default_pool_size>,
           "Backends per pool."),
    number(
        "pool.min_pool_size", "0", 0, 100'000, live, kPool<&Pool::min_pool_size>,
        "Backends a pool that is in use keeps open, as far as nobody else needs their place. That "
        "of a database with a user of its own is filled before weirpool says that it is ready."),
    number("pool.max_db_connections", "0", 0, 100'000, live, kPool<&Pool::max_db_connections>,
           "Backends per database, all users together."),
    number("pool.max_user_connections", "0", 0, 100'000, live, kPool<&Pool::max_user_connections>,
           "Backends per user and database server, all databases together."),
    number("pool.max_prepared_statements", "200", 0, 100'000, restart,
           in_config<&Config::pool, &Pool::max_prepared_statements>,
           "Prepared statements kept per backend connection; a client may have 16 times as many."),

    truth("pool.reset_query_always", "false", restart,
          in_config<&Config::pool, &Pool::reset_query_always>,
          "PostgreSQL: DISCARD ALL before a backend goes to anybody else, for applications that "
          "change sessions inside functions."),
    group("pool.session_state",
          "What becomes of state that outlives its transaction; all but routines is PostgreSQL's."),
    follow("pool.session_state.parameters", kState<&SessionState::parameters>,
           "SET, set_config(): follow the client, or pin it to its backend."),
    follow("pool.session_state.roles", kState<&SessionState::roles>,
           "SET ROLE, SET SESSION AUTHORIZATION."),
    follow("pool.session_state.sql_prepare", kState<&SessionState::sql_prepare>,
           "PREPARE as SQL; statements of the protocol are always shared."),
    keep("pool.session_state.listen", kState<&SessionState::listen>, "LISTEN."),
    keep("pool.session_state.temporary_objects", kState<&SessionState::temporary_objects>,
         "Temporary tables, views, sequences, functions."),
    keep("pool.session_state.with_hold_cursors", kState<&SessionState::with_hold_cursors>,
         "DECLARE ... WITH HOLD."),
    keep("pool.session_state.advisory_locks", kState<&SessionState::advisory_locks>,
         "Advisory locks of the session."),
    keep("pool.session_state.sequence_values", kState<&SessionState::sequence_values>,
         "currval() and lastval()."),
    follow(
        "pool.session_state.routines", kState<&SessionState::routines>,
        "MySQL: CALL. track pins the client if the server reports state, or if the procedure's "
        "text, which the server is asked for, may leave what is never reported (locks, SELECT INTO "
        "@a) or cannot be read by the user; pin does so behind every CALL; allow resets the "
        "backend, and with it what the procedure left, save a role: a client may lose a lock then "
        "that it believes in, so it is not the default."),

    group("limits", "Bounds; reaching one is an answer to the client, never a crash."),
    number("limits.max_client_conn", "10000", 1, 1'000'000, live, kLimit<&Limits::max_client_conn>,
           "Clients connected at once."),
    number("limits.max_db_client_connections", "0", 0, 1'000'000, live,
           kLimit<&Limits::max_db_client_connections>, "Clients per database; 0: no bound."),
    number("limits.max_user_client_connections", "0", 0, 1'000'000, live,
           kLimit<&Limits::max_user_client_connections>, "Clients per user; 0: no bound."),
    number("limits.max_source_client_connections", "0", 0, 1'000'000, live,
           kLimit<&Limits::max_source_client_connections>,
           "Clients per network address, logins included; 0: no bound."),
    number("limits.max_login_conn", "1000", 1, 1'000'000, live, kLimit<&Limits::max_login_conn>,
           "Clients that log in at a time: more wait to be accepted, and are refused when not one "
           "login ends for 5 s."),
    {"limits.memory_high", Type::automatic, "auto", false, 0, 1'000'000'000, "", live, "",
     "Resident memory of weirpool in MiB from which on it takes in nobody new, and refuses what "
     "waits in line for a backend: class sheddable at once, class normal if that does not help. "
     "auto is four fifths of what the machine or the cgroup has; 0: never.",
     kLimit<&Limits::memory_high>},
    timed("limits.loop_lag_high", "50ms", 1, kMinute, kLimit<&Limits::loop_lag_high>,
          "A worker whose event loop is behind by more than this for a while gets no new clients; "
          "while all are, newcomers wait to be accepted, but for a few. 0: never."),
    number("limits.max_waiting_clients", "10000", 0, 1'000'000, live,
           kLimit<&Limits::max_waiting_clients>,
           "Clients waiting for a backend, per pool and worker."),
    number("limits.max_source_waiting_clients", "0", 0, 1'000'000, live,
           kLimit<&Limits::max_source_waiting_clients>,
           "Those of one network address among them; 0: no bound."),
    number("limits.max_connecting", "4", 1, 1000, live, kLimit<&Limits::max_connecting>,
           "Backend connections being opened at once, per backend."),
    number("limits.connect_rate", "50", 1, 10'000, live, kLimit<&Limits::connect_rate>,
           "Backend connections opened per second, per backend, after the first eight; fewer while "
           "the server is slow or full, or has just come back."),
    number("limits.max_cancel_connections", "4", 1, 1000, live,
           kLimit<&Limits::max_cancel_connections>,
           "Connections for cancel requests, per backend, beside max_connections."),

    group("admission", "Who is served when there is not enough for all."),
    timed(
        "admission.queue_target", "200ms", 1, kMinute,
        in_config<&Config::admission, &Admission::queue_target>,
        "Overload is when the oldest client in a pool's line has waited longer than this for a "
        "while; newcomers that would wait twice as long are refused then, and who has waited four "
        "times as long. 0: never."),
    choice(
        "admission.elasticity", "off", "off|advise|enforce", live,
        in_config<&Config::admission, &Admission::elasticity>,
        "While clients wait, it is tried out how many statements a database server should execute "
        "at a time; enforce: no more than are useful do, whatever max_connections allows; advise: "
        "it is only said, in metrics and in the scaling signal."),
    number("admission.critical_reserve", "5", 0, 50, live,
           in_config<&Config::admission, &Admission::critical_reserve>,
           "Percent of a pool's backends that wait for work of class critical, if a rule names it; "
           "pools of fewer than four keep none."),
    holder("admission.rules", Type::list,
           "Classes of work; the first rule that fits counts, and without one it is normal."),
    group("admission.rules.*", "One rule: all that it names must fit."),
    text("admission.rules.*.user", "", "app", new_connections, in_rule<&AdmissionRule::user>,
         "The user."),
    text("admission.rules.*.database", "", "shop", new_connections,
         in_rule<&AdmissionRule::database>, "The database, as the client names it."),
    text("admission.rules.*.application", "", "checkout", new_connections,
         in_rule<&AdmissionRule::application>,
         "What the client has called itself at its login: application_name, program_name."),
    text("admission.rules.*.listener", "", "127.0.0.1:6432", new_connections,
         in_rule<&AdmissionRule::listener>, "The address of the listener it came by."),
    text("admission.rules.*.tag", "", "priority=high", new_connections,
         in_rule<&AdmissionRule::tag>,
         "A key and value in a comment at the beginning or end of the statement that a "
         "transaction begins with: /*priority='high'*/."),
    choice("admission.rules.*.class", "normal", "critical|high|normal|sheddable", new_connections,
           in_rule<&AdmissionRule::importance>,
           "Weighted 8, 4, 2 and 1 when backends are short; sheddable may only use short gaps."),
    choice("admission.rules.*.refuse_with", "too_many_connections",
           "too_many_connections|serialization_failure|lock_not_available", new_connections,
           in_rule<&AdmissionRule::refuse_with>,
           "What it is refused with when backends are short: 53300 (MySQL 1040); 40001 (1213) for "
           "applications that run their transaction again then; 55P03 (1205) for drivers that take "
           "53300 for a failed server, as the AWS JDBC wrapper does."),

    group("timeouts", "Durations; 0 switches one off."),
    timed("timeouts.client_login_timeout", "15s", 10, kHour,
          kTimeout<&Timeouts::client_login_timeout>,
          "A client must finish its login in this time."),
    timed("timeouts.client_idle_timeout", "0", kSecond, 365 * kDay,
          kTimeout<&Timeouts::client_idle_timeout>,
          "A client that sends nothing outside a transaction for this long is closed."),
    timed("timeouts.idle_transaction_timeout", "10m", 10, 365 * kDay,
          kTimeout<&Timeouts::idle_transaction_timeout>,
          "A client that lets a transaction or statement wait this long is closed."),
    timed("timeouts.idle_transaction_timeout_waiting", "30s", 10, 365 * kDay,
          kTimeout<&Timeouts::idle_transaction_timeout_waiting>,
          "The same while other clients wait for a backend; 0: no difference."),
    timed("timeouts.transaction_timeout", "0", 10, 365 * kDay,
          kTimeout<&Timeouts::transaction_timeout>,
          "A transaction that lasts longer is ended, and its client with it."),
    timed("timeouts.query_timeout", "0", 10, 365 * kDay, kTimeout<&Timeouts::query_timeout>,
          "A query that runs longer is cancelled at the server, and its client closed."),
    timed("timeouts.query_wait_timeout", "5s", 10, kDay, kTimeout<&Timeouts::query_wait_timeout>,
          "A client waits this long for a backend, then its query fails; its session stays."),
    timed("timeouts.server_connect_timeout", "5s", 10, kHour,
          kTimeout<&Timeouts::server_connect_timeout>,
          "Opening a backend, from its name to its login, must finish in this time."),
    timed("timeouts.server_idle_timeout", "10m", 10, 365 * kDay,
          kTimeout<&Timeouts::server_idle_timeout>, "An unused backend is closed after this time."),
    timed("timeouts.server_check_delay", "30s", 1, 365 * kDay,
          kTimeout<&Timeouts::server_check_delay>,
          "A backend unused for this long makes a round trip before it is lent again; 0: always."),
    timed("timeouts.dns_max_ttl", "15s", 100, kDay, kTimeout<&Timeouts::dns_max_ttl>,
          "How often the names of backends are looked up again; connections to addresses that are "
          "gone are closed at their next boundary. 0: only to connect."),
    timed("timeouts.server_lifetime", "1h", 100, 365 * kDay, kTimeout<&Timeouts::server_lifetime>,
          "A backend is closed at its next boundary after 80 to 100 % of this age."),
    timed("timeouts.server_close_timeout", "10s", 10, kHour,
          kTimeout<&Timeouts::server_close_timeout>,
          "A goodbye that the server does not answer in this time is logged."),
    timed("timeouts.cancel_wait_timeout", "10s", 10, kHour,
          kTimeout<&Timeouts::cancel_wait_timeout>,
          "A cancel request waits this long for its connection."),
    timed("timeouts.wind_up_timeout", "30s", 10, kDay, kTimeout<&Timeouts::wind_up_timeout>,
          "A statement whose client has said goodbye right behind it may go on for this long."),
    timed("timeouts.reset_timeout", "5s", 10, kHour, kTimeout<&Timeouts::reset_timeout>,
          "Cleaning or checking a backend between two clients must finish in this time."),
    timed("timeouts.connect_backoff_min", "100ms", 1, kHour,
          kTimeout<&Timeouts::connect_backoff_min>,
          "The first pause after a failed connect; it doubles from there."),
    timed("timeouts.connect_backoff_max", "800ms", 1, kHour,
          kTimeout<&Timeouts::connect_backoff_max>,
          "The longest pause after failed connects; a server that is back is found within it."),
    timed("timeouts.failover_hold", "5s", 10, kMinute, kTimeout<&Timeouts::failover_hold>,
          "While a server cannot be reached, work of the classes critical and high waits this long "
          "for it to come back, and logins do; other work is refused at once."),
    timed("timeouts.unknown_database_ttl", "5s", 1, kHour,
          kTimeout<&Timeouts::unknown_database_ttl>,
          "How long a backend's refusal of a database is remembered."),
    timed("timeouts.fd_retry_delay", "100ms", 1, kMinute, kTimeout<&Timeouts::fd_retry_delay>,
          "The pause before accepting again when file descriptors ran out.", restart),

    group("tcp", "Sockets of both sides; the defaults free what a vanished node holds in 15 s."),
    timed("tcp.keepalive_idle", "5s", kSecond, kHour, kTcp<&Tcp::keepalive_idle>,
          "Silence before the first keepalive probe.", new_connections),
    timed("tcp.keepalive_interval", "3s", kSecond, kHour, kTcp<&Tcp::keepalive_interval>,
          "Time between probes.", new_connections),
    number("tcp.keepalive_count", "3", 1, 100, new_connections, kTcp<&Tcp::keepalive_count>,
           "Unanswered probes that mean it is gone."),
    timed("tcp.user_timeout", "12s", 100, kHour, kTcp<&Tcp::user_timeout>,
          "How long a peer that holds a backend, or is one, may leave unacknowledged what is sent "
          "again and again; a live one that only reads slowly is not meant. 0: the kernel decides.",
          live),
    number("tcp.backlog", "4096", 1, 65535, restart, kTcp<&Tcp::backlog>,
           "Connections the kernel queues before they are accepted."),

    group("drain", "SIGTERM: how weirpool leaves."),
    timed("drain.lame_duck", "5s", 1, kHour, in_config<&Config::drain, &Drain::lame_duck>,
          "Not ready any more but still accepting, so that load balancers notice."),
    timed("drain.timeout", "30s", 1, kDay, in_config<&Config::drain, &Drain::timeout>,
          "Then clients leave at their transaction boundary, and the rest after this time."),

    group("log", "One event per line on standard output."),
    choice("log.format", "auto", "auto|json|text", live, in_config<&Config::log, &Log::format>,
           "auto is text on a terminal and JSON everywhere else."),
    choice("log.level", "info", "debug|info|warn|error", live, in_config<&Config::log, &Log::level>,
           "The least grave events that are written."),
    truth("log.connections", "false", live, in_config<&Config::log, &Log::connections>,
          "One event per client login and leave."),
});

}  // namespace

std::string_view Option::name() const { return path.substr(path.rfind('.') + 1); }

std::string_view Option::parent() const {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::span<const Option> options() { return kOptions; }

std::vector<const Option*> children_of(std::string_view path) {
  std::vector<const Option*> children;
  for (const Option& option : kOptions) {
    if (option.parent() == path) children.push_back(&option);
  }
  return children;
}

const Option* find_option(std::string_view path) {
  for (const Option& option : kOptions) {
    if (option.path == path) return &option;
  }
  return nullptr;
}

std::string_view to_text(Reload reload) {
  switch (reload) {
    case live: return "live";
    case new_connections: return "new-connections";
    case restart: break;
  }
  return "restart";
}

}  // namespace weirpool::config
