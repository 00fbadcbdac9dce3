#include <gtest/gtest.h>

#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(DatabaseUrl, ServesOnePostgresDatabase) {
  const Loaded loaded =
      load_url("postgres://us%40er:p%2Fa:b@c$${X}w@db.example/shop?sslmode=require");
  ASSERT_TRUE(loaded.config) << describe(loaded.problems, "");
  const Config& config = *loaded.config;
  const Backend& backend = config.backends.at("database");
  EXPECT_EQ(backend.protocol, Protocol::postgresql);
  EXPECT_EQ(backend.address, (Address{"db.example", 5432}));
  EXPECT_EQ(backend.max_connections, 20U);
  EXPECT_EQ(backend.tls.mode, SslMode::require);
  EXPECT_EQ(config.users.at("us@er").password.value.reveal(), "p/a:b@c$${X}w");
  EXPECT_EQ(config.listeners.at(0).address, (Address{"0.0.0.0", 6432}));
  EXPECT_EQ(config.admin.http, (Address{"0.0.0.0", 9127}));
}

TEST(DatabaseUrl, ServesMysqlToo) {
  const Loaded loaded = load_url("mysql://app:pw@[::1]:3307/shop");
  ASSERT_TRUE(loaded.config) << describe(loaded.problems, "");
  EXPECT_EQ(loaded.config->backends.at("database").address, (Address{"::1", 3307}));
  EXPECT_EQ(loaded.config->listeners.at(0).address.port, 6033);
  EXPECT_TRUE(load_url("mysql://app:pw@[::1]/shop").config);
}

TEST(DatabaseUrl, MistakesAreExplainedWithoutTheSecret) {
  for (const char* bad : {"", "shop", "http://a:hunter2@h/d", "postgres://h/d", "postgres://a@h/d",
                          "postgres://a:hunter2@/d", "postgres://a:hunter2%zz@h/d",
                          "postgres://a:hunter2%00@h/d", "postgres://a:hunter2@h:x/d",
                          "postgres://a:hunter2@h/d?sslmode=maybe", "mysql://a:hunter2@h/d?x=y"}) {
    const Loaded loaded = load_url(bad);
    EXPECT_FALSE(loaded.config) << bad;
    const std::string text = describe(loaded.problems, loaded.source);
    EXPECT_NE(text, "") << bad;
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace weirpool::config
