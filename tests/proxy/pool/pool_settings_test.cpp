#include "proxy/pool/pool_settings.hpp"

#include <gtest/gtest.h>

#include "proxy/pool/backend_target.hpp"
#include "tests/support/toy_dialect.hpp"

namespace weirpool::proxy {
namespace {

using protocol::Pooling;

class PoolSettingsTest : public testing::Test {
 protected:
  PoolSettings of(const std::string& database, const std::string& user = "app") {
    return settings_of(config_, {nullptr, database, user, 0});
  }
  std::optional<PoolKey> routed(const std::string& database, const std::string& user = "app") {
    protocol::Identity identity;
    identity.database = database;
    identity.user = user;
    return route(config_, home_, target_of_, identity);
  }

  test::ToyDialect dialect_;
  test::ToyDialect strange_;
  config::Config config_;
  BackendTarget home_{config::Backend{}, dialect_};
  BackendTarget other_{config::Backend{}, dialect_};
  BackendTarget foreign_{config::Backend{}, strange_};
  const TargetOf target_of_ = [this](const std::string& name) -> BackendTarget* {
    return name == "other" ? &other_ : name == "foreign" ? &foreign_ : nullptr;
  };
};

TEST_F(PoolSettingsTest, TheUsersOwnGoesBeforeTheDatabasesBeforeTheGeneral) {
  config_.pool.mode = config::PoolMode::session;
  config_.pool.default_pool_size = 10;
  config_.databases["shop"].pool_mode = config::PoolMode::statement;
  config_.databases["shop"].pool_size = 20;
  config_.users["batch"].pool_mode = config::PoolMode::transaction;
  config_.users["batch"].pool_size = 30;
  EXPECT_EQ(of("elsewhere").pooling, Pooling::session);
  EXPECT_EQ(of("elsewhere").caps.pool, 10U);
  EXPECT_EQ(of("shop").pooling, Pooling::statement);
  EXPECT_EQ(of("shop").caps.pool, 20U);
  EXPECT_EQ(of("shop", "batch").pooling, Pooling::transaction);
  EXPECT_EQ(of("shop", "batch").caps.pool, 30U);
}

TEST_F(PoolSettingsTest, PoolsOfDatabasesWithAUserStandWithoutClients) {
  config_.listeners.resize(2);
  config_.listeners[0].backend = config_.listeners[1].backend = "other";
  config_.pool.min_pool_size = 2;
  config_.databases["*"].user = "app";
  config_.databases["any user"].min_pool_size = 3;
  config_.databases["everywhere"].user = "app";
  config_.databases["placed"].user = "batch";
  config_.databases["placed"].backend = "foreign";
  config_.databases["nowhere"].user = "app";
  config_.databases["nowhere"].backend = "gone";
  const std::vector<PoolKey> standing = standing_pools(config_, target_of_);
  ASSERT_EQ(standing.size(), 2U);
  EXPECT_EQ(standing[0], (PoolKey{&other_, "everywhere", "app", 0}));
  EXPECT_EQ(standing[1], (PoolKey{&foreign_, "placed", "batch", 0}));
  config_.pool.min_pool_size = 0;
  EXPECT_TRUE(standing_pools(config_, target_of_).empty());
}

TEST_F(PoolSettingsTest, AStarStandsForNamesThatAreNotListed) {
  config_.databases["*"].min_pool_size = 3;
  config_.databases["*"].database = "everything";
  config_.databases["shop"].max_db_connections = 4;
  EXPECT_EQ(of("any").min_size, 3U);
  EXPECT_EQ(of("any").server_database, "everything");
  EXPECT_EQ(of("shop").min_size, 0U);
  EXPECT_EQ(of("shop").caps.database, 4U);
  EXPECT_EQ(of("shop").server_database, "shop");
}

TEST_F(PoolSettingsTest, WithoutDatabasesEveryNameIsPassedOn) {
  const std::optional<PoolKey> key = routed("any");
  ASSERT_TRUE(key);
  EXPECT_EQ(*key, (PoolKey{&home_, "any", "app", 0}));
}

TEST_F(PoolSettingsTest, AnAliasLeadsToItsBackendAndUser) {
  config_.databases["reports"].backend = "other";
  config_.databases["reports"].user = "reader";
  EXPECT_EQ(routed("reports"), (PoolKey{&other_, "reports", "reader", 0}));
}

TEST_F(PoolSettingsTest, HowManyMayLogInAsAUserIsThatUsersOwn) {
  config_.limits.max_user_client_connections = 9;
  config_.users["batch"].max_user_client_connections = 3;
  EXPECT_EQ(max_clients_of(config_, "batch"), 3U);
  EXPECT_EQ(max_clients_of(config_, "app"), 9U);
}

TEST_F(PoolSettingsTest, WhatIsNotListedDoesNotExist) {
  config_.databases["shop"];
  EXPECT_TRUE(routed("shop"));
  EXPECT_FALSE(routed("other"));
  // MySQL: a login need not name one.
  EXPECT_TRUE(routed(""));
}

TEST_F(PoolSettingsTest, NobodyIsSentToABackendOfAnotherProtocol) {
  config_.databases["shop"].backend = "foreign";
  EXPECT_FALSE(routed("shop"));
  config_.databases["shop"].backend = "gone";
  EXPECT_FALSE(routed("shop"));
}

}  // namespace
}  // namespace weirpool::proxy
