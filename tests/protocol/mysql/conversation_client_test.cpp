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
  rig.client(packet(0, "") + command(0x77) + command(com::stmt_execute, "\1\0") +
             command(com::stmt_execute, std::string("\7\0\0\0....", 8)) +
             command(com::stmt_close, std::string("\7\0\0\0", 4)) + command(com::ping));
  const std::string& heard = rig.wire.to_client();
  EXPECT_EQ(heard.find("Unknown command"), 13u);
  EXPECT_NE(heard.find("Unknown prepared statement"), std::string::npos);
  EXPECT_TRUE(heard.ends_with(ok(1)));
  EXPECT_EQ(rig.leases(), 0u);
  EXPECT_FALSE(rig.wire.ended());
}

TEST(MysqlConversationClient, ChangeUserIsALoginThatReadsTheCommandItself) {
  Rig rig;
  rig.client(query("select @a := 1"));
  rig.server(rows_reply());
  const std::string bytes = command(com::change_user, std::string("bob\0\0", 5));
  rig.client(bytes);
  EXPECT_EQ(rig.wire.count(Kind::log_in), 1u);
  EXPECT_EQ(rig.wire.unread(Party::client), bytes);
  EXPECT_TRUE(rig.conversation.needs_reset());
  EXPECT_NE(rig.conversation.take_login(), nullptr);
}

TEST(MysqlConversationClient, OptionsFollowTheClient) {
  Rig rig;
  const std::string on = command(com::set_option, std::string(2, '\0'));
  rig.client(on);
  EXPECT_EQ(rig.wire.to_backend(), on);
  rig.server(end(1));
  EXPECT_EQ(rig.releases(), 1u) << "no pin: it can be replayed";
  rig.backend.session.multi_statements = false;  // another backend
  const std::size_t before = rig.wire.to_backend().size();
  rig.client(query("select 1; select 2"));
  EXPECT_TRUE(rig.wire.to_backend().substr(before).starts_with(on));
  Rig denied;
  denied.client(on);
  denied.server(err(1));
  denied.client(query("select 1"));
  EXPECT_TRUE(denied.wire.to_backend().ends_with(query("select 1")));
  EXPECT_EQ(denied.wire.to_backend().size(), on.size() + query("select 1").size());
}

const std::string kLoad = "load data local infile 'f' into table t";
const std::string kAsked = packet(1,
                                  "\xFB"
                                  "f");
constexpr std::uint64_t kFiles = kModern | cap::local_files;

TEST(MysqlConversationClient, AFileIsSentToWhoAskedForIt) {
  for (const bool old : {false, true}) {
    Rig rig(start(old ? kOldEof | cap::local_files : kFiles));
    // Behind a result, an old client's ids run ahead by the EOF put in.
    const std::string first = count(1, 1) + definition(2) + row(3) + end(4, {.status = 10});
    const unsigned ahead = old ? 1 : 0;
    rig.client(query("select 1; " + kLoad));
    rig.server(first + packet(5,
                              "\xFB"
                              "f"));
    EXPECT_TRUE(rig.wire.to_client().ends_with(packet(5 + ahead,
                                                      "\xFB"
                                                      "f")));
    const std::size_t before = rig.wire.to_backend().size();
    const std::string looks_like_quit = packet(6 + ahead, "\1") + packet(7 + ahead, "");
    for (const char c : looks_like_quit) rig.client(std::string(1, c));
    EXPECT_EQ(rig.wire.to_backend().substr(before), packet(6, "\1") + packet(7, ""));
    EXPECT_FALSE(rig.conversation.at_boundary());
    rig.server(ok(8, {.info = "Records"}));
    EXPECT_TRUE(rig.wire.to_client().ends_with(ok(8 + ahead, {.info = "Records"})));
    EXPECT_EQ(rig.releases(), 1u);
    EXPECT_EQ(rig.wire.breach(), "");
  }
}

TEST(MysqlConversationClient, AFullPacketOfAFileHasARestThatIsNotItsEnd) {
  Rig rig(start(kFiles));
  rig.client(query(kLoad));
  rig.server(kAsked);
  rig.client(packet(2, std::string(kMaxPayload, 'x')) + packet(3, ""));
  rig.server("");
  EXPECT_FALSE(rig.conversation.at_boundary());
  rig.client(packet(4, ""));
  rig.server(ok(5));
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlConversationClient, AFileOutOfOrderIsAViolationUnlessCompressionCounts) {
  for (const bool compressed : {false, true}) {
    Rig rig(start(compressed ? kFiles | cap::compress : kFiles));
    rig.client(query(kLoad));
    rig.server(kAsked);
    const std::size_t before = rig.wire.to_backend().size();
    rig.client(packet(9, "data") + packet(0, ""));
    EXPECT_EQ(rig.wire.fault(), compressed ? Fault::none : Fault::protocol_violation);
    const std::string told = rig.wire.to_backend().substr(before);
    EXPECT_EQ(told, compressed ? packet(2, "data") + packet(3, "") : "");
  }
}

TEST(MysqlConversationClient, APreparedLoadMayAskToo) {
  Rig rig(start(kFiles));
  rig.client(command(com::stmt_prepare, kLoad));
  rig.server(packet(1, std::string("\0\1\0\0\0\0\0\0\0\0\0\0", 12)));
  rig.client(command(com::stmt_execute, std::string("\1\0\0\0\0\1\0\0\0", 9)));
  rig.server(kAsked);
  EXPECT_TRUE(rig.wire.to_client().ends_with(kAsked));
  rig.client(packet(2, ""));
  rig.server(ok(3));
  rig.client(command(com::init_db, "x"));
  rig.server(kAsked);
  EXPECT_EQ(rig.wire.fault(), Fault::backend_violation);
}

TEST(MysqlConversationClient, NobodyElseIsAskedForAFile) {
  for (const std::string& sql : {std::string("select 1"), std::string("select 'load data local'"),
                                 std::string("load data infile 'f' into table t")}) {
    Rig rig(start(kFiles));
    rig.client(query(sql));
    rig.server(kAsked);
    EXPECT_EQ(rig.wire.fault(), Fault::backend_violation) << sql;
    EXPECT_EQ(rig.wire.to_client(), "");
  }
  Rig unable;
  unable.client(query(kLoad));
  unable.server(kAsked);
  EXPECT_EQ(unable.wire.fault(), Fault::backend_violation);
}

TEST(MysqlConversationClient, AnErrorInTheMiddleOfAQuestionIsItsAnswer) {
  Rig rig;
  const std::string large = query("select '" + std::string(100000, 'x') + "'");
  rig.client(large.substr(0, 50000));
  rig.server(err(1, 1153, "#08S01Got a packet bigger"));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_lost);
  Writer out;
  rig.conversation.write_fault(Fault::backend_lost, "", out);
  EXPECT_EQ(text_of(out), err(1, 1153, "#08S01Got a packet bigger"));
}

TEST(MysqlConversationClient, SqlIsReadBehindItsAttributes) {
  const auto with_attributes = [](std::string_view attributes, std::string_view sql) {
    return query(std::string(attributes).append(sql));
  };
  const std::string none("\0\1", 2);
  const std::string one = std::string("\1\1\0\1\xFD\0\1n\2'\"", 11);
  for (const std::string& attributes : {none, one}) {
    Rig rig(start(kModern | cap::query_attributes));
    const std::string asked = with_attributes(attributes, "create temporary table t (n int)");
    rig.client(asked);
    rig.server(ok(1));
    EXPECT_EQ(rig.wire.to_backend(), asked);
    EXPECT_EQ(rig.pin(), "temporary_table");
    Rig plain(start(kModern | cap::query_attributes));
    plain.client(with_attributes(attributes, "select 1"));
    plain.server(ok(1));
    EXPECT_EQ(plain.releases(), 1u);
  }
  Rig broken(start(kModern | cap::query_attributes));
  broken.client(with_attributes("\x09\1'", "lock tables t write"));
  broken.server(ok(1));
  EXPECT_NE(broken.pin(), "") << "whatever the quote is";
}

TEST(MysqlConversationClient, OwnQueriesHaveAttributesWhereTheConnectionWantsThem) {
  Rig rig(start(kModern | cap::query_attributes));
  rig.backend.session.variables = {{"sql_mode", "ANSI"}};
  rig.client(query(std::string("\0\1select 1", 10)));
  EXPECT_NE(rig.wire.to_backend().find(std::string("\3\0\1SET ", 7)), std::string::npos);
}

TEST(MysqlConversationClient, AReplicaKeepsItsBackendForItself) {
  Rig rig;
  rig.client(command(com::register_slave, "id"));
  rig.server(ok(1));
  EXPECT_EQ(rig.releases(), 0u);
  EXPECT_EQ(rig.pin(), "replication");
  EXPECT_FALSE(rig.conversation.at_boundary()) << "so it is closed, not lent";
  const std::string dump = command(com::binlog_dump, "from here");
  rig.client(dump);
  const std::size_t before = rig.wire.to_client().size();
  const std::string events = packet(1, std::string("\0event", 6)) + packet(2, std::string("\0", 1));
  const std::string restart = packet(1, std::string("\0\xEF\1", 3));
  for (const char c : events) rig.server(std::string(1, c));
  rig.client(packet(0,
                    "\xEF"
                    "ack"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(packet(0,
                                                     "\xEF"
                                                     "ack")));
  rig.server(restart);
  // The end of a log that is not waited at, and another one.
  rig.server(eof(2));
  EXPECT_EQ(rig.wire.to_client().substr(before), events + restart + eof(2));
  rig.client(dump);
  EXPECT_TRUE(rig.wire.to_backend().ends_with(dump));
  rig.server(packet(1, std::string("\0event", 6)));
  EXPECT_FALSE(rig.conversation.at_boundary());
  rig.client(command(com::quit));
  EXPECT_EQ(rig.wire.count(Kind::done), 1u);
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlConversationClient, AShortWaitTimeoutActsHereAndStaysOnNoBackend) {
  Rig rig;
  rig.client(query("set wait_timeout = 5"));
  rig.server(ok(1, {.changes = variable("wait_timeout", "5")}));
  EXPECT_EQ(rig.conversation.idle_limit_seconds(), 5u);
  const std::string undo = query("SET @@session.wait_timeout=DEFAULT");
  EXPECT_EQ(rig.releases(), 0u);
  EXPECT_TRUE(rig.conversation.needs_reset()) << "should the client go now";
  EXPECT_TRUE(rig.wire.to_backend().ends_with(undo));
  rig.server(ok(1, {.changes = variable("wait_timeout", "28800")}));
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_FALSE(rig.reset_on_release) << "prepared statements stay";
  rig.client(query("select 1"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SET @@session.wait_timeout=5")));
  rig.server(ok(1));
  rig.server(rows_reply());
  EXPECT_TRUE(rig.wire.to_backend().ends_with(undo));
  rig.server(err(1));
  EXPECT_EQ(rig.releases(), 2u);
  EXPECT_TRUE(rig.reset_on_release) << "what cannot be undone is reset";
  Rig patient;
  patient.client(query("set wait_timeout = 2147483"));
  patient.server(ok(1, {.changes = variable("wait_timeout", "2147483")}));
  EXPECT_EQ(patient.conversation.idle_limit_seconds(), 2147483u);
  EXPECT_FALSE(patient.reset_on_release) << "frameworks set that everywhere";
}

TEST(MysqlConversationClient, WrongSequenceEndsTheSession) {
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

TEST(MysqlConversationClient, QuotesAreTheServersOwnUntilTheClientSetsThem) {
  ConversationStart from = start();
  auto server = std::make_shared<Facts>(*from.facts);
  server->ansi_quotes = true;
  from.facts = server;
  Rig rig(from);
  rig.client(query("select \"get_lock\"('a', 1)"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.pin(), "named_lock");
  Rig set(from);
  set.client(query("set sql_mode = ''"));
  set.server(ok(1, {.changes = variable("sql_mode", "")}));
  set.client(query("select \"get_lock\", ('a')"));
  set.server(rows_reply());
  EXPECT_EQ(set.pin(), "");
}

/// After a SET GLOBAL sql_mode; the client was there before.
TEST(MysqlConversationClient, QuotesAreThoseOfTheBackendThatReadsThem) {
  Rig rig;
  rig.client(query("select \"get_lock\", ('a', 1)"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.pin(), "");
  const std::string sql = "select \"get_lock\"('a', 1)";
  rig.backend.defaults = 7;  // it logged in under others: it is reset
  rig.client(query(sql));
  EXPECT_TRUE(rig.wire.to_backend().find(command(com::reset_connection)) != std::string::npos);
  rig.server(ok(1) + ok(1) + ok(1) +
             ok(1, {.changes = variable("sql_mode", "ANSI_QUOTES,STRICT_TRANS_TABLES")}));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query(sql)));
  rig.server(rows_reply());
  EXPECT_EQ(rig.pin(), "named_lock");
  Rig escapes;
  escapes.backend.status = status::autocommit | status::no_backslash_escapes;
  escapes.client(query("select 'x\\', get_lock('a', 1), '"));
  escapes.server(rows_reply());
  EXPECT_EQ(escapes.pin(), "named_lock");
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

TEST(MysqlConversationClient, KillIsAskedForAndAnswered) {
  const auto answer = [](const std::string& asked, std::uint32_t id, bool whole,
                         KillResult result) {
    Rig rig;
    rig.kill_result = result;
    rig.client(asked);
    EXPECT_EQ(rig.conversation.kill_request().id, id);
    EXPECT_EQ(rig.conversation.kill_request().whole_session, whole);
    EXPECT_EQ(rig.wire.count(Kind::kill), 1u);
    EXPECT_EQ(rig.leases(), 0u);
    return rig.wire.to_client();
  };
  EXPECT_EQ(answer(query("kill query 5"), 5, false, KillResult::done), ok(1));
  EXPECT_EQ(answer(query("kill 5"), 5, true, KillResult::unknown),
            err(1, 1094, "#HY000Unknown thread id: 5"));
  EXPECT_EQ(answer(query("kill 5"), 5, true, KillResult::not_owner),
            err(1, 1095, "#HY000You are not owner of thread 5"));
  EXPECT_EQ(
      answer(command(com::process_kill, std::string("\7\0\0\0", 4)), 7, true, KillResult::done),
      ok(1));
}

TEST(MysqlConversationClient, OtherKillsNeverReachABackend) {
  for (const std::string& asked :
       {query("kill user bob"), query("select 1; kill 5"), command(com::stmt_prepare, "kill ?"),
        query("kill 5" + std::string(40000, ' ')), command(com::process_kill, "x"),
        query("prepare p from 'kill 5'"), query("PREPARE p FROM \"/* x */ KILL QUERY 5\""),
        query("execute immediate 'kill 5'")}) {
    Rig rig;
    rig.client(asked);
    EXPECT_EQ(rig.wire.to_client()[4], '\xFF');
    EXPECT_EQ(rig.wire.to_backend(), "");
    EXPECT_EQ(rig.wire.count(Kind::kill), 0u);
  }
}

TEST(MysqlConversationClient, TextsThatOnlyMentionKillsAreRelayed) {
  for (const std::string& asked : {query("prepare p from 'select * from t where a = \"kill 5\"'"),
                                   query("prepare p from @kill"), query("select 'kill 5'"),
                                   query("execute immediate concat('kill ', 5)")}) {
    Rig rig;
    rig.client(asked);
    EXPECT_EQ(rig.wire.to_backend(), asked);
  }
}

TEST(MysqlConversationClient, TheConnectionIdIsTheGreetings) {
  ConversationStart from = start();
  from.connection_id = 4242;
  Rig rig(from);
  rig.client(query("SELECT CONNECTION_ID()"));
  EXPECT_NE(rig.wire.to_client().find(row(3, "4242")), std::string::npos);
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  rig.client(query("select connection_id() as id"));
  EXPECT_TRUE(rig.wire.to_client().ends_with(row(3, "4242") + end(4, {.status = 3})));
  EXPECT_EQ(rig.wire.to_backend(), query("begin"));
}

TEST(MysqlConversationClient, WhatLooksBackInALargerStatementFailsOnceAndKeepsItsBackendThen) {
  for (const char* sql : {"select row_count() + 1", "insert into log values (found_rows())",
                          "get diagnostics @n = number", "set @a = @@warning_count"}) {
    Rig rig;
    rig.client(query("select 1"));
    rig.server(rows_reply());
    const std::size_t leases = rig.leases();
    rig.client(query(sql));
    EXPECT_NE(rig.wire.to_client().find("#42000ROW_COUNT()"), std::string::npos) << sql;
    EXPECT_EQ(rig.leases(), leases);
    rig.client(query("select 1"));
    rig.server(rows_reply());
    EXPECT_EQ(rig.pin(), "diagnostics");
    rig.client(query(sql));
    EXPECT_TRUE(rig.wire.to_backend().ends_with(query(sql))) << sql;
  }
}

TEST(MysqlConversationClient, WhoHasDoneNothingYetHasNothingToLookBackAt) {
  Rig rig;
  rig.client(query("select row_count() + 1"));
  EXPECT_EQ(rig.wire.to_backend(), query("SET @@session.last_insert_id=0"));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select row_count() + 1")));
}

TEST(MysqlConversationClient, SoDoesAPreparedOne) {
  Rig rig;
  rig.client(command(com::stmt_prepare, "select found_rows(), 1"));
  rig.server(packet(1, std::string("\0\x37\0\0\0\0\0\0\0\0\0\0", 12)));
  rig.client(command(com::stmt_prepare, "select row_count()"));
  rig.server(packet(1, std::string("\0\x38\0\0\0\0\0\0\0\0\0\0", 12)));
  rig.client(query("update t set a = 1"));
  rig.server(ok(1));
  const std::size_t leases = rig.leases();
  rig.client(command(com::stmt_execute, std::string("\2\0\0\0\0\1\0\0\0", 9)));
  EXPECT_TRUE(
      rig.wire.to_client().ends_with(packet(3, std::string("\0\0\0\0\0\0\0\0\0\0", 10)) + end(4)));
  rig.client(command(com::stmt_execute, std::string("\1\0\0\0\0\1\0\0\0", 9)));
  EXPECT_NE(rig.wire.to_client().find("#42000ROW_COUNT()"), std::string::npos);
  EXPECT_EQ(rig.leases(), leases);
}

}  // namespace
}  // namespace weirpool::test::mysql
