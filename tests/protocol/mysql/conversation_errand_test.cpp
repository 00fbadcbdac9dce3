// What is told to a backend before a client's statement: only where it differs.
#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

TEST(MysqlConversationErrand, SettingsAreReplayedOnlyWhereTheyDiffer) {
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
  EXPECT_EQ(rig.wire.to_backend().substr(before), query("SET @@session.time_zone='+01:00'"));
  const std::size_t heard = rig.wire.to_client().size();
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 2")));
  EXPECT_EQ(rig.wire.to_client().size(), heard) << "replies to the replay are swallowed";
}

TEST(MysqlConversationErrand, InsertIdTravelsWithTheClient) {
  Rig rig;
  rig.client(query("insert into t values ()"));
  rig.server(ok(1, {.insert_id = 42}));
  rig.backend.session.last_insert_id = 99;  // somebody else was here
  rig.client(query("select last_insert_id() + 1"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SET @@session.last_insert_id=42")));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select last_insert_id() + 1")));
}

std::string last_id(std::string_view id) {
  return count(1, 1) + definition(2) + row(3, id) + end(4);
}

TEST(MysqlConversationErrand, AnInsertIdThatNoReplyTellsIsAskedForBeforeRelease) {
  for (const char* sql : {"insert into t values (9)", "select last_insert_id(9)",
                          "insert into t values () returning id"}) {
    Rig rig;
    rig.client(query(sql));
    const bool rows = std::string_view(sql).find("last_insert_id") != std::string_view::npos ||
                      std::string_view(sql).find("returning") != std::string_view::npos;
    const bool insert = !rows && sql[0] == 'i';
    rig.server(rows ? rows_reply() : ok(1, {.insert_id = insert ? 9U : 0U}));
    EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SELECT LAST_INSERT_ID()"))) << sql;
    EXPECT_EQ(rig.releases(), 0u);
    const std::string heard = rig.wire.to_client();
    rig.server(last_id("12"));
    EXPECT_EQ(rig.releases(), 1u) << sql;
    EXPECT_EQ(rig.wire.to_client(), heard) << "the client hears nothing of it";
    rig.backend.session.last_insert_id = 99;  // somebody else was here
    rig.client(query("select last_insert_id()"));
    EXPECT_NE(rig.wire.to_client().find(row(3, "12")), std::string::npos) << sql;
    EXPECT_EQ(rig.leases(), 1u);
  }
}

TEST(MysqlConversationErrand, ADoubtfulInsertIdIsAskedForOnceBehindTheTransaction) {
  Rig rig;
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  for (int i = 0; i < 3; ++i) {
    rig.client(query("insert into t select * from u"));
    rig.server(ok(1, {.status = 3, .insert_id = 9}));
  }
  EXPECT_EQ(rig.wire.to_backend().find("LAST_INSERT_ID"), std::string::npos);
  rig.client(query("commit"));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("commit") + query("SELECT LAST_INSERT_ID()")));
  rig.client(query("select last_insert_id()"));
  EXPECT_EQ(rig.wire.unread(Party::client), query("select last_insert_id()")) << "it waits";
  rig.server(last_id("0"));
  EXPECT_NE(rig.wire.to_client().find(row(3, "0")), std::string::npos);
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlConversationErrand, BehindAnIdThatWasGivenAnotherClientsIsNotRead) {
  Rig rig;
  rig.backend.session.last_insert_id = 77;  // somebody else was here
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  rig.client(query("insert into t values (9)"));
  rig.server(ok(1, {.status = 3, .insert_id = 9}));
  rig.client(query("select last_insert_id() + 0"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SELECT LAST_INSERT_ID()")));
  rig.server(last_id("77"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SET @@session.last_insert_id=0")));
  rig.server(ok(1, {.status = 3}));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select last_insert_id() + 0")));
}

TEST(MysqlConversationErrand, AnInsertIdThatNobodyTellsPins) {
  Rig rig;
  rig.client(query("insert into t values (9)"));
  rig.server(ok(1, {.insert_id = 9}));
  rig.server(err(1));
  EXPECT_EQ(rig.releases(), 0u);
  EXPECT_EQ(rig.pin(), "last_insert_id");
}

TEST(MysqlConversationErrand, DiagnosticsOfOthersAreClearedFirst) {
  Rig rig;
  rig.client(query("show warnings"));
  EXPECT_EQ(rig.wire.to_backend(), query("SET @@session.last_insert_id=0"));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("show warnings")));
}

TEST(MysqlConversationErrand, UnexplainedStatePins) {
  Rig rig;
  rig.client(query("call p()"));
  rig.server(ok(1, {.changes = state_changed()}));
  EXPECT_EQ(rig.pin(), "routine");
  rig.server(err(1, 1305));  // what it was: not for this user to see
  EXPECT_EQ(rig.releases(), 0u);
  rig.client(command(com::reset_connection));
  EXPECT_TRUE(rig.wire.to_backend().find(command(com::reset_connection)) != std::string::npos);
  rig.server(ok(1) + end(1) + ok(1) + ok(1));
  EXPECT_TRUE(rig.wire.to_client().ends_with(ok(1)));
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlConversationErrand, ACollationTheTrackerHidesIsAskedFor) {
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

TEST(MysqlConversationErrand, ASchemaThatNoCommandUnsetsPins) {
  ConversationStart without = start();
  without.schema.clear();
  Rig rig(without, "");
  rig.client(command(com::init_db, "shop"));
  rig.server(ok(1, {.changes = schema("shop") + state_changed()}));
  EXPECT_EQ(rig.pin(), "schema");
  EXPECT_EQ(rig.releases(), 0u);
}

TEST(MysqlConversationErrand, AForeignSettingIsUndoneByASet) {
  Rig rig;
  rig.backend.session.variables = {{"sql_mode", "ANSI"}};
  rig.backend.session.schema = "other";
  rig.client(query("select 1"));
  EXPECT_EQ(rig.wire.to_backend(),
            command(com::init_db, "shop") + query("SET @@session.sql_mode=DEFAULT"));
  rig.server(ok(1) + ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 1")));
  EXPECT_EQ(rig.backend.session.schema, "shop");
}

TEST(MysqlConversationErrand, WhatASetCannotUndoAResetCan) {
  Rig rig;
  rig.backend.session.variables = {{"odd", "1"}};
  rig.client(query("select 1"));
  rig.server(err(1, 1231));
  EXPECT_NE(rig.wire.to_backend().find(command(com::reset_connection)), std::string::npos);
  EXPECT_EQ(rig.wire.to_backend().find("select 1"), std::string::npos);
  rig.server(ok(1) + end(1) + ok(1) + ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 1")));
}

TEST(MysqlConversationErrand, AReplayThatFailsTwiceClosesBeforeTheStatementRuns) {
  Rig rig;
  rig.client(query("set time_zone='x'"));
  rig.server(ok(1, {.changes = variable("time_zone", "x")}));
  rig.backend.session.variables.clear();
  rig.client(query("select 1"));
  rig.server(err(1, 1298));
  EXPECT_FALSE(rig.wire.ended());
  rig.server(ok(1) + end(1) + ok(1) + ok(1) + err(1, 1298));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_lost);
  EXPECT_EQ(rig.wire.to_backend().find("select 1"), std::string::npos);
}

TEST(MysqlConversationErrand, UserVariablesTravelWithTheClient) {
  Rig rig;
  rig.client(query("set @a = 'x', @B := 5"));
  rig.server(ok(1, {.changes = state_changed()}));
  EXPECT_EQ(rig.releases(), 1u);
  const std::size_t before = rig.wire.to_backend().size();
  rig.client(query("select @a"));
  EXPECT_EQ(rig.wire.to_backend().substr(before), query("select @a")) << "they are still there";
  rig.server(rows_reply());
  rig.backend.session.variables = {{"@c", "1"}};
  const std::size_t later = rig.wire.to_backend().size();
  rig.client(query("select @a"));
  EXPECT_EQ(rig.wire.to_backend().substr(later), query("SET @a='x',@b=5,@c=x'',@c=NULL"));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select @a")));
}

TEST(MysqlConversationErrand, WarningsAreAskedForAndToldLater) {
  const std::string shown = count(1, 1) + definition(2) + row(3, "Warning") + end(4);
  Rig rig;
  rig.client(query("insert ignore into t values (1)"));
  rig.server(ok(1, {.warnings = 1}));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SHOW WARNINGS")));
  EXPECT_EQ(rig.releases(), 0u);
  rig.server(shown);
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_EQ(rig.wire.to_client(), ok(1, {.warnings = 1}));
  rig.client(query("show warnings") + query("select @@warning_count") + query("show warnings"));
  EXPECT_EQ(rig.leases(), 1u);
  EXPECT_TRUE(rig.wire.to_client().ends_with(shown));
  rig.client(query("select 2"));
  rig.server(rows_reply());
  rig.client(query("show warnings"));
  EXPECT_EQ(rig.leases(), 3u) << "another statement has cleared them";
  Rig old(start(kOldEof));
  old.client(query("nonsense"));
  old.server(err(1) + shown);
  old.client(query("show warnings"));
  EXPECT_EQ(old.wire.to_client(),
            err(1) + count(1, 1) + definition(2) + eof(3) + row(4, "Warning") + eof(5));
}

TEST(MysqlConversationErrand, PartsOfThemAreToldToo) {
  const std::string head = count(1, 3) + definition(2) + definition(3) + definition(4);
  const auto diagnostic = [](unsigned sequence, std::string_view level) {
    return packet(sequence, lenenc(level) + lenenc("5") + lenenc("why"));
  };
  Rig rig;
  rig.client(command(com::stmt_prepare, "show errors"));
  rig.server(packet(1, std::string("\0\x37\0\0\0\0\0\0\0\0\0\0", 12)));
  rig.client(query("insert ignore into t values (1)"));
  rig.server(ok(1, {.warnings = 2}));
  rig.server(head + diagnostic(5, "Warning") + diagnostic(6, "Error") + end(7));
  const std::size_t leases = rig.leases();
  std::size_t heard = rig.wire.to_client().size();
  const auto says = [&](const std::string& command) {
    rig.client(command);
    const std::string all = rig.wire.to_client();
    return all.substr(std::exchange(heard, all.size()));
  };
  EXPECT_EQ(says(query("show errors")), head + diagnostic(5, "Error") + end(6));
  EXPECT_EQ(says(query("show warnings limit 1")), head + diagnostic(5, "Warning") + end(6));
  EXPECT_TRUE(says(query("show count(*) warnings")).ends_with(row(3, "2") + end(4)));
  EXPECT_TRUE(says(query("show count(*) errors")).ends_with(row(3, "0") + end(4)));
  EXPECT_TRUE(says(query("select @@warning_count")).ends_with(row(3, "2") + end(4)));
  EXPECT_EQ(says(command(com::stmt_execute, std::string("\1\0\0\0\0\1\0\0\0", 9))),
            head + packet(5, std::string("\0\0\5Error\5\0\0\0\3why", 16)) + end(6));
  EXPECT_EQ(rig.leases(), leases);
}

TEST(MysqlConversationErrand, WarningsThatWereNotToldAreNotSaidToBeNone) {
  Rig rig;
  rig.client(query("nonsense"));
  rig.server(err(1) + err(1));
  EXPECT_EQ(rig.releases(), 1u);
  rig.client(query("show warnings limit 1") + query("select @@warning_count"));
  EXPECT_EQ(rig.leases(), 1u);
  EXPECT_NE(rig.wire.to_client().find("went with its database connection"), std::string::npos);
  rig.client(command(com::reset_connection) + query("show warnings"));
  EXPECT_EQ(rig.leases(), 2u) << "a reset forgets that there were any";
}

TEST(MysqlConversationErrand, WarningsInATransactionAreTheBackends) {
  Rig rig;
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  rig.client(query("select 1"));
  rig.server(ok(1, {.status = 3, .warnings = 2}));
  rig.client(query("show warnings"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 1") + query("show warnings")));
}

TEST(MysqlConversationErrand, ALostBackendOfOurOwnQuestionIsNoLossOfTheClients) {
  Rig rig;
  rig.client(query("nonsense"));
  rig.server(err(1, 1053));
  EXPECT_EQ(rig.conversation.backend_lost(false).kind, Kind::hold);
}

TEST(MysqlConversationErrand, WhatTheLastStatementDidIsKnown) {
  Rig rig;
  const auto last = [&](const std::string& sql) {
    const std::size_t before = rig.wire.to_client().size();
    const std::size_t leases = rig.leases();
    rig.client(query(sql));
    EXPECT_EQ(rig.leases(), leases) << sql;
    const std::string answer = rig.wire.to_client().substr(before);
    const std::size_t at = answer.size() - end(1).size();
    return answer.substr(0, at).substr(answer.substr(0, at).find_last_of("\1\2\3\4") + 1);
  };
  rig.client(query("insert into t values ()"));
  rig.server(ok(1, {.insert_id = 42}));
  EXPECT_EQ(last("select last_insert_id()"), "42");
  EXPECT_EQ(last("select row_count()"), "-1") << "that was a query";
  EXPECT_EQ(last("select found_rows()"), "1");
  rig.client(query("select 1"));
  rig.server(rows_reply());
  EXPECT_EQ(last("select found_rows() as n"), "2");
  rig.client(query("nonsense"));
  rig.server(err(1) + no_warnings());
  EXPECT_EQ(last("select @@error_count"), "1");
  rig.client(query("set autocommit=0"));
  rig.server(ok(1, {.status = 0, .changes = variable("autocommit", "OFF") + state_changed()}));
  EXPECT_EQ(last("select found_rows()"), "1");
  rig.client(query("commit"));
  EXPECT_EQ(last("select row_count()"), "0") << "the end of no transaction does nothing";
}

TEST(MysqlConversationErrand, WhatLimitHasCutOffIsThereForTheNextStatementOnly) {
  Rig rig;
  rig.client(query("select sql_calc_found_rows 1 limit 1"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.pin(), "found_rows");
  rig.client(query("select found_rows()"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select found_rows()")));
  rig.server(rows_reply());
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlConversationErrand, PinsEndWithWhatTheyAreFor) {
  const auto pins_between = [](const std::string& take, const std::string& give,
                               const std::string& pin) {
    Rig rig;
    rig.client(query(take));
    rig.server(ok(1, {.changes = state_changed()}));
    if (pin == "named_lock") rig.server(count(1, 1) + definition(2) + row(3, "1") + end(4));
    EXPECT_EQ(rig.pin(), pin) << take;
    rig.client(query(give));
    rig.server(ok(1, {.changes = state_changed()}));
    EXPECT_EQ(rig.releases(), 1u) << give;
    return rig.resets;
  };
  EXPECT_EQ(pins_between("create temporary table t (i int)", "drop table t", "temporary_table"), 1u)
      << "a reset makes sure";
  EXPECT_EQ(pins_between("prepare p from 'select 1'", "deallocate prepare p", "sql_prepare"), 1u);
  EXPECT_EQ(pins_between("flush tables with read lock", "unlock tables", "lock_tables"), 0u);
  EXPECT_EQ(pins_between("select get_lock('a', 1)", "do release_all_locks()", "named_lock"), 0u);
}

TEST(MysqlConversationErrand, LocksOfTheServiceAreNotAmongAllLocks) {
  Rig rig;
  rig.client(query("select service_get_write_locks('space', 'a', 1)"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.pin(), "service_lock");
  rig.client(query("select release_all_locks()"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.pin(), "service_lock");
  EXPECT_EQ(rig.releases(), 0u);
}

TEST(MysqlConversationErrand, WhetherALockIsHeldIsAskedOfTheServer) {
  Rig rig;
  std::size_t asked = 0;
  const auto say = [&](const char* sql, const char* held) {
    rig.client(query(sql));
    rig.server(rows_reply());
    const std::string& told = rig.wire.to_backend();
    asked = told.find("IS_USED_LOCK('a')=CONNECTION_ID()", asked + 1);
    EXPECT_NE(asked, std::string::npos) << sql;
    rig.server(count(1, 1) + definition(2) + row(3, held) + end(4));
  };
  say("select get_lock('a', 1)", "1");
  EXPECT_EQ(rig.pin(), "named_lock");
  say("select release_lock('a')", "1");
  EXPECT_EQ(rig.releases(), 0u);
  say("select release_lock('a')", "0");
  EXPECT_EQ(rig.releases(), 1u);
  say("select get_lock(\"a\", 0)", "0");
  EXPECT_EQ(rig.releases(), 2u) << "somebody else has it";
  rig.client(query("select get_lock('a', 1)"));
  rig.server(err(1, 1317) + no_warnings());
  EXPECT_EQ(rig.releases(), 3u) << "nothing to ask about";
}

TEST(MysqlConversationErrand, WhoComesBehindASetGlobalGetsASessionThatKnowsIt) {
  Rig rig;
  rig.client(query("set time_zone='+01:00'"));
  rig.server(ok(1, {.changes = variable("time_zone", "+01:00") + state_changed()}));
  rig.client(query("set global sort_buffer_size = 65536"));
  rig.server(ok(1));
  const std::size_t before = rig.wire.to_backend().size();
  rig.client(query("select 1"));
  const std::string told = rig.wire.to_backend().substr(before);
  EXPECT_TRUE(told.starts_with(command(com::reset_connection)));
  EXPECT_TRUE(told.ends_with(query("SET @@session.time_zone='+01:00'")));
  rig.server(ok(1) + end(1) + ok(1) + ok(1) + ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 1")));
  rig.server(rows_reply());
  const std::size_t again = rig.wire.to_backend().size();
  rig.client(query("select 2"));
  EXPECT_EQ(rig.wire.to_backend().substr(again), query("select 2"));
  rig.server(rows_reply());
  rig.client(query("set global sort_buffer_size = 1"));
  rig.server(err(1, 1227) + no_warnings());
  const std::size_t failed = rig.wire.to_backend().size();
  rig.client(query("select 3"));
  EXPECT_EQ(rig.wire.to_backend().substr(failed), query("select 3"));
}

/// MariaDB shows them behind statements that use no table, whoever asks.
TEST(MysqlConversationErrand, WarningsOfOthersAreClearedBeforeAnythingElse) {
  const std::string clears = query("DO (SELECT 1 FROM (SELECT 1) AS weirpool)");
  for (const bool mariadb : {true, false}) {
    for (const std::string& reply : {ok(1, {.warnings = 1}), err(1)}) {
      Rig rig(start(kModern, mariadb ? "10.11.9-MariaDB" : "9.7.0"));
      rig.client(query("do cast('x' as signed)"));
      rig.server(reply);
      rig.server(no_warnings());
      EXPECT_EQ(rig.releases(), 1u);
      const std::size_t before = rig.wire.to_backend().size();
      rig.client(query("begin"));
      EXPECT_EQ(rig.wire.to_backend().substr(before), mariadb ? clears : query("begin"));
      if (mariadb) rig.server(ok(1));
      EXPECT_TRUE(rig.wire.to_backend().ends_with(query("begin")));
      rig.server(ok(1));
      const std::size_t again = rig.wire.to_backend().size();
      rig.client(query("select 1"));
      EXPECT_EQ(rig.wire.to_backend().substr(again), query("select 1")) << "once";
    }
  }
}

TEST(MysqlConversationErrand, WarningsThatAreTooManyStayWhereTheyAre) {
  Rig rig;
  rig.client(query("insert ignore into t select 1"));
  rig.server(ok(1, {.warnings = 3}));
  const std::string big(kMaxRecording / 2, 'x');
  rig.server(count(1, 1) + definition(2) + row(3, big) + row(4, big) + row(5, big) + end(6));
  EXPECT_EQ(rig.releases(), 0u);
  EXPECT_EQ(rig.pin(), "diagnostics");
  for (const char* sql : {"show warnings limit 1", "show warnings"}) {
    rig.client(query(sql));
    EXPECT_TRUE(rig.wire.to_backend().ends_with(query(sql)));
    rig.server(rows_reply());
    EXPECT_EQ(rig.pin(), "diagnostics");
  }
  rig.client(query("select 1"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlConversationErrand, WhatIsCountedIsStillTheClientsOwnBehindAQuestion) {
  Rig rig;
  rig.client(query("insert ignore into t select 1"));
  rig.server(ok(1, {.warnings = 3}));
  const std::string big(kMaxRecording, 'x');
  rig.server(count(1, 1) + definition(2) + row(3, big) + end(4));
  EXPECT_EQ(rig.pin(), "diagnostics");
  rig.client(query("select @@warning_count"));
  EXPECT_TRUE(rig.wire.to_client().ends_with(row(3, "3") + end(4)));
}

}  // namespace
}  // namespace weirpool::test::mysql
