// What backends answer, and what it says about transactions.
#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

TEST(MysqlConversationBackend, TransactionKeepsItsBackend) {
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

TEST(MysqlConversationBackend, ErrorOutsideATransactionReleases) {
  Rig rig;
  rig.client(query("nonsense"));
  rig.server(err(1));
  EXPECT_EQ(rig.releases(), 0u) << "first it is asked what SHOW WARNINGS would say";
  rig.server(no_warnings());
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlConversationBackend, ErrorWithoutAutocommitKeepsUntilAStatusTells) {
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

TEST(MysqlConversationBackend, LocalFileRequestIsAViolation) {
  Rig rig;
  rig.client(query("load data local infile 'x' into table t"));
  rig.server(packet(1, "\xFB/etc/passwd"));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_violation);
  EXPECT_EQ(rig.wire.to_client(), "");
}

TEST(MysqlConversationBackend, BytesFromAnIdleBackendMeanItIsLeaving) {
  Rig rig;
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  rig.server(err(0, 4031));
  EXPECT_FALSE(rig.wire.ended());
  rig.client(query("select 1"));
  EXPECT_EQ(rig.wire.unread(Party::client), query("select 1"));
  EXPECT_EQ(rig.conversation.backend_lost(false).kind, Kind::hold);
}

TEST(MysqlConversationBackend, AnAnswerBeforeTheQuestionIsOutEndsTheSession) {
  Rig rig;
  const std::string half = query(std::string(50000, ' ')).substr(0, 20000);
  rig.client(half);
  rig.server(err(1, 1153));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_lost);
}

TEST(MysqlConversationBackend, EveryStepAnsweredWithGarbageEndsInAFault) {
  for (const std::uint8_t byte :
       {com::init_db, com::query, com::field_list, com::set_option, com::stmt_prepare}) {
    Rig rig;
    rig.client(command(byte, "x"));
    rig.server(packet(9, "zzz"));
    EXPECT_EQ(rig.wire.fault(), Fault::backend_violation) << int{byte};
  }
}

/// MariaDB sets back behind its answer, and says so when it is next asked.
TEST(MysqlConversationBackend, WhatIsSetForOneStatementIsNobodys) {
  const std::string asks = query("SET @@session.session_track_schema=ON");
  const auto set = [](std::string_view value) {
    return variable("sort_buffer_size", value) + variable("session_track_schema", "ON") +
           state_changed();
  };
  for (const bool told : {true, false}) {
    Rig rig(start(kModern, "10.11.0-MariaDB"));
    rig.client(query("set statement sort_buffer_size=65536 for select 1"));
    rig.server(count(1, 1) + definition(2) + row(3) + end(4, {.changes = set("65536")}));
    EXPECT_EQ(rig.pin(), "");
    EXPECT_EQ(rig.releases(), 0u);
    EXPECT_TRUE(rig.wire.to_backend().ends_with(asks));
    rig.server(told ? ok(1, {.changes = set("2097152")}) : ok(1));
    EXPECT_EQ(rig.releases(), 1u);
    EXPECT_FALSE(rig.reset_on_release);
    rig.client(query("select 2"));
    const std::string undo = query("SET @@session.sort_buffer_size=DEFAULT");
    EXPECT_EQ(rig.wire.to_backend().ends_with(asks + query("select 2")), told);
    EXPECT_EQ(rig.wire.to_backend().ends_with(undo), !told) << "nobody is to find it";
  }
}

TEST(MysqlConversationBackend, WhatAClientSetsInBetweenStaysItsOwn) {
  Rig rig(start(kModern, "10.11.0-MariaDB"));
  const auto set = [](std::string_view value, std::uint16_t status) {
    return ok(1, {.status = status, .changes = variable("sort_buffer_size", value)});
  };
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  rig.client(query("set statement sort_buffer_size=65536 for do 1"));
  rig.server(set("65536", 3));
  rig.client(query("set sort_buffer_size=98304"));
  rig.server(set("98304", 3));
  rig.client(query("commit"));
  rig.server(ok(1));
  rig.server(set("98304", 2));
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_EQ(*rig.backend.session.find("sort_buffer_size"), "98304");
}

/// The server closes behind its OK: a backend that has said it may be nobody's any more.
TEST(MysqlConversationBackend, BehindACommitReleaseTheClientGoesWithItsBackend) {
  for (const char* sql : {"commit release", "ROLLBACK WORK RELEASE", "select 1; commit release",
                          "/*! commit */ and no chain release"}) {
    Rig rig;
    rig.client(query("begin"));
    rig.server(ok(1, {.status = 3}));
    rig.client(query(sql));
    rig.server(ok(1));
    EXPECT_EQ(rig.wire.to_client(), ok(1, {.status = 3}) + ok(1)) << sql;
    EXPECT_EQ(rig.releases(), 0U) << sql;
    EXPECT_TRUE(rig.wire.to_backend().ends_with(command(com::ping))) << sql;
    EXPECT_FALSE(rig.conversation.at_boundary());
    const Verdict lost = rig.conversation.backend_lost(false);
    EXPECT_EQ(lost.kind, Kind::close);
    EXPECT_EQ(lost.fault, Fault::none);
  }
  Rig told;
  told.client(query("commit release"));
  told.server(ok(1) + err(0, 1927));
  EXPECT_TRUE(told.wire.ended());
  EXPECT_EQ(told.wire.fault(), Fault::none);
}

TEST(MysqlConversationBackend, AServerThatStaysBehindACommitKeepsItsClient) {
  Rig rig;
  rig.client(query("rollback to savepoint `release`"));
  rig.server(ok(1));
  EXPECT_EQ(rig.releases(), 1U) << "a name in quotes is no word";
  rig.client(query("rollback to release") + query("select 2"));
  rig.server(ok(1));
  EXPECT_EQ(rig.releases(), 1U);
  rig.server(ok(1));
  EXPECT_EQ(rig.releases(), 2U);
  EXPECT_TRUE(rig.wire.to_backend().ends_with(command(com::ping) + query("select 2")));
  rig.client(query("commit and chain"));
  rig.server(ok(1, {.status = 3}));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("commit and chain")));
}

TEST(MysqlConversationBackend, ACompletionTypeOfReleaseIsInEveryCommit) {
  Rig rig;
  rig.client(query("set completion_type = release"));
  rig.server(ok(1, {.changes = variable("completion_type", "RELEASE")}));
  rig.client(query("select 'commit'"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.releases(), 2U);
  rig.client(query("commit"));
  rig.server(ok(1));
  EXPECT_EQ(rig.releases(), 2U);
  EXPECT_EQ(rig.conversation.backend_lost(false).fault, Fault::none);
}

TEST(MysqlConversationBackend, ACompletionTypeThatIsNotReportedIsReckonedWith) {
  Rig rig(start(kModern, "10.11.0-MariaDB"));
  rig.client(query("set @@completion_type = 2"));
  rig.server(ok(1));
  EXPECT_EQ(rig.pin(), "session_state");
  rig.client(query("commit"));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(command(com::ping)));
  EXPECT_EQ(rig.conversation.backend_lost(false).fault, Fault::none);
}

/// No reset of either server gives a role back.
TEST(MysqlConversationBackend, ABackendWithAClientsRoleIsBeyondReset) {
  for (const char* sql : {"set role r", "SET /* x */ ROLE ALL"}) {
    Rig rig;
    rig.client(query(sql));
    rig.server(ok(1, {.changes = state_changed()}));
    EXPECT_EQ(rig.pin(), "session_state");
    EXPECT_TRUE(rig.backend.beyond_reset());
    rig.client(command(com::reset_connection));
    rig.server(ok(1) + ok(1) + ok(1) + ok(1));
    EXPECT_EQ(rig.releases(), 1u);
    EXPECT_TRUE(rig.reset_on_release) << "which then closes it";
  }
  Rig none;
  none.client(query("select role from t"));
  none.server(rows_reply());
  EXPECT_FALSE(none.backend.beyond_reset());
}

/// What SHOW WARNINGS says, without a backend, of an error.
std::string shown(Rig& rig) {
  const std::size_t leases = rig.leases(), heard = rig.wire.to_client().size();
  rig.client(query("show warnings"));
  EXPECT_EQ(rig.leases(), leases);
  return rig.wire.to_client().substr(heard);
}
std::string of_error(std::uint16_t code, std::string_view message) {
  const auto made = diagnostics_of({code, message, kModern, 45, status::autocommit});
  return {made.begin(), made.end()};
}

TEST(MysqlConversationBackend, ErrorsOfCommandsAreDiagnosticsToo) {
  Rig rig;
  rig.client(query("insert ignore into t values (1)"));
  rig.server(ok(1, {.warnings = 1}));
  rig.server(no_warnings());
  rig.client(command(com::init_db, "nowhere"));
  rig.server(err(1, 1049, "#42000nowhere"));
  EXPECT_EQ(shown(rig), of_error(1049, "nowhere"));
  rig.client(command(com::init_db, "shop"));
  rig.server(ok(1));
  EXPECT_EQ(shown(rig), of_error(1049, "nowhere")) << "a command that does not clear them";
  rig.client(command(com::stmt_prepare, "selec"));
  rig.server(err(1, 1064, "#42000no"));
  EXPECT_EQ(shown(rig), of_error(1064, "no"));
  rig.client(command(com::stmt_execute, std::string("\7\0\0\0\0\1\0\0\0", 9)));
  EXPECT_EQ(shown(rig), of_error(1243, "Unknown prepared statement handler"));
  rig.client(query("select @@error_count"));
  EXPECT_TRUE(rig.wire.to_client().ends_with(row(3, "1") + end(4)));
  rig.client(query("select 1"));
  rig.server(rows_reply());
  rig.client(query("show warnings"));
  EXPECT_EQ(rig.leases(), 6u) << "a statement does";
}

TEST(MysqlConversationBackend, APrepareClearsThemInMySqlOnly) {
  for (const bool mariadb : {false, true}) {
    Rig rig(start(kModern, mariadb ? "10.11.0-MariaDB" : "9.7.0"));
    rig.client(command(com::init_db, "nowhere"));
    rig.server(err(1, 1049, "#42000nowhere"));
    rig.client(command(com::stmt_prepare, "select 1"));
    rig.server(packet(1, std::string("\0\x37\0\0\0\0\0\0\0\0\0\0", 12)));
    rig.client(query("show warnings"));
    EXPECT_EQ(rig.leases(), mariadb ? 2u : 3u);
  }
}

TEST(MysqlConversationBackend, OnlyARefusalToWriteIsOne) {
  const auto refused = [](std::uint16_t code, std::string_view message) {
    Rig rig;
    rig.client(query("begin"));
    rig.server(ok(1, {.status = 3}));
    rig.client(query("insert into t values (1)"));
    rig.server(err(1, code, message));
    return rig.conversation.refused_to_write();
  };
  const std::string front = "#HY000The MySQL server is running with the ";
  const std::string back = " option so it cannot execute this statement";
  EXPECT_TRUE(refused(1290, front + "--read-only" + back));
  EXPECT_TRUE(refused(1290, front + "--super-read-only" + back));
  EXPECT_TRUE(refused(1836, "#HY000Running in read-only mode"));
  EXPECT_FALSE(refused(1290, front + "--secure-file-priv" + back));
  EXPECT_FALSE(refused(1290, front + "--skip-grant-tables" + back));
  EXPECT_FALSE(refused(1064, front + "--read-only" + back));
}

}  // namespace
}  // namespace weirpool::test::mysql
