// The seam for MySQL: everything it hands out fits together.
#include <gtest/gtest.h>

#include "protocol/mysql/backend_state.hpp"
#include "proxy/dialect.hpp"

namespace weirpool::proxy {
namespace {

std::unique_ptr<Dialect> dialect() {
  config::Pool pool;
  pool.max_prepared_statements = 10;
  return make_mysql_dialect(pool);
}

TEST(DialectMysql, EnginesStartAsTheProtocolWants) {
  const auto mysql = dialect();
  EXPECT_EQ(mysql->name(), "mysql");
  using Kind = protocol::Verdict::Kind;
  using protocol::Party;
  const auto client = mysql->client_login({});
  EXPECT_EQ(client->step(Party::client, {}).kind, Kind::learn) << "the greeting needs a backend";
  const auto backend = mysql->backend_login({});
  EXPECT_EQ(backend->step(Party::backend, {}).kind, Kind::need) << "the server speaks first";
  EXPECT_NE(mysql->prepare("bob", {"new", "old"}), nullptr);
}

TEST(DialectMysql, ResetAndPingSpeakFirst) {
  const auto mysql = dialect();
  protocol::mysql::ServerState state(std::make_shared<protocol::mysql::Facts>(), 0, "shop", 7);
  using Kind = protocol::Verdict::Kind;
  EXPECT_EQ(mysql->reset(state)->step(protocol::Party::backend, {}).kind, Kind::send);
  EXPECT_EQ(mysql->ping(state)->step(protocol::Party::backend, {}).kind, Kind::send);
}

}  // namespace
}  // namespace weirpool::proxy
