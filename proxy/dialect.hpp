// The seam: all the core may ask of a protocol. Two implementations, dialect_postgres.cpp and
// dialect_mysql.cpp; nothing else in proxy/ names a protocol. Stateless and shared by all threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "protocol/console.hpp"
#include "protocol/engine.hpp"

namespace weirpool::proxy {

/// One of the statements that clients share.
struct SharedStatement {
  std::string name;  ///< its name on backends
  std::string text;
  std::size_t users = 0;  ///< clients and backends that hold it
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  /// Label value of metrics and logs: postgresql or mysql.
  virtual std::string_view name() const = 0;

  /// Before the first client may come: what takes long and is made once is made now, rather than on
  /// an I/O thread because somebody who is not even logged in has asked for it.
  virtual void get_ready() const {}
  virtual std::unique_ptr<protocol::ClientLogin> client_login(
      const protocol::LoginContext& context) const = 0;
  virtual std::unique_ptr<protocol::BackendLogin> backend_login(
      const protocol::BackendIdentity& as) const = 0;
  /// Brings a backend that stands at a boundary back to the state it had after its login; reply
  /// swallowed. Ends with done or close.
  virtual std::unique_ptr<protocol::Engine> reset(protocol::BackendState& state) const = 0;
  /// One round trip without effect: proof of life, and the fence behind a cancel.
  virtual std::unique_ptr<protocol::Engine> ping(protocol::BackendState& state) const = 0;
  virtual std::unique_ptr<protocol::RoleProbe> role_probe(protocol::BackendState& state) const = 0;

  /// Does this client want weirpool itself, no database?
  virtual bool is_console(const protocol::Identity& identity) const = 0;
  /// What such a client is told about its server.
  virtual std::shared_ptr<const protocol::BackendFacts> console_facts() const = 0;
  virtual std::unique_ptr<protocol::console::Engine> console(
      const protocol::Identity& identity) const = 0;
  virtual std::vector<SharedStatement> shared_statements() const = 0;
  /// True: a statement is ended by kill() on a logged-in connection of its own. False: by the bytes
  /// of BackendState::write_cancel on a bare one.
  virtual bool kill_needs_login() const { return false; }
  /// Told on `via`, ends the statement of the backend with this remote_id. Ends with done when the
  /// server has carried it out.
  virtual std::unique_ptr<protocol::Engine> kill(protocol::BackendState& /*via*/,
                                                 std::uint64_t /*remote_id*/) const {
    return nullptr;
  }

  /// TLS, and nothing else, on a connection to a backend that is no login: a cancel request's.
  /// `direct`: from the first byte on. Null: this protocol has no such connections.
  virtual std::unique_ptr<protocol::BackendOpening> tls_opening(bool /*direct*/) const {
    return nullptr;
  }
  /// Can a client be asked for a certain proof (auth.method)? Otherwise the protocol's own counts.
  virtual bool chooses_proof() const { return false; }
  /// The application protocol's name inside TLS (ALPN); empty: it has none.
  virtual std::string_view alpn() const { return {}; }
  /// Asks a backend who `user` is; an empty `query` means the protocol's own. Null: users cannot be
  /// looked up in such a database.
  virtual std::unique_ptr<protocol::AccountQuery> account_query(const std::string& /*query*/,
                                                                const std::string& /*user*/) const {
    return nullptr;
  }

  /// Makes what client logins are checked against, from all passwords or verifiers valid now.
  virtual std::shared_ptr<const protocol::PreparedSecret> prepare(
      const std::string& user, const std::vector<std::string>& passwords) const = 0;
};

/// `pool` bounds what engines keep per client and per backend.
std::unique_ptr<Dialect> make_postgres_dialect(const config::Pool& pool);
std::unique_ptr<Dialect> make_mysql_dialect(const config::Pool& pool);

}  // namespace weirpool::proxy
