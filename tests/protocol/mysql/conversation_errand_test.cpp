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
  EXPECT_EQ(rig.wire.to_backend().substr(before),
            query("SET @@session.time_zone='+01:00'") + query("SET @@session.last_insert_id=0"));
  const std::size_t heard = rig.wire.to_client().size();
  rig.server(ok(1) + ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 2")));
  EXPECT_EQ(rig.wire.to_client().size(), heard) << "replies to the replay are swallowed";
}

TEST(MysqlConversationErrand, AForeignSettingIsResetAway) {
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

TEST(MysqlConversationErrand, AFailedReplayClosesBeforeTheStatementRuns) {
  Rig rig;
  rig.backend.session.variables = {{"sql_mode", "ANSI"}};
  rig.client(query("select 1"));
  rig.server(err(1, 1227));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_lost);
  EXPECT_EQ(rig.wire.to_backend().find("select 1"), std::string::npos);
}

TEST(MysqlConversationErrand, InsertIdTravelsWithTheClient) {
  Rig rig;
  rig.client(query("insert into t values ()"));
  rig.server(ok(1, {.insert_id = 42}));
  rig.backend.session.last_insert_id = 99;  // somebody else was here
  rig.client(query("select last_insert_id()"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SET @@session.last_insert_id=42")));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select last_insert_id()")));
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
  EXPECT_EQ(rig.pin(), "session_state");
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

}  // namespace
}  // namespace weirpool::test::mysql
