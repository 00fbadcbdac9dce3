// MySQL's implementation of the seam. The only file outside protocol/mysql that knows its types.
#include "config/password.hpp"
#include "protocol/mysql/backend_login.hpp"
#include "protocol/mysql/client_login.hpp"
#include "protocol/mysql/credentials.hpp"
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

class MysqlDialect final : public Dialect {
 public:
  explicit MysqlDialect(const config::Pool& pool) : max_statements_(pool.max_prepared_statements) {}

  std::string_view name() const override { return "mysql"; }

  std::unique_ptr<protocol::ClientLogin> client_login(
      const protocol::LoginContext& context) const override {
    return std::make_unique<mysql::ServerSideLogin>(context, max_statements_);
  }
  std::unique_ptr<protocol::BackendLogin> backend_login(
      const protocol::BackendIdentity& as) const override {
    return std::make_unique<mysql::ClientSideLogin>(as);
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
  std::shared_ptr<const protocol::PreparedSecret> prepare(
      const std::string& /*user*/, const std::vector<std::string>& passwords) const override {
    // What PostgreSQL stores of a password proves nothing here, and is no password.
    std::vector<std::string> usable = passwords;
    std::erase_if(usable, config::is_verifier);
    return std::make_shared<mysql::Credentials>(usable);
  }

 private:
  std::uint32_t max_statements_;
};

}  // namespace

std::unique_ptr<Dialect> make_mysql_dialect(const config::Pool& pool) {
  return std::make_unique<MysqlDialect>(pool);
}

}  // namespace weirpool::proxy
