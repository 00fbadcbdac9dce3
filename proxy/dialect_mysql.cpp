// MySQL's implementation of the seam. The only file outside protocol/mysql that knows its types.
#include "config/password.hpp"
#include "protocol/mysql/auth_caching_sha2.hpp"
#include "protocol/mysql/backend_login.hpp"
#include "protocol/mysql/client_login.hpp"
#include "protocol/mysql/credentials.hpp"
#include "protocol/mysql/kill.hpp"
#include "protocol/mysql/ping.hpp"
#include "protocol/mysql/reset.hpp"
#include "protocol/mysql/role_probe.hpp"
#include "proxy/dialect.hpp"

namespace weirpool::proxy {
namespace {

namespace mysql = protocol::mysql;

/// Every BackendState this dialect is handed was made by its own backend_login().
mysql::ServerState& own(protocol::BackendState& state) {
  return static_cast<mysql::ServerState&>(state);
}

mysql::RoutinePolicy routine_policy(config::Follow wish) {
  switch (wish) {
    case config::Follow::pin: return mysql::RoutinePolicy::pin;
    case config::Follow::refuse: return mysql::RoutinePolicy::refuse;
    case config::Follow::allow: return mysql::RoutinePolicy::allow;
    case config::Follow::track: break;
  }
  return mysql::RoutinePolicy::track;
}

class MysqlDialect final : public Dialect {
 public:
  explicit MysqlDialect(const config::Pool& pool)
      : catalog_(std::make_shared<mysql::Catalog>(pool.max_prepared_statements,
                                                  routine_policy(pool.session_state.routines))) {}

  std::string_view name() const override { return "mysql"; }

  void get_ready() const override { static_cast<void>(mysql::RsaKey::of_process()); }
  std::unique_ptr<protocol::ClientLogin> client_login(
      const protocol::LoginContext& context) const override {
    return std::make_unique<mysql::ServerSideLogin>(context, catalog_);
  }
  std::unique_ptr<protocol::BackendLogin> backend_login(
      const protocol::BackendIdentity& as) const override {
    return std::make_unique<mysql::ClientSideLogin>(
        as, catalog_->max_backend_statements(), catalog_->defaults(), catalog_->room_of(as.server));
  }
  std::unique_ptr<protocol::Engine> reset(protocol::BackendState& state) const override {
    return mysql::make_reset(own(state));
  }
  std::unique_ptr<protocol::Engine> ping(protocol::BackendState& state) const override {
    return mysql::make_ping(own(state));
  }
  std::unique_ptr<protocol::RoleProbe> role_probe(protocol::BackendState&) const override {
    return std::make_unique<mysql::ServerRoleProbe>();
  }
  bool is_console(const protocol::Identity&) const override { return false; }
  std::shared_ptr<const protocol::BackendFacts> console_facts() const override { return nullptr; }
  std::unique_ptr<protocol::console::Engine> console(const protocol::Identity&) const override {
    return nullptr;
  }
  std::vector<SharedStatement> shared_statements() const override { return {}; }
  bool kill_needs_login() const override { return true; }
  std::unique_ptr<protocol::Engine> kill(protocol::BackendState& via,
                                         std::uint64_t remote_id) const override {
    return mysql::make_kill(own(via), remote_id);
  }
  std::shared_ptr<const protocol::PreparedSecret> prepare(
      const std::string& /*user*/, const std::vector<std::string>& passwords) const override {
    // What PostgreSQL stores of a password proves nothing here, and is no password.
    std::vector<std::string> usable = passwords;
    std::erase_if(usable, config::is_postgres_verifier);
    return std::make_shared<mysql::Credentials>(usable);
  }

 private:
  const std::shared_ptr<mysql::Catalog> catalog_;
};

}  // namespace

std::unique_ptr<Dialect> make_mysql_dialect(const config::Pool& pool) {
  return std::make_unique<MysqlDialect>(pool);
}

}  // namespace weirpool::proxy
