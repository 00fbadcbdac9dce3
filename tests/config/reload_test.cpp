#include <gtest/gtest.h>

#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

Config load(const std::string& yaml) {
  const Loaded loaded = load_text(yaml, "f");
  EXPECT_TRUE(loaded.config) << describe(loaded.problems, loaded.source);
  return loaded.config ? *loaded.config : Config{};
}

TEST(Reload, LiveChangesNeedNothing) {
  EXPECT_EQ(needs_restart(load(kSmall), load(kSmall + "log: {level: debug}\n")),
            std::vector<std::string>{});
}

TEST(Reload, FixedOnesAreListedSorted) {
  EXPECT_EQ(needs_restart(load(kSmall + "workers: 2\n"),
                          load(kSmall + "workers: 3\nadmin: {http: off}\ndrain: {timeout: 1s}\n")),
            (std::vector<std::string>{"admin.http", "workers"}));
}

TEST(Reload, EntriesThatComeOrGoAreOneChange) {
  std::string more = kSmall;
  more.replace(more.find("users:"), 6, "  - address: 127.0.0.1:7000\n    backend: shop\nusers:");
  EXPECT_EQ(needs_restart(load(kSmall), load(more)), std::vector<std::string>{"listeners[1]"});
  EXPECT_EQ(needs_restart(load(more), load(kSmall)), std::vector<std::string>{"listeners[1]"});
}

}  // namespace
}  // namespace weirpool::config
