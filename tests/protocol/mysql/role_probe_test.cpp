#include "protocol/mysql/role_probe.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

std::string answer(std::string_view read_only, std::string_view innodb) {
  return count(1, 2) + definition(2) + definition(3) +
         packet(4, lenenc(read_only) + lenenc(innodb)) + end(5);
}

TEST(MysqlRoleProbe, EitherVariableMakesAReader) {
  for (const bool read_only : {false, true}) {
    for (const bool innodb : {false, true}) {
      ServerRoleProbe probe;
      Wire wire(probe);
      for (const char c : answer(read_only ? "1" : "0", innodb ? "1" : "0")) {
        wire.feed(Party::backend, std::string(1, c));
      }
      EXPECT_EQ(wire.count(Kind::done), 1U);
      EXPECT_EQ(wire.unread(Party::backend), "");
      EXPECT_EQ(probe.role().read_only, read_only || innodb);
      EXPECT_EQ(probe.role().standby, read_only || innodb);
    }
  }
}

TEST(MysqlRoleProbe, AnythingElseCostsTheBackend) {
  for (const std::string& bytes :
       {err(1), count(1, 3), count(1, 2) + err(2), ok(1),
        count(1, 2) + definition(2) + definition(3) + packet(4, lenenc("1")),
        count(1, 2) + definition(2) + definition(3) + packet(4, lenenc("1") + lenenc("0") + "x"),
        count(1, 2) + definition(2) + definition(3) + packet(4, lenenc("1") + lenenc("0")) +
            packet(5, lenenc("1") + lenenc("0"))}) {
    ServerRoleProbe probe;
    Wire wire(probe);
    wire.feed(Party::backend, bytes);
    EXPECT_EQ(wire.fault(), Fault::backend_lost);
  }
}

}  // namespace
}  // namespace weirpool::test::mysql
