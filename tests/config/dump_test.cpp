#include <gtest/gtest.h>

#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(Dump, LoadsAgainAndMeansTheSame) {
  const TempFile secret("pw");
  const Loaded first =
      load_text(kSmall + "  \"o'd\\\"d $u\":\n    password_file: " + secret.path() +
                    "\n    old_password: older\n"
                    "admin: {http: off, users: [\"o'd\\\"d $$u\"]}\n"
                    "log: {level: debug}\ntimeouts: {reset_timeout: 1m1s}\n",
                "f");
  ASSERT_TRUE(first.config) << describe(first.problems, first.source);
  const std::string text = dump(*first.config);
  const Loaded second = load_text(text, "dump");
  ASSERT_TRUE(second.config) << text << describe(second.problems, second.source);
  EXPECT_EQ(dump(*second.config), text);
  EXPECT_EQ(second.config->admin, first.config->admin);
  EXPECT_EQ(second.config->timeouts, first.config->timeouts);
  EXPECT_EQ(second.config->listeners, first.config->listeners);
  EXPECT_EQ(second.config->backends, first.config->backends);
}

TEST(Dump, RedactsSecrets) {
  const Loaded loaded = load_text(kSmall + "    old_password: older\n", "f");
  ASSERT_TRUE(loaded.config);
  const std::string text = dump(*loaded.config);
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  EXPECT_EQ(text.find("older"), std::string::npos) << text;
  EXPECT_NE(text.find("    password: <redacted>\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace weirpool::config
