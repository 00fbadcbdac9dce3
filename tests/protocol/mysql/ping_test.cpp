#include "protocol/mysql/ping.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

TEST(MysqlPing, OneRoundTrip) {
  ServerState state(facts(), 0, "shop", 7);
  const auto ping = make_ping(state);
  Wire wire(*ping);
  wire.pump();
  EXPECT_EQ(wire.to_backend(), command(com::ping));
  wire.feed(Party::backend, ok(1));
  EXPECT_EQ(wire.count(Kind::done), 1u);
  EXPECT_EQ(wire.unread(Party::backend), "");
}

TEST(MysqlPing, AnErrorMeansDead) {
  ServerState state(facts(), 0, "shop", 7);
  const auto ping = make_ping(state);
  Wire wire(*ping);
  wire.feed(Party::backend, err(1, 4031));
  EXPECT_EQ(wire.fault(), Fault::backend_lost);
}

TEST(MysqlPing, ALateKillEndsInIt) {
  ServerState state(facts(), 0, "shop", 7);
  const auto ping = make_ping(state);
  Wire wire(*ping);
  wire.feed(Party::backend, err(1, 1317));
  EXPECT_EQ(wire.count(Kind::done), 1u);
}

}  // namespace
}  // namespace weirpool::test::mysql
