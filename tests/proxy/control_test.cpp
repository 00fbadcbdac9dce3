#include "proxy/control.hpp"

#include "tests/proxy/control_rig.hpp"

namespace weirpool::proxy {
namespace {

using test::ToyClient;

class ControlTest : public ControlRig {};

TEST_F(ControlTest, PauseReturnsWhenTheLastTransactionHasEnded) {
  ToyClient inside = logged_in();
  EXPECT_EQ(inside.ask("begin"), "open");
  std::optional<Answer> paused;
  begin("PAUSE shop", "app", paused);
  ASSERT_TRUE(until([&] { return error("PAUSE shop") == "database \"shop\" is already paused"; }));
  EXPECT_FALSE(paused);
  EXPECT_EQ(inside.ask("echo on"), "= on,open");
  EXPECT_EQ(inside.ask("commit"), "idle");
  ASSERT_TRUE(until([&] { return paused.has_value(); }));
  EXPECT_EQ(paused->tag, "PAUSE");
  EXPECT_EQ(server_.counts().open, 0U);
  inside.send("echo late\n");
  ASSERT_TRUE(until([&] { return ask("SHOW CLIENTS").table.rows[0][4] == "waiting"; }));
  EXPECT_EQ(error("RESUME shop"), "");
  EXPECT_EQ(inside.answer(), "= late,idle");
  EXPECT_EQ(error("RESUME shop"), "database shop is not paused");
}

TEST_F(ControlTest, PauseOfAllAndItsMistakes) {
  EXPECT_EQ(error("RESUME"), "pooler is not paused/suspended");
  EXPECT_EQ(error("PAUSE"), "");
  EXPECT_EQ(error("PAUSE"), "already suspended/paused");
  ToyClient client = logged_in("app", "console");
  client.send("RESUME\n");
  EXPECT_EQ(client.line(), "RESUME");
  EXPECT_EQ(error("PAUSE pgbouncer"), "cannot pause admin db: pgbouncer");
}

TEST_F(ControlTest, AResumeEndsAPauseThatStillWaits) {
  ToyClient inside = logged_in();
  EXPECT_EQ(inside.ask("begin"), "open");
  std::optional<Answer> paused;
  begin("PAUSE", "app", paused);
  EXPECT_EQ(error("RESUME"), "");
  ASSERT_TRUE(until([&] { return paused.has_value(); }));
  EXPECT_EQ(paused->sqlstate, "57014");
  EXPECT_EQ(inside.ask("commit"), "idle");
}

TEST_F(ControlTest, ReconnectAndWaitClose) {
  ToyClient inside = logged_in();
  ToyClient idle = logged_in();
  EXPECT_EQ(inside.ask("begin"), "open");
  EXPECT_EQ(idle.ask("echo a"), "= a,idle");
  EXPECT_EQ(error("RECONNECT nowhere"), "no such database: nowhere");
  EXPECT_EQ(error("RECONNECT"), "");
  std::optional<Answer> closed;
  begin("WAIT_CLOSE", "app", closed);
  EXPECT_EQ(idle.ask("echo b"), "= b,idle") << "others go on";
  EXPECT_FALSE(closed);
  EXPECT_EQ(inside.ask("commit"), "idle");
  ASSERT_TRUE(until([&] { return closed.has_value(); }));
  EXPECT_EQ(closed->tag, "WAIT_CLOSE");
}

TEST_F(ControlTest, KillDropsTheDatabasesClientsAndHoldsIt) {
  ToyClient inside = logged_in();
  ToyClient other = logged_in("app", "other");
  EXPECT_EQ(inside.ask("begin"), "open");
  EXPECT_EQ(error("KILL shop"), "");
  EXPECT_EQ(inside.line(), "fault killed");
  EXPECT_EQ(other.ask("echo on"), "= on,idle");
  EXPECT_EQ(error("RESUME shop"), "");
}

TEST_F(ControlTest, KillClientByItsId) {
  ToyClient first = logged_in();
  ToyClient second = logged_in();
  const Answer clients = ask("SHOW CLIENTS");
  ASSERT_EQ(clients.table.rows.size(), 2U);
  EXPECT_EQ(error("KILL_CLIENT " + *clients.table.rows[0].back()), "");
  EXPECT_TRUE(until([&] { return first.has_line() || second.has_line(); }));
  EXPECT_EQ(error("KILL_CLIENT 4000000000"), "client not found: 4000000000");
  EXPECT_EQ(error("KILL_CLIENT me"), "invalid client id: me");
}

TEST_F(ControlTest, SuspendHoldsEverythingUntilResume) {
  ToyClient console = logged_in("app", "console");
  ToyClient inside = logged_in();
  EXPECT_EQ(inside.ask("begin"), "open");
  EXPECT_EQ(ask("SUSPEND").tag, "SUSPEND");
  EXPECT_EQ(error("SUSPEND"), "already suspended/paused");
  EXPECT_EQ(error("PAUSE"), "already suspended/paused");
  EXPECT_EQ(error("KILL"), "already suspended/paused");
  EXPECT_EQ(ask("SHOW STATE").table.rows[2][1], "yes");
  inside.send("echo on\n");
  console.send("SHOW VERSION\n");
  EXPECT_TRUE(console.line().starts_with("= PgBouncer 1.25")) << "the console goes on";
  EXPECT_FALSE(inside.has_line());
  EXPECT_EQ(ask("RESUME").tag, "RESUME");
  EXPECT_EQ(inside.answer(), "= on,open");
  EXPECT_EQ(ask("SHOW STATE").table.rows[2][1], "no");
  EXPECT_EQ(error("PAUSE other"), "");
  EXPECT_EQ(error("SUSPEND"), "cannot suspend with paused databases");
  EXPECT_EQ(error("RESUME other"), "");
}

TEST_F(ControlTest, ASuspensionEndsWithTheLastConsole) {
  ToyClient client = logged_in();
  {
    ToyClient console = logged_in("app", "console");
    console.send("SUSPEND\n");
    EXPECT_EQ(console.line(), "SUSPEND");
    client.send("echo on\n");
  }
  EXPECT_EQ(client.answer(), "= on,idle");
}

TEST_F(ControlTest, WhoLeavesStandsNotStill) {
  ToyClient console = logged_in("app", "console");
  ToyClient client = logged_in();
  EXPECT_EQ(ask("SUSPEND").tag, "SUSPEND");
  EXPECT_EQ(ask("SHUTDOWN WAIT_FOR_CLIENTS").tag, "SHUTDOWN");
  EXPECT_EQ(client.ask("echo on"), "= on,idle");
}

TEST_F(ControlTest, DisabledDatabasesLetNobodyIn) {
  EXPECT_EQ(error("DISABLE shop"), "");
  ToyClient refused = client();
  EXPECT_EQ(refused.log_in(), "fault database_disabled");
  EXPECT_EQ(error("ENABLE shop"), "");
  ToyClient welcome = client();
  EXPECT_EQ(welcome.log_in(), "welcome");
  EXPECT_EQ(error("DISABLE weirpool"), "cannot disable admin db: weirpool");
}

TEST_F(ControlTest, SettingsChangeWithPgbouncersNamesAndUnits) {
  EXPECT_EQ(error("SET query_wait_timeout = 7"), "");
  EXPECT_EQ(config_->timeouts.query_wait_timeout, std::chrono::seconds(7));
  EXPECT_EQ(error("SET timeouts.query_wait_timeout = '250ms'"), "");
  EXPECT_EQ(config_->timeouts.query_wait_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(error("SET log.level TO debug"), "");
  EXPECT_EQ(error("SET workers = 3"), "workers: cannot be changed while weirpool runs");
  EXPECT_EQ(error("SET frob = 3"), "frob: no such setting");
  EXPECT_NE(error("SET max_client_conn = many"), "");
}

TEST_F(ControlTest, ReloadAndShutdownAreTheServers) {
  EXPECT_EQ(ask("RELOAD").tag, "RELOAD");
  reload_problem_ = "line 3";
  EXPECT_EQ(error("RELOAD"), "RELOAD failed: line 3");
  EXPECT_EQ(ask("SHUTDOWN").tag, "SHUTDOWN");
  EXPECT_EQ(ask("SHUTDOWN WAIT_FOR_SERVERS").tag, "SHUTDOWN");
  EXPECT_EQ(ask("SHUTDOWN WAIT_FOR_CLIENTS").tag, "SHUTDOWN");
  EXPECT_NE(error("SHUTDOWN SOMETIME"), "");
  EXPECT_EQ(left_,
            (std::vector<Departure>{Departure::now, Departure::at_boundary, Departure::lame_duck}));
}

TEST_F(ControlTest, RolesAreCheckedPerCommand) {
  EXPECT_EQ(error("PAUSE", "batch"), "admin access needed");
  EXPECT_EQ(error("SHOW POOLS", "batch"), "");
  EXPECT_EQ(error("SHOW POOLS", "eve"), "not allowed");
}

TEST_F(ControlTest, OrdersNeedNoNameAndNoPatience) {
  ToyClient inside = logged_in();
  EXPECT_EQ(inside.ask("begin"), "open");
  std::optional<Answer> heard;
  control_->order("PAUSE", false, [&heard](Answer answer) { heard = std::move(answer); });
  ASSERT_TRUE(until([&] { return heard.has_value(); }));
  EXPECT_EQ(heard->tag, "PAUSE");
  EXPECT_EQ(inside.ask("commit"), "idle");
  heard.reset();
  control_->order("NONSENSE", false, [&heard](Answer answer) { heard = std::move(answer); });
  ASSERT_TRUE(until([&] { return heard.has_value(); }));
  EXPECT_NE(heard->error, "");
}

}  // namespace
}  // namespace weirpool::proxy
