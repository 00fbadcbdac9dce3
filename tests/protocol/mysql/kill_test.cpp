#include "protocol/mysql/kill.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

Kind outcome(const std::string& reply) {
  ServerState via(facts(), 0, "shop", 7);
  const auto kill = make_kill(via, 4711);
  Wire wire(*kill);
  wire.pump();
  EXPECT_EQ(wire.to_backend(), query("KILL QUERY 4711"));
  wire.feed(Party::backend, reply);
  return wire.events().back();
}

TEST(MysqlKill, OneCommandAndItsAnswer) {
  EXPECT_EQ(outcome(ok(1)), Kind::done);
  EXPECT_EQ(outcome(err(1, 1094)), Kind::done) << "it is gone: nothing to end";
  EXPECT_EQ(outcome(err(1, 1095)), Kind::close);
  EXPECT_EQ(outcome(packet(1, "x")), Kind::close);
}

TEST(MysqlKill, FormsThatAreUnderstood) {
  const auto id_of = [](std::string_view sql, bool whole_session) {
    const auto request = parse_kill(sql, 9);
    EXPECT_TRUE(request) << sql;
    if (!request) return 0U;
    EXPECT_EQ(request->whole_session, whole_session) << sql;
    return request->id;
  };
  for (const char* sql : {"KILL 5", "kill connection 5;", " Kill\n5 ; ", "kill hard 5",
                          "/* x */ kill /* y */ soft connection 5"}) {
    EXPECT_EQ(id_of(sql, true), 5u);
  }
  for (const char* sql : {"KILL QUERY 5", "kill hard query 5", "kill query 5;"}) {
    EXPECT_EQ(id_of(sql, false), 5u);
  }
  EXPECT_EQ(id_of("kill query connection_id()", false), 9u);
  EXPECT_EQ(id_of("kill 4294967295", true), 4294967295u);
}

TEST(MysqlKill, OtherFormsAreNot) {
  for (const char* sql :
       {"kill", "kill query", "kill user bob", "kill 5 + 1", "kill 4294967296", "kill query id 5",
        "kill hard query id 5", "kill id 5", "kill -1", "kill 5; select 1", "kill connection_id",
        "kill @a", "/*! kill 5 */", "kill '5'", "select 1; kill 5", ""}) {
    EXPECT_FALSE(parse_kill(sql, 9)) << sql;
  }
}

}  // namespace
}  // namespace weirpool::test::mysql
