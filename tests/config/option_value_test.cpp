#include <gtest/gtest.h>

#include <algorithm>

#include "config/option_table.hpp"

namespace weirpool::config {
namespace {

std::string assign_to(std::string_view path, const std::string& text, Config& config) {
  Scope scope;
  scope.config = &config;
  const Option& option = *find_option(path);
  return assign(option, text, option.field(scope));
}

TEST(OptionValue, StoresAndShows) {
  Config config;
  EXPECT_EQ(assign_to("limits.max_client_conn", "77", config), "");
  EXPECT_EQ(config.limits.max_client_conn, 77U);
  EXPECT_EQ(assign_to("log.format", "text", config), "");
  EXPECT_EQ(config.log.format, LogFormat::text);
  EXPECT_EQ(assign_to("admin.http", "off", config), "");
  EXPECT_EQ(config.admin.http.port, 0);
  EXPECT_EQ(assign_to("drain.timeout", "1m30s", config), "");
  EXPECT_EQ(config.drain.timeout.count(), 90'000);
}

TEST(OptionValue, ChecksBounds) {
  Config config;
  EXPECT_EQ(assign_to("limits.max_connecting", "0", config), "0 is out of range (1..1000)");
  EXPECT_EQ(assign_to("limits.max_connecting", "1001", config), "1001 is out of range (1..1000)");
  EXPECT_EQ(assign_to("tcp.user_timeout", "1ms", config), "1ms is out of range (0, 100ms..1h)");
  EXPECT_EQ(assign_to("tcp.user_timeout", "0", config), "");
}

TEST(OptionValue, KnowsItsChoices) {
  Config config;
  EXPECT_EQ(assign_to("log.level", "loud", config),
            "'loud' is not known here; one of: debug, info, warn, error");
  EXPECT_EQ(assign_to("pool_mode", "session", config), "");
  EXPECT_EQ(config.pool.mode, PoolMode::session);
}

TEST(OptionValue, WalkNamesEveryPlace) {
  Config config;
  config.backends["shop"];
  config.listeners.resize(2);
  config.users["app"];
  std::vector<std::string> paths;
  walk(config, [&](const Place& place) { paths.push_back(place.path); });
  const auto has = [&](std::string_view path) {
    return std::find(paths.begin(), paths.end(), path) != paths.end();
  };
  EXPECT_TRUE(has("backends.shop.tls.mode"));
  EXPECT_TRUE(has("listeners[1].tls.cert_file"));
  EXPECT_TRUE(has("users.app.old_password_env"));
  EXPECT_TRUE(has("timeouts.query_wait_timeout"));
  EXPECT_FALSE(has("backends.*"));
}

}  // namespace
}  // namespace weirpool::config
