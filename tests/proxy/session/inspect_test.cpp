// What an administrator sees of a session and does to it, proxy/session/inspect.cpp.
#include <gtest/gtest.h>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using test::ToyClient;
using test::ToyWorld;

TEST(InspectTest, ASessionThroughItsStates) {
  ToyWorld world(1);
  ToyClient half = world.client();
  half.send("user");
  world.settle();
  EXPECT_EQ(world.session_of(1).inspect(), std::nullopt) << "not logged in";
  ToyClient client = world.logged_in();
  const auto idle = world.session_of(2).inspect();
  ASSERT_TRUE(idle);
  EXPECT_EQ(idle->id, 2U);
  EXPECT_EQ(idle->state, "idle");
  EXPECT_EQ(idle->backend, "shop");
  EXPECT_EQ(idle->database, "shop");
  EXPECT_EQ(idle->user, "app");
  EXPECT_EQ(idle->application, "toys");
  EXPECT_EQ(idle->peer.host, "127.0.0.1");
  EXPECT_EQ(idle->other, 0U);
  EXPECT_EQ(client.ask("begin"), "open");
  const auto active = world.session_of(2).inspect();
  EXPECT_EQ(active->state, "active");
  EXPECT_NE(active->other, 0U);
  EXPECT_NE(active->remote_pid, 0U);
  EXPECT_NE(active->requested, TimePoint{});
  ToyClient waiter = world.logged_in();
  waiter.send("echo x\n");
  ASSERT_TRUE(world.until([&] { return world.session_of(3).inspect()->state == "waiting"; }));
  EXPECT_NE(world.session_of(3).inspect()->waiting, TimePoint{});
  EXPECT_TRUE(world.session_of(3).of_database("shop"));
  EXPECT_FALSE(world.session_of(3).of_database("other"));
  EXPECT_FALSE(world.session_of(3).of_console());
}

TEST(InspectTest, AConsoleIsOfNoDatabase) {
  ToyWorld world(1);
  ToyClient client = world.client();
  client.log_in("app", "console");
  const auto link = world.session_of(1).inspect();
  ASSERT_TRUE(link);
  EXPECT_EQ(link->database, "pgbouncer");
  EXPECT_EQ(link->user, "app");
  EXPECT_TRUE(world.session_of(1).of_console());
  EXPECT_FALSE(world.session_of(1).of_database("shop"));
}

TEST(InspectTest, AKilledClientIsToldWhy) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  world.session_of(1).kill();
  EXPECT_EQ(world.session_of(1).inspect(), std::nullopt) << "is no client any more";
  EXPECT_EQ(client.line(), "fault killed");
  EXPECT_EQ(client.line(), "<closed>");
}

TEST(InspectTest, WhoseDatabaseIsNotConfiguredAnyMoreLeavesAtItsBoundary) {
  ToyWorld world(2);
  world.config.databases["shop"] = {};
  world.config.databases["other"] = {};
  world.apply();
  ToyClient idle = world.logged_in();
  ToyClient inside = world.logged_in();
  ToyClient elsewhere = world.logged_in("app", "other");
  EXPECT_EQ(inside.ask("begin"), "open");
  world.config.databases.erase("shop");
  world.apply();
  const auto everybody = [](const std::string&) { return true; };
  for (std::uint32_t id = 1; id <= 3; ++id) world.session_of(id).reconsider(everybody);
  EXPECT_EQ(idle.line(), "fault unknown_database");
  EXPECT_EQ(idle.line(), "<closed>");
  EXPECT_EQ(inside.ask("echo a"), "= a,open");
  EXPECT_EQ(inside.ask("commit"), "idle");
  EXPECT_EQ(inside.line(), "fault unknown_database");
  EXPECT_EQ(elsewhere.ask("echo b"), "= b,idle");
}

TEST(InspectTest, WhoIsDroppedFromTheConfigurationLeavesUnlessItComesBack) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  const auto reload = [&](bool has_app) {
    world.session_of(1).reconsider(
        [=](const std::string& user) { return has_app == (user == "app"); });
  };
  reload(false);
  EXPECT_EQ(client.ask("echo a"), "= a,open");
  reload(true);
  EXPECT_EQ(client.ask("commit"), "idle");
  EXPECT_EQ(client.ask("echo b"), "= b,idle") << "it is known again";
  reload(false);
  EXPECT_EQ(client.line(), "fault killed");
  EXPECT_EQ(client.line(), "<closed>");
}

TEST(InspectTest, ADisabledDatabaseLetsNobodyIn) {
  ToyWorld world(1);
  world.disabled_databases.insert("shop");
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in(), "fault database_disabled");
  EXPECT_EQ(world.server.counts().accepted, 0U);
}

}  // namespace
}  // namespace weirpool::proxy
