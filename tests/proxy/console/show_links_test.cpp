// SHOW CLIENTS, SERVERS and PINS, proxy/console/show_links.cpp.
#include <gtest/gtest.h>

#include "tests/proxy/console/report_fixture.hpp"

namespace weirpool::console {
namespace {

Report with_links() {
  Report report = sample_report();
  Link client;
  client.id = 17;
  client.address = 0x1000;
  client.other = 0x2000;
  client.backend = "shop";
  client.database = "app";
  client.user = "ann";
  client.state = "waiting";
  client.peer = {"10.0.0.7", 40000};
  client.local = {"10.0.0.1", 6432};
  client.since = report.now - std::chrono::seconds(60);
  client.waiting = client.requested = report.now - std::chrono::milliseconds(1500);
  client.tls = true;
  client.application = "web";
  client.prepared = 3;
  client.remote_pid = 99;
  report.clients.push_back(client);
  client.state = "idle";
  client.pin = "listen";
  report.clients.push_back(client);
  Link server;
  server.address = 0x2000;
  server.state = "idle";
  server.close_needed = true;
  server.since = report.now;
  report.backends.push_back(server);
  return report;
}

TEST(ShowLinksTest, AClientThatWaits) {
  const Rows rows = clients(with_links());
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(line(rows[0]),
            "C|ann|app|none|waiting|10.0.0.7|40000|10.0.0.1|6432|1970-01-01 23:59:00 UTC|"
            "1970-01-01 23:59:58 UTC|1|500000|0|0x1000|0x2000|99|TLS|web|3|17");
}

TEST(ShowLinksTest, ABackendThatHasToGo) {
  const Rows rows = servers(with_links());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0][13], "1");
  EXPECT_EQ(rows[0][10], rows[0][9]) << "never lent: the time it was connected";
  EXPECT_EQ(rows[0][15], "");
}

TEST(ShowLinksTest, BackendsStreamWhatTheirClientsDo) {
  for (const char* kind : {"logical", "physical", ""}) {
    Report report = with_links();
    report.clients[0].replication = kind;
    report.backends[0].other = report.clients[0].address;
    report.backends.push_back(report.backends[0]);
    report.backends[1].other = 0x3000;
    const std::string shown = *kind == '\0' ? "none" : kind;
    EXPECT_EQ(clients(report)[0][3], shown);
    EXPECT_EQ(servers(report)[0][3], shown);
    EXPECT_EQ(servers(report)[1][3], "none");
  }
}

TEST(ShowLinksTest, SocketsAreBothAndActiveOnesSome) {
  EXPECT_EQ(sockets(with_links()).size(), 3U);
  EXPECT_EQ(active_sockets(with_links()).size(), 1U);
}

TEST(ShowLinksTest, PinsHaveReasons) {
  const Rows rows = pins(with_links());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(line(rows[0]), "17|shop|app|ann|web|listen|1970-01-01 23:59:58 UTC|99");
}

}  // namespace
}  // namespace weirpool::console
