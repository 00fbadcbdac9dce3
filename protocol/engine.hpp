// The abstract engines: what a protocol offers to the proxy. Plain classes, no socket, no thread,
// no clock: a test plays the wire and fuzzers drive them as they ship. One engine serves one
// connection, is used by one thread at a time and never blocks. Errors are verdicts, never
// exceptions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/codec.hpp"
#include "protocol/tally.hpp"
#include "protocol/verdict.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol {

class Engine {
 public:
  virtual ~Engine() = default;
  /// See verdict.hpp for the contract. `unread` may be empty.
  virtual Verdict step(Party from, MutableBytes unread) = 0;
};

/// What a dialect made of a user's valid passwords when the configuration was loaded (hashes,
/// verifiers). Immutable, shared by all workers.
class PreparedSecret {
 public:
  virtual ~PreparedSecret() = default;
};

/// How a client has to prove that it is who it says.
enum class Proof : std::uint8_t {
  by_secret,  ///< as what is stored for the user allows, the strongest first
  none,       ///< somebody else vouches for it: a rule, a certificate
  cleartext,  ///< the password itself
  md5,        ///< a hash of it; stronger where only a stronger one is stored
  scram,
};

/// What the directory knows about a client; the answer to look_up.
struct Account {
  std::shared_ptr<const PreparedSecret> secret{};  ///< null: there is no such user
  /// Whom the exchange of an unknown user takes after, so that it looks like a known one's; may be
  /// null.
  std::shared_ptr<const PreparedSecret> like{};
  Proof proof = Proof::by_secret;
};

/// What a login has brought to light about a secret of which only a verifier is stored. Secret.
struct Revealed {
  std::string verifier;  ///< what is stored, as it is stored
  std::string password;  ///< what a backend login can use in its place
};

/// What an engine may ask about the TLS it has started.
struct TlsFacts {
  /// Hash of the certificate that the server side has shown, as tls-server-end-point wants it
  /// (RFC 5929); empty: its kind of certificate has none.
  std::vector<std::uint8_t> end_point;
  std::string application;  ///< negotiated by ALPN; empty: nothing was
};

/// What a backend told about itself that a client's greeting repeats (versions, reported
/// parameters). Immutable, shared by all workers, replaced when a newer backend says otherwise.
class BackendFacts {
 public:
  virtual ~BackendFacts() = default;
};

/// Who a client says it is; complete once look_up has been said.
struct Identity {
  std::string user;
  std::string database;       ///< PostgreSQL: never empty. MySQL: empty means no default schema.
  std::string application;    ///< application_name or program_name, at most 64 bytes, for people
  bool whole_server = false;  ///< PostgreSQL: wants the server's replication stream, no database's
  std::uint32_t variant = 0;  ///< backends of different variants never serve each other's clients
};

/// What the proxy knows about a new client before its first byte.
struct LoginContext {
  std::uint32_t connection_id = 0;  ///< unique in this process; what the greeting announces
  std::array<std::uint8_t, 32> cancel_key{};  ///< random, per client; see cancel_key_size()
  bool tls_available = false;
  bool tls_required = false;
};

/// One dialect's part of a backend connection, created by BackendLogin, kept with the connection
/// through all its leases.
class BackendState {
 public:
  virtual ~BackendState() = default;
  virtual std::shared_ptr<const BackendFacts> facts() const = 0;
  /// Terminate or COM_QUIT: the polite end of an idle backend.
  virtual void write_goodbye(Writer& out) const = 0;
  /// The first bytes of a cancel connection for this backend; false: this backend cannot be
  /// cancelled that way.
  virtual bool write_cancel(Writer& out) const = 0;
  /// The id the database server itself shows for this connection (pid, thread id), for logs.
  virtual std::uint64_t remote_id() const = 0;

  Tally tally;
};

/// When a conversation says release.
enum class Pooling : std::uint8_t {
  transaction,  ///< at every boundary
  session,      ///< never: the client keeps its backend until it leaves
  statement,    ///< at every boundary; a transaction that outlives its statement is refused
};

class ClientLogin;
/// What a client wants done to another session, or to its own (MySQL: KILL).
struct KillRequest {
  std::uint32_t id = 0;        ///< what that session's greeting announced
  bool whole_session = false;  ///< it is to end; otherwise only the statement it runs now
};
enum class KillResult : std::uint8_t {
  done,       ///< or there was nothing to end
  unknown,    ///< no session of this database server has this id
  not_owner,  ///< it is another user's
};

/// The command phase of one client. States, in the order of a transaction: no backend (attach is
/// answered to lease) -> attached -> at a boundary -> release -> no backend.
class Conversation : public Engine {
 public:
  /// Before the first step; without it transaction. `database` is what the server calls the one
  /// that the client has named in its login. `reset_always`: whatever the client leaves behind,
  /// everything is reset after it.
  virtual void place(Pooling pooling, std::string_view database, bool reset_always) = 0;
  /// The answer to lease. `backend` outlives the attachment.
  virtual void attach(BackendState& backend) = 0;
  /// The lease has ended, whether released or lost.
  virtual void detach() = 0;
  /// The other answer to lease: consume the client's current request and answer it with `fault`,
  /// keeping the session.
  virtual void refuse(Fault fault, std::string_view detail) = 0;

  /// After kill: what is asked for.
  virtual KillRequest kill_request() const { return {}; }
  /// The answer to kill.
  virtual void killed(KillResult /*result*/) {}

  /// The attached backend owes nothing, is outside a transaction and has been told nothing
  /// unfinished. True without a backend.
  virtual bool at_boundary() const = 0;
  /// At a boundary, but the backend holds state of this client that needs Dialect::reset.
  virtual bool needs_reset() const = 0;
  /// Why this client keeps its backend beyond boundaries; empty: it does not.
  virtual std::string_view pin_reason() const = 0;
  /// How long the client itself wants to be let idle at most, seconds; 0: it has not said.
  virtual std::uint32_t idle_limit_seconds() const { return 0; }
  /// How long the client itself lets its statements take, milliseconds; 0: it has not said.
  virtual std::uint32_t statement_limit_ms() const { return 0; }
  /// After lease: the SQL text of the request in `unread` that needs a backend, as far as it is
  /// there; empty where there is none.
  virtual std::string_view request_text(Bytes /*unread*/) const { return {}; }
  /// What the client says next is goodbye.
  virtual bool says_goodbye(Bytes /*unread*/) const { return false; }
  /// The attached backend waits for more of the client (rows, a file, the end of a batch): without
  /// it, it comes to no end.
  virtual bool awaits_client() const { return false; }
  /// Of one that is executing(): as far as can be known, the backend waits for the client and does
  /// nothing.
  virtual bool kept_waiting() const { return awaits_client(); }
  /// Appends what the client would say to roll back, if an open transaction is all that keeps the
  /// attached backend from a boundary; to be stepped as if the client had said it.
  virtual void write_rollback(Writer& /*out*/) const {}
  /// What the client calls itself now, for people; empty: nothing.
  virtual std::string_view application() const = 0;
  /// Prepared statements this client holds.
  virtual std::size_t prepared_statements() const = 0;
  /// A statement of this client is being executed right now: a cancel request makes sense.
  virtual bool executing() const = 0;
  /// The attached backend has refused to write: its server may have become a standby.
  virtual bool refused_to_write() const = 0;
  /// This conversation has neither queries nor transactions that could take too long: it streams.
  virtual bool endless() const { return false; }
  /// What it streams of the server's changes, for people: logical or physical; empty: none.
  virtual std::string_view replication() const { return {}; }
  /// How many requests have been answered to the end, for telling one from the next. Wraps.
  virtual std::uint32_t answered() const = 0;
  /// The attached backend is gone; detach() follows. `torn`: part of a message has been passed on,
  /// in either direction. Says how it goes on: close with what the client hears (none where the
  /// backend's own last words have been forwarded already); hold where the session stays and says
  /// the rest in its steps; lease where nothing of the client's request has been sent, so that
  /// another backend may have it.
  virtual Verdict backend_lost(bool torn) = 0;
  /// After log_in: the engine of the login within the session; null in protocols without one.
  virtual std::unique_ptr<ClientLogin> take_login();
  /// Appends `fault` as this client must read it now (sequence ids, severity).
  virtual void write_fault(Fault fault, std::string_view detail, Writer& out) = 0;
};

/// What a server lets one do just now.
struct ServerRole {
  bool standby = false;
  bool read_only = false;  ///< a standby is, and a primary may be
};

/// Asks a backend at a boundary for the role of its server. Ends with done or close.
class RoleProbe : public Engine {
 public:
  /// After done.
  virtual ServerRole role() const = 0;
};

/// A password-based key of 32 bytes that costs milliseconds.
struct KeyDerivation {
  enum class Function : std::uint8_t {
    pbkdf2,        ///< PBKDF2-HMAC-SHA-256 (RFC 8018)
    sha256_crypt,  ///< see sha256_crypt.hpp
  };

  std::string password;
  std::vector<std::uint8_t> salt;
  std::uint32_t iterations = 0;
  bool worth_keeping = true;  ///< false: of what a client has only claimed to be a password
  Function function = Function::pbkdf2;
};

/// We are the server towards a client. Ends with done, cancel or close.
class ClientLogin : public Engine {
 public:
  virtual const Identity& identity() const = 0;
  /// The answer to look_up. Without a secret the exchange goes on as if there were one and fails
  /// like a wrong password.
  virtual void answer(const Account& account) = 0;
  /// After derive: what to derive. A protocol that hashes cheaply never says it.
  virtual KeyDerivation derivation() const { return {}; }
  virtual void derived(Bytes /*key*/) {}
  /// After learn: what the client's proof has revealed; no value: nothing.
  virtual std::optional<Revealed> revealed() const { return std::nullopt; }
  /// The answer to learn. Null facts: no backend could be asked; `why` and `detail` say what the
  /// client hears.
  virtual void learned(std::shared_ptr<const BackendFacts> facts, Fault why,
                       std::string_view detail) = 0;
  /// TLS has been established after start_tls.
  virtual void tls_established(const TlsFacts& facts) = 0;
  /// After done: so many bytes of LoginContext::cancel_key have been told to the client.
  virtual std::size_t cancel_key_size() const { return LoginContext{}.cancel_key.size(); }
  /// Appends `fault` in the form this phase of the login wants it.
  virtual void write_fault(Fault fault, std::string_view detail, Writer& out) = 0;
  /// After done, when everything sent has left: what lies between the client's connection and the
  /// engines from now on; null: nothing.
  virtual std::unique_ptr<Codec> take_codec() { return nullptr; }
  /// After done: the engine of everything that follows.
  virtual std::unique_ptr<Conversation> take_conversation() = 0;
};

inline std::unique_ptr<ClientLogin> Conversation::take_login() { return nullptr; }

/// The first words of a connection of ours to a backend, TLS included where it is wanted. Ends with
/// done or close.
class BackendOpening : public Engine {
 public:
  /// TLS has been established after start_tls.
  virtual void tls_established(const TlsFacts& facts) = 0;
};

/// We are the client towards a backend. close carries the fault a waiting client would hear, and
/// error() the server's own words for the log.
class BackendLogin : public BackendOpening {
 public:
  /// After derive: what to derive.
  virtual KeyDerivation derivation() const = 0;
  virtual void derived(Bytes key) = 0;
  /// After start_codec: what lies between the connection and the engines from now on.
  virtual std::unique_ptr<Codec> take_codec() { return nullptr; }
  /// After done: the state that stays with the connection.
  virtual std::unique_ptr<BackendState> take_state() = 0;
  /// After close: SQLSTATE or error number and message of the server, without secrets.
  virtual std::string_view error() const = 0;
  /// After close: what the server did not like is the password, or what stood in for it.
  virtual bool secret_refused() const { return false; }
};

/// What the database stores about a user.
struct StoredAccount {
  std::string verifier;                ///< a password or a verifier. Secret.
  std::optional<double> seconds_left;  ///< until it must not be used any more
};

/// Asks a backend who a user is, for a directory that lives in the database. Ends with done or
/// close; close carries the fault a waiting client would hear, and error() why.
class AccountQuery : public Engine {
 public:
  /// After done; no value: there is no such user, or it may not log in.
  virtual std::optional<StoredAccount> take_account() = 0;
  virtual std::string_view error() const = 0;
};

/// What a backend is asked to compress by; only MySQL knows any.
enum class Compressing : std::uint8_t { none, zlib, zstd };

/// What weirpool uses to log in to a backend.
struct BackendIdentity {
  std::string server;  ///< which one of those in the configuration, by name
  std::string user;
  std::string password;
  std::string database;
  std::string options;  ///< PostgreSQL: the startup parameter of that name; empty: none
  std::uint32_t variant = 0;
  bool answers_look_ups = false;  ///< for AccountQuery only: no client has ever set anything here
  bool newest_protocol = false;   ///< PostgreSQL: ask for protocol 3.2
  bool tls_wanted = false;        ///< sslmode prefer and stronger
  bool tls_required = false;      ///< sslmode require and stronger
  bool tls_direct = false;        ///< TLS from the first byte on
  bool allow_public_key_retrieval = false;  ///< MySQL: ask a plaintext backend for its RSA key
  bool allow_cleartext_password = false;  ///< MySQL: inside TLS, where a plugin wants nothing else
  Compressing compressing = Compressing::none;  ///< where the server offers it
};

}  // namespace weirpool::protocol
