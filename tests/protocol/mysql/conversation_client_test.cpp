// What clients send: commands, long texts, nonsense.
#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

TEST(MysqlConversationClient, PipelinedCommandsAreAnsweredInOrder) {
  Rig rig;
  rig.client(query("select 1") + query("select 2"));
  EXPECT_EQ(rig.wire.to_backend(), query("select 1"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.wire.to_backend(), query("select 1") + query("select 2"));
  EXPECT_EQ(rig.leases(), 2u);
}

TEST(MysqlConversationClient, PingAndResetNeedNoBackend) {
  Rig rig;
  rig.client(command(com::ping) + command(com::reset_connection));
  EXPECT_EQ(rig.leases(), 0u);
  EXPECT_EQ(rig.wire.to_client(), ok(1) + ok(1));
}

TEST(MysqlConversationClient, WrongCommandsAreErrorsAndTheSessionStays) {
  Rig rig;
  rig.client(packet(0, "") + command(0x0A) + command(com::stmt_execute, "\1\0") +
             query("KILL QUERY 5") + command(com::stmt_execute, std::string("\7\0\0\0....", 8)) +
             command(com::stmt_close, std::string("\7\0\0\0", 4)) + command(com::ping));
  const std::string& heard = rig.wire.to_client();
  EXPECT_EQ(heard.find("Unknown command"), 13u);
  EXPECT_NE(heard.find("KILL is not supported"), std::string::npos);
  EXPECT_NE(heard.find("Unknown prepared statement"), std::string::npos);
  EXPECT_TRUE(heard.ends_with(ok(1)));
  EXPECT_EQ(rig.leases(), 0u);
  EXPECT_FALSE(rig.wire.ended());
}

TEST(MysqlConversationClient, ChangeUserAndWrongSequenceEndTheSession) {
  Rig rig;
  rig.client(command(com::change_user, "x"));
  EXPECT_EQ(rig.wire.fault(), Fault::unsupported);
  Rig other;
  other.client(packet(1, "\3select 1"));
  EXPECT_EQ(other.wire.fault(), Fault::protocol_violation);
}

TEST(MysqlConversationClient, QuitIsNotForwarded) {
  Rig rig;
  rig.client(command(com::quit));
  EXPECT_EQ(rig.wire.count(Kind::done), 1u);
  EXPECT_EQ(rig.wire.to_backend(), "");
}

TEST(MysqlConversationClient, LongTextIsScannedOnItsWay) {
  Rig rig;
  const std::string sql = "select '" + std::string(40000, 'x') + "', get_lock('a', 1)";
  rig.client(query(sql));
  EXPECT_EQ(rig.wire.to_backend(), query(sql));
  rig.server(rows_reply());
  EXPECT_EQ(rig.pin(), "named_lock");
}

TEST(MysqlConversationClient, TextOfSixteenMegabytesGoesOnInTheNextPacket) {
  Rig rig;
  const std::string full = packet(0, "\3insert" + std::string(kMaxPayload - 7, ' '));
  rig.client(full);
  EXPECT_EQ(rig.wire.to_backend().size(), full.size());
  EXPECT_FALSE(rig.conversation.at_boundary());
  rig.client(packet(1, ""));
  EXPECT_EQ(rig.wire.to_backend().size(), full.size() + 4);
  rig.server(ok(2));
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_EQ(rig.wire.to_client(), ok(2));
}

TEST(MysqlConversationClient, PreparedStatementsPinUntilTheLastIsClosed) {
  Rig rig;
  const std::string id("\5\0\0\0", 4);
  rig.client(command(com::stmt_prepare, "select 1"));
  rig.server(packet(1, std::string("\0\5\0\0\0\1\0\0\0\0\0\0", 12)) + definition(2));
  EXPECT_EQ(rig.pin(), "prepared_statement");
  EXPECT_TRUE(rig.conversation.needs_reset());
  rig.client(command(com::stmt_execute, id + std::string("\0\1\0\0\0", 5)));
  rig.server(count(1, 1) + definition(2) + packet(3, std::string("\0\0v", 3)) + end(4));
  EXPECT_EQ(rig.releases(), 0u);
  rig.client(command(com::stmt_close, id));
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_TRUE(rig.wire.to_backend().ends_with(command(com::stmt_close, id)));
}

TEST(MysqlConversationClient, TooManyStatementsPinForGood) {
  Rig rig;
  for (char id = 1; id <= 3; ++id) {
    rig.client(command(com::stmt_prepare, "do 1"));
    rig.server(packet(1, std::string("\0", 1) + id + std::string("\0\0\0\0\0\0\0\0\0\0", 10)));
  }
  for (char id = 1; id <= 3; ++id) {
    rig.client(command(com::stmt_close, std::string(1, id) + std::string("\0\0\0", 3)));
  }
  EXPECT_EQ(rig.releases(), 0u);
  EXPECT_EQ(rig.pin(), "prepared_statement");
}

}  // namespace
}  // namespace weirpool::test::mysql
