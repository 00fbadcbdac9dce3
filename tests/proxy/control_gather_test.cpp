// What the console shows of all workers together, proxy/control_gather.cpp.
#include "tests/proxy/control_rig.hpp"

namespace weirpool::proxy {
namespace {

using test::ToyClient;

class ControlGatherTest : public ControlRig {};

TEST_F(ControlGatherTest, ClientsAndServersOfAllWorkers) {
  ToyClient first = logged_in();
  ToyClient second = logged_in();
  ToyClient console = logged_in("app", "console");
  EXPECT_EQ(first.ask("begin"), "open");
  EXPECT_EQ(second.ask("echo a"), "= a,idle");
  EXPECT_EQ(ask("SHOW CLIENTS").table.rows.size(), 3U);
  const Answer servers = ask("SHOW SERVERS");
  ASSERT_EQ(servers.table.rows.size(), 2U);
  const bool one_active =
      servers.table.rows[0][4] == "active" || servers.table.rows[1][4] == "active";
  EXPECT_TRUE(one_active);
  EXPECT_EQ(ask("SHOW SOCKETS").table.rows.size(), 5U);
  EXPECT_EQ(first.ask("commit"), "idle");
}

TEST_F(ControlGatherTest, CountersNeedNoWorker) {
  ToyClient client = logged_in();
  EXPECT_EQ(client.ask("echo a"), "= a,idle");
  ASSERT_TRUE(until([&] { return ask("SHOW POOLS").table.rows.size() == 2; }));
  EXPECT_EQ(ask("SHOW POOLS").table.rows[0][0], "shop");
  const Answer stats = ask("SHOW STATS_TOTALS");
  ASSERT_EQ(stats.table.rows.size(), 2U);
  EXPECT_EQ(stats.table.rows[1][0], "shop");
  EXPECT_GT(std::stoll(*stats.table.rows[1][4]), 0) << "bytes received";
  EXPECT_EQ(ask("SHOW MEM").table.rows[0][2], "1");
  EXPECT_EQ(ask("SHOW VERSION").table.rows.size(), 1U);
}

}  // namespace
}  // namespace weirpool::proxy
