// The command phase as scripts: what reaches the backend, what the client hears, when a backend is
// given back.
#include "protocol/mysql/conversation.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

std::string rows_reply() { return count(1, 1) + definition(2) + row(3) + row(4) + end(5); }

TEST(MysqlConversation, OneStatementLeasesForwardsAndReleases) {
  Rig rig;
  rig.client(query("select 1"));
  EXPECT_EQ(rig.leases(), 1u);
  EXPECT_TRUE(rig.conversation.executing());
  EXPECT_EQ(rig.wire.to_backend(), query("select 1"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.wire.to_client(), rows_reply());
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_FALSE(rig.wire.ended());
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlConversation, TransactionKeepsItsBackend) {
  Rig rig;
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  EXPECT_EQ(rig.releases(), 0u);
  EXPECT_FALSE(rig.conversation.at_boundary());
  rig.client(query("select 1"));
  rig.server(count(1, 1) + definition(2) + end(3, {.status = 3}));
  rig.client(query("nonsense"));
  rig.server(err(1));
  EXPECT_EQ(rig.releases(), 0u) << "an error says nothing about the transaction";
  rig.client(query("commit"));
  rig.server(ok(1));
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_EQ(rig.leases(), 1u);
}

TEST(MysqlConversation, ErrorOutsideATransactionReleases) {
  Rig rig;
  rig.client(query("nonsense"));
  rig.server(err(1));
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlConversation, ErrorWithoutAutocommitKeepsUntilAStatusTells) {
  Rig rig;
  rig.client(query("set autocommit=0"));
  rig.server(ok(1, {.status = 0, .changes = variable("autocommit", "OFF") + state_changed()}));
  EXPECT_EQ(rig.releases(), 1u);
  rig.client(query("nonsense"));
  rig.server(err(1));
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_FALSE(rig.conversation.at_boundary());
  rig.client(query("rollback"));
  rig.server(ok(1, {.status = 0}));
  EXPECT_EQ(rig.releases(), 2u);
}

TEST(MysqlConversation, PipelinedCommandsAreAnsweredInOrder) {
  Rig rig;
  rig.client(query("select 1") + query("select 2"));
  EXPECT_EQ(rig.wire.to_backend(), query("select 1"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.wire.to_backend(), query("select 1") + query("select 2"));
  EXPECT_EQ(rig.leases(), 2u);
}

TEST(MysqlConversation, EveryCutOfEveryLineGivesTheSame) {
  const Script script{client(query("select 1") + command(com::ping)), backend(rows_reply()),
                      client(query("update t")), backend(ok(1, {.info = "Rows matched: 1"}))};
  std::vector<std::size_t> lengths;
  Rig whole;
  for (const Line& line : script) lengths.push_back(line.make(whole.wire).size());
  play(whole.wire, script);
  for_every_cut(lengths, [&](Cut cut) {
    Rig rig;
    play(rig.wire, script, cut);
    EXPECT_EQ(rig.wire.to_client(), whole.wire.to_client()) << cut.line << ':' << cut.at;
    EXPECT_EQ(rig.wire.to_backend(), whole.wire.to_backend());
    EXPECT_EQ(rig.releases(), 2u);
    EXPECT_EQ(rig.wire.breach(), "");
  });
}

TEST(MysqlConversation, PingAndResetNeedNoBackend) {
  Rig rig;
  rig.client(command(com::ping) + command(com::reset_connection));
  EXPECT_EQ(rig.leases(), 0u);
  EXPECT_EQ(rig.wire.to_client(), ok(1) + ok(1));
}

TEST(MysqlConversation, RefusalAnswersAndKeepsTheSession) {
  Rig rig;
  rig.refusal = Fault::pool_timeout;
  rig.client(query("select 1"));
  EXPECT_NE(rig.wire.to_client().find("no database connection became free"), std::string::npos);
  EXPECT_EQ(rig.wire.to_client()[3], '\1');
  rig.refusal = Fault::none;
  rig.client(query("select 2"));
  EXPECT_EQ(rig.wire.to_backend(), query("select 2"));
}

TEST(MysqlConversation, WrongCommandsAreErrorsAndTheSessionStays) {
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

TEST(MysqlConversation, ChangeUserAndWrongSequenceEndTheSession) {
  Rig rig;
  rig.client(command(com::change_user, "x"));
  EXPECT_EQ(rig.wire.fault(), Fault::unsupported);
  Rig other;
  other.client(packet(1, "\3select 1"));
  EXPECT_EQ(other.wire.fault(), Fault::protocol_violation);
}

TEST(MysqlConversation, QuitIsNotForwarded) {
  Rig rig;
  rig.client(command(com::quit));
  EXPECT_EQ(rig.wire.count(Kind::done), 1u);
  EXPECT_EQ(rig.wire.to_backend(), "");
}

TEST(MysqlConversation, LocalFileRequestIsAViolation) {
  Rig rig;
  rig.client(query("load data local infile 'x' into table t"));
  rig.server(packet(1, "\xFB/etc/passwd"));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_violation);
  EXPECT_EQ(rig.wire.to_client(), "");
}

TEST(MysqlConversation, BytesFromAnIdleBackendMeanItIsLeaving) {
  Rig rig;
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  rig.server(err(0, 4031));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_lost);
}

TEST(MysqlConversation, LostBackendIsToldOnce) {
  Rig rig;
  rig.client(query("select 1"));
  EXPECT_EQ(rig.conversation.backend_lost().fault, Fault::backend_lost);
  Rig told;
  told.client(query("begin"));
  told.server(ok(1, {.status = 3}));
  told.client(query("select 1"));
  told.server(err(1, 1053));
  EXPECT_EQ(told.conversation.backend_lost().fault, Fault::none);
}

TEST(MysqlConversation, FaultContinuesTheSequenceOfTheReply) {
  Rig rig;
  rig.client(query("select 1"));
  rig.server(count(1, 1) + definition(2));
  Writer out;
  rig.conversation.write_fault(Fault::backend_lost, "", out);
  EXPECT_EQ(out.view()[3], 3);
  rig.conversation.detach();
  Writer after;
  rig.conversation.write_fault(Fault::backend_lost, "", after);
  EXPECT_EQ(after.view()[3], 3);
  Rig idle;
  Writer alone;
  idle.conversation.write_fault(Fault::shutting_down, "", alone);
  EXPECT_EQ(alone.view()[3], 1);
}

TEST(MysqlConversation, PreparedStatementsPinUntilTheLastIsClosed) {
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

TEST(MysqlConversation, TooManyStatementsPinForGood) {
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

TEST(MysqlConversation, SettingsAreReplayedOnlyWhereTheyDiffer) {
  Rig rig;
  rig.client(query("set time_zone='+01:00'"));
  rig.server(ok(1, {.changes = variable("time_zone", "+01:00") + state_changed()}));
  EXPECT_EQ(rig.releases(), 1u);
  rig.client(query("select 1"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 1"))) << "equal: no round trip";
  rig.server(rows_reply());
  rig.backend.session.variables.clear();
  const std::size_t before = rig.wire.to_backend().size();
  rig.client(query("select 2"));
  EXPECT_EQ(rig.wire.to_backend().substr(before),
            query("SET @@session.time_zone='+01:00'") + query("SET @@session.last_insert_id=0"));
  const std::size_t heard = rig.wire.to_client().size();
  rig.server(ok(1) + ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 2")));
  EXPECT_EQ(rig.wire.to_client().size(), heard) << "replies to the replay are swallowed";
}

TEST(MysqlConversation, AForeignSettingIsResetAway) {
  Rig rig;
  rig.backend.session.variables = {{"sql_mode", "ANSI"}};
  rig.backend.session.schema = "other";
  rig.client(query("select 1"));
  EXPECT_TRUE(rig.wire.to_backend().starts_with(command(com::reset_connection)));
  EXPECT_NE(rig.wire.to_backend().find(command(com::init_db, "shop")), std::string::npos);
  EXPECT_EQ(rig.wire.to_backend().find("select 1"), std::string::npos);
  rig.server(ok(1) + end(1) + ok(1) + ok(1) + ok(1) + ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 1")));
  EXPECT_EQ(rig.backend.session.schema, "shop");
}

TEST(MysqlConversation, AFailedReplayClosesBeforeTheStatementRuns) {
  Rig rig;
  rig.backend.session.variables = {{"sql_mode", "ANSI"}};
  rig.client(query("select 1"));
  rig.server(err(1, 1227));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_lost);
  EXPECT_EQ(rig.wire.to_backend().find("select 1"), std::string::npos);
}

TEST(MysqlConversation, InsertIdTravelsWithTheClient) {
  Rig rig;
  rig.client(query("insert into t values ()"));
  rig.server(ok(1, {.insert_id = 42}));
  rig.backend.session.last_insert_id = 99;  // somebody else was here
  rig.client(query("select last_insert_id()"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SET @@session.last_insert_id=42")));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select last_insert_id()")));
}

TEST(MysqlConversation, DiagnosticsOfOthersAreClearedFirst) {
  Rig rig;
  rig.client(query("show warnings"));
  EXPECT_EQ(rig.wire.to_backend(), query("SET @@session.last_insert_id=0"));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("show warnings")));
}

TEST(MysqlConversation, UnexplainedStatePins) {
  Rig rig;
  rig.client(query("call p()"));
  rig.server(ok(1, {.changes = state_changed()}));
  EXPECT_EQ(rig.pin(), "session_state");
  EXPECT_EQ(rig.releases(), 0u);
  rig.client(command(com::reset_connection));
  EXPECT_TRUE(rig.wire.to_backend().find(command(com::reset_connection)) != std::string::npos);
  rig.server(ok(1) + end(1) + ok(1) + ok(1));
  EXPECT_TRUE(rig.wire.to_client().ends_with(ok(1)));
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlConversation, ACollationTheTrackerHidesIsAskedFor) {
  Rig rig;
  rig.client(query("set names utf8mb4 collate utf8mb4_bin"));
  rig.server(ok(1, {.changes = variable("character_set_connection", "utf8mb4")}));
  EXPECT_EQ(rig.releases(), 0u);
  EXPECT_NE(rig.wire.to_backend().find("@@session.collation_connection=@@"), std::string::npos);
  rig.server(ok(1, {.changes = variable("collation_connection", "utf8mb4_bin")}));
  EXPECT_EQ(rig.releases(), 1u);
  rig.backend.session.variables.clear();
  rig.client(query("select 1"));
  EXPECT_TRUE(rig.wire.to_backend().find("collation_connection='utf8mb4_bin'") !=
              std::string::npos);
}

TEST(MysqlConversation, ASchemaThatNoCommandUnsetsPins) {
  ConversationStart without = start();
  without.schema.clear();
  Rig rig(without, "");
  rig.client(command(com::init_db, "shop"));
  rig.server(ok(1, {.changes = schema("shop") + state_changed()}));
  EXPECT_EQ(rig.pin(), "schema");
  EXPECT_EQ(rig.releases(), 0u);
}

TEST(MysqlConversation, LongTextIsScannedOnItsWay) {
  Rig rig;
  const std::string sql = "select '" + std::string(40000, 'x') + "', get_lock('a', 1)";
  rig.client(query(sql));
  EXPECT_EQ(rig.wire.to_backend(), query(sql));
  rig.server(rows_reply());
  EXPECT_EQ(rig.pin(), "named_lock");
}

TEST(MysqlConversation, TextOfSixteenMegabytesGoesOnInTheNextPacket) {
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

TEST(MysqlConversation, AnAnswerBeforeTheQuestionIsOutEndsTheSession) {
  Rig rig;
  const std::string half = query(std::string(50000, ' ')).substr(0, 20000);
  rig.client(half);
  rig.server(err(1, 1153));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_lost);
}

TEST(MysqlConversation, EveryStepAnsweredWithGarbageEndsInAFault) {
  for (const std::uint8_t byte :
       {com::init_db, com::query, com::field_list, com::set_option, com::stmt_prepare}) {
    Rig rig;
    rig.client(command(byte, "x"));
    rig.server(packet(9, "zzz"));
    EXPECT_EQ(rig.wire.fault(), Fault::backend_violation) << int{byte};
  }
}

}  // namespace
}  // namespace weirpool::test::mysql
