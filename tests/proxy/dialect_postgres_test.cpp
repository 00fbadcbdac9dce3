#include <gtest/gtest.h>

#include "protocol/postgres/backend_state.hpp"
#include "proxy/dialect.hpp"

namespace weirpool::proxy {
namespace {

TEST(DialectPostgres, MakesTheEnginesOfItsProtocol) {
  config::Pool pool;
  pool.max_prepared_statements = 5;
  const auto dialect = make_postgres_dialect(pool);
  EXPECT_EQ(dialect->name(), "postgresql");
  const auto login = dialect->client_login({});
  EXPECT_EQ(login->step(protocol::Party::client, {}).kind, protocol::Verdict::Kind::need);
  protocol::BackendIdentity as;
  as.user = "app";
  const auto backend = dialect->backend_login(as);
  EXPECT_EQ(backend->step(protocol::Party::backend, {}).kind, protocol::Verdict::Kind::send);
  protocol::postgres::Backend state(5);
  EXPECT_EQ(dialect->reset(state)->step(protocol::Party::backend, {}).kind,
            protocol::Verdict::Kind::send);
  EXPECT_EQ(dialect->ping(state)->step(protocol::Party::backend, {}).kind,
            protocol::Verdict::Kind::send);
  EXPECT_NE(dialect->prepare("app", {"secret"}), nullptr);
}

}  // namespace
}  // namespace weirpool::proxy
