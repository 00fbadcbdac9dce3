#include "config/password.hpp"
#include "protocol/postgres/account_query.hpp"
#include "protocol/postgres/backend_login.hpp"
#include "protocol/postgres/client_login.hpp"
#include "protocol/postgres/console.hpp"
#include "protocol/postgres/ping.hpp"
#include "protocol/postgres/reset.hpp"
#include "protocol/postgres/role_probe.hpp"
#include "protocol/postgres/secret.hpp"
#include "protocol/postgres/startup_messages.hpp"
#include "protocol/postgres/tls_opening.hpp"
#include "proxy/dialect.hpp"

namespace weirpool::proxy {
namespace {

namespace postgres = protocol::postgres;

postgres::SessionPolicy session_policy(const config::Pool& pool) {
  postgres::SessionPolicy policy;
  policy.reset_always = pool.reset_query_always;
  const auto follow = [&policy](config::Follow wish, postgres::Effects kinds) {
    if (wish == config::Follow::pin) policy.pinned |= kinds;
    if (wish == config::Follow::refuse) policy.refused |= kinds;
    if (wish == config::Follow::allow) policy.allowed |= kinds;
  };
  const auto keep = [&policy](config::Keep wish, postgres::Effects kind) {
    if (wish == config::Keep::refuse) policy.refused |= kind;
    if (wish == config::Keep::allow) policy.allowed |= kind;
  };
  const config::SessionState& state = pool.session_state;
  follow(state.parameters, postgres::kAllParameters);
  follow(state.roles, postgres::kRoles);
  follow(state.sql_prepare, postgres::kPinPrepare);
  keep(state.listen, postgres::kPinListen);
  keep(state.temporary_objects, postgres::kPinTemporary);
  keep(state.with_hold_cursors, postgres::kPinWithHold);
  keep(state.advisory_locks, postgres::kPinAdvisoryLock);
  keep(state.sequence_values, postgres::kPinSequence);
  return policy;
}

class PostgresDialect final : public Dialect {
 public:
  explicit PostgresDialect(const config::Pool& pool)
      : catalog_(std::make_shared<postgres::Catalog>(pool.max_prepared_statements,
                                                     session_policy(pool))) {}

  std::string_view name() const override { return "postgresql"; }

  std::unique_ptr<protocol::ClientLogin> client_login(
      const protocol::LoginContext& context) const override {
    return std::make_unique<postgres::PostgresClientLogin>(context, catalog_);
  }

  std::unique_ptr<protocol::BackendLogin> backend_login(
      const protocol::BackendIdentity& as) const override {
    return std::make_unique<postgres::PostgresBackendLogin>(as, catalog_);
  }

  std::unique_ptr<protocol::Engine> reset(protocol::BackendState& state) const override {
    return std::make_unique<postgres::Reset>(static_cast<postgres::Backend&>(state));
  }

  std::unique_ptr<protocol::Engine> ping(protocol::BackendState& state) const override {
    return std::make_unique<postgres::Ping>(static_cast<postgres::Backend&>(state));
  }

  std::unique_ptr<protocol::RoleProbe> role_probe(protocol::BackendState& state) const override {
    return std::make_unique<postgres::RoleProbe>(static_cast<postgres::Backend&>(state));
  }

  bool is_console(const protocol::Identity& identity) const override {
    return protocol::console::reserved(identity.database);
  }

  std::shared_ptr<const protocol::BackendFacts> console_facts() const override {
    return postgres::console_facts();
  }

  std::unique_ptr<protocol::console::Engine> console(
      const protocol::Identity& identity) const override {
    return std::make_unique<postgres::PostgresConsole>(identity.user);
  }

  std::vector<SharedStatement> shared_statements() const override {
    std::vector<SharedStatement> all;
    catalog_->statements.visit([&all](const postgres::Statement& statement, std::size_t users) {
      const std::string_view text = statement.body().substr(0, statement.body().find('\0'));
      all.push_back({statement.backend_name, std::string(text), users});
    });
    return all;
  }

  std::unique_ptr<protocol::BackendOpening> tls_opening(bool direct) const override {
    return std::make_unique<postgres::TlsOnly>(direct);
  }

  bool chooses_proof() const override { return true; }
  std::string_view alpn() const override { return postgres::kApplicationProtocol; }

  std::unique_ptr<protocol::AccountQuery> account_query(const std::string& query,
                                                        const std::string& user) const override {
    return std::make_unique<postgres::PostgresAccountQuery>(
        query.empty() ? postgres::kAccountQuery : query, user);
  }

  std::shared_ptr<const protocol::PreparedSecret> prepare(
      const std::string& user, const std::vector<std::string>& passwords) const override {
    // What MySQL stores of a password proves nothing here, and is no password.
    std::vector<std::string> usable = passwords;
    std::erase_if(usable, config::is_mysql_verifier);
    return std::make_shared<const postgres::Secret>(user, usable);
  }

 private:
  postgres::CatalogRef catalog_;
};

}  // namespace

std::unique_ptr<Dialect> make_postgres_dialect(const config::Pool& pool) {
  return std::make_unique<PostgresDialect>(pool);
}

}  // namespace weirpool::proxy
