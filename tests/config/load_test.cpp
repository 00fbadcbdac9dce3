#include "config/load.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/cores.hpp"
#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(Load, TheMinimalFileGetsProductionDefaults) {
  ::setenv("APP_PASSWORD", "pw", 1);
  const Loaded loaded = load_file("config/weirpool.minimal.yaml");
  ASSERT_TRUE(loaded.config) << describe(loaded.problems, loaded.source);
  const Config& config = *loaded.config;
  EXPECT_EQ(config.backends.at("shop").address, (Address{"shop.example.com", 5432}));
  EXPECT_EQ(config.backends.at("shop").max_connections, 20U);
  EXPECT_EQ(config.backends.at("shop").tls.mode, SslMode::prefer);
  EXPECT_EQ(config.listeners.at(0).backend, "shop");
  EXPECT_EQ(config.users.at("app").password.value.reveal(), "pw");
  EXPECT_EQ(config.admin.users, std::vector<std::string>{"app"});
  EXPECT_EQ(config.workers, usable_cores());
  EXPECT_EQ(config.limits.max_client_conn, 10'000U);
  EXPECT_EQ(config.timeouts.query_wait_timeout.count(), 5'000);
  EXPECT_EQ(config.timeouts.client_idle_timeout.count(), 0);
  EXPECT_EQ(config.tcp.backlog, 4096U);
  EXPECT_EQ(config.log.format, LogFormat::automatic);
  const std::string text = slurp("config/weirpool.minimal.yaml");
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 25);
}

TEST(Load, ClassesOfWorkAreAListInTheirOrder) {
  const Loaded loaded =
      load_text(kSmall +
                    "admission:\n  rules:\n    - {user: app, tag: job=report, class: sheddable}\n"
                    "    - {application: checkout, class: critical}\n",
                "f");
  ASSERT_TRUE(loaded.config) << describe(loaded.problems, loaded.source);
  const Admission& admission = loaded.config->admission;
  EXPECT_EQ(admission.queue_target, Duration(200));
  ASSERT_EQ(admission.rules.size(), 2U);
  EXPECT_EQ(admission.rules[0].tag, "job=report");
  EXPECT_EQ(admission.rules[0].importance, AdmissionClass::sheddable);
  EXPECT_EQ(admission.rules[1].application, "checkout");
  EXPECT_EQ(admission.rules[1].importance, AdmissionClass::critical);
  EXPECT_NE(dump(*loaded.config).find("  rules:\n    - user:"), std::string::npos);
  EXPECT_TRUE(complaint(kSmall + "admission:\n  rules: []\n").find("needs at least one entry") !=
              std::string::npos);
}

TEST(Load, EveryProblemAtOnce) {
  const Loaded loaded = load_text(
      "backends:\n  shop:\n    protocol: oracle\n    address: nowhere\n    max_connections: 0\n"
      "timeouts:\n  query_wait_timeout: 30\nlog:\n  connections: yes\n",
      "w.yaml");
  EXPECT_FALSE(loaded.config);
  const std::string text = describe(loaded.problems, loaded.source);
  for (const char* part :
       {"w.yaml:3:15: error: backends.shop.protocol: 'oracle' is not known here",
        "w.yaml:4:14: error: backends.shop.address: 'nowhere' has no port",
        "w.yaml:5:22: error: backends.shop.max_connections: 0 is out of range (1..100000)",
        "w.yaml:7:23: error: timeouts.query_wait_timeout: '30' has no unit; write 30s",
        "w.yaml:9:16: error: log.connections: 'yes' is not a boolean", "users: is missing"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Load, MissingAndOversizedFiles) {
  EXPECT_EQ(load_file("/nonexistent/w.yaml").problems.at(0).message, "cannot be read");
  EXPECT_EQ(load_file("/tmp").problems.size(), 1U);
  const TempFile large(std::string((1U << 20U) + 10, '#'));
  EXPECT_EQ(load_file(large.path()).problems.at(0).message, "the file is larger than 1 MiB");
}

TEST(Load, AnchorsInExtensionKeysMayBeUsed) {
  const Loaded loaded =
      load_text(kSmall + "x-t: &t 45s\ntimeouts: {query_wait_timeout: *t}\n", "f");
  ASSERT_TRUE(loaded.config) << describe(loaded.problems, loaded.source);
  EXPECT_EQ(loaded.config->timeouts.query_wait_timeout.count(), 45'000);
}

}  // namespace
}  // namespace weirpool::config
