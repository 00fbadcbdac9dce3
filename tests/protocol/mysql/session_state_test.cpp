#include "protocol/mysql/session_state.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::mysql {
namespace {

SessionState set_to(Variables variables, std::uint16_t collation = 45) {
  SessionState state;
  state.collation = collation;
  state.variables = std::move(variables);
  return state;
}

TEST(MysqlSessionState, OrderOfReplay) {
  const SessionState want = set_to({{"autocommit", "OFF"},
                                    {"character_set_client", "latin1"},
                                    {"character_set_connection", "latin1"},
                                    {"character_set_results", ""},
                                    {"max_join_size", "100"},
                                    {"sql_mode", "ANSI"},
                                    {"time_zone", "+00:00"}});
  EXPECT_EQ(settings_sql(set_to({}), want),
            "SET @@session.sql_mode='ANSI',@@session.max_join_size=100,"
            "@@session.time_zone='+00:00',@@session.character_set_connection='latin1',"
            "@@session.character_set_results=NULL,@@session.character_set_client='latin1',"
            "@@session.autocommit='OFF'");
  EXPECT_EQ(settings_sql(want, want), "");
}

TEST(MysqlSessionState, CollationGoesInFrontAndSingleSetsStay) {
  const SessionState have = set_to({}, 8);
  const SessionState want = set_to({{"character_set_results", "latin1"}});
  EXPECT_TRUE(needs_collation(have, want));
  EXPECT_EQ(collation_sql(45), "SET @@session.collation_connection=45");
  EXPECT_EQ(settings_sql(have, want),
            "SET " + std::string(kFollowCollation) + ",@@session.character_set_results='latin1'");
  const SessionState all = set_to({{"character_set_client", "a"},
                                   {"character_set_results", "b"},
                                   {"collation_connection", "c"}});
  EXPECT_FALSE(needs_collation(have, all));
}

TEST(MysqlSessionState, ConnectionCharsetAndCollationReplaceEachOther) {
  SessionState state = set_to({});
  track_variable(state, kCollationConnection, "utf8mb4_bin");
  track_variable(state, kCharsetConnection, "latin1");
  EXPECT_EQ(state.find(kCollationConnection), nullptr);
  track_variable(state, kCollationConnection, "utf8mb4_bin");
  EXPECT_EQ(state.find(kCharsetConnection), nullptr);
  EXPECT_EQ(*state.find(kCollationConnection), "utf8mb4_bin");
}

TEST(MysqlSessionState, WhatCannotBeReplayed) {
  SessionState state = set_to({});
  EXPECT_EQ(track_variable(state, "statement_id", "5"), Tracked::ignored);
  for (const char* name :
       {"timestamp", "insert_id", "rand_seed1", "pseudo_thread_id", "session_track_schema",
        "gtid_next", "profiling", "optimizer_trace", "bad name", ""}) {
    EXPECT_EQ(track_variable(state, name, "1"), Tracked::unsafe) << name;
  }
  EXPECT_EQ(track_variable(state, "init_connect", "it's"), Tracked::unsafe);
  EXPECT_EQ(track_variable(state, "init_connect", "a\\b"), Tracked::unsafe);
  EXPECT_TRUE(state.variables.empty());
  EXPECT_EQ(track_variable(state, "last_insert_id", "77"), Tracked::kept);
  EXPECT_EQ(state.last_insert_id, 77u);
}

TEST(MysqlSessionState, CountAndSizeAreBounded) {
  SessionState state = set_to({});
  for (std::size_t i = 0; i < kMaxVariables; ++i) {
    EXPECT_EQ(track_variable(state, "v" + std::to_string(i), "1"), Tracked::kept);
  }
  EXPECT_EQ(track_variable(state, "one_more", "1"), Tracked::unsafe);
  EXPECT_EQ(track_variable(state, "v1", "2"), Tracked::kept);
  EXPECT_EQ(track_variable(state, "v1", std::string(kMaxVariableBytes, 'x')), Tracked::unsafe);
}

TEST(MysqlSessionState, WhatOnlyTheOtherHasGoesBackToItsDefault) {
  EXPECT_EQ(settings_sql(set_to({{"autocommit", "OFF"}, {"sql_mode", "ANSI"}}), set_to({})),
            "SET @@session.sql_mode=DEFAULT,@@session.autocommit=DEFAULT");
  SessionState spaces = set_to({});
  spaces.ignore_space = true;
  EXPECT_EQ(settings_sql(set_to({{"sql_mode", "ANSI"}}), spaces),
            "SET @@session.sql_mode=CONCAT(@@global.sql_mode,',IGNORE_SPACE')");
  const SessionState latin = set_to({{"character_set_client", "latin1"}});
  EXPECT_TRUE(needs_collation(latin, set_to({})));
  EXPECT_EQ(settings_sql(latin, set_to({})), "SET " + std::string(kFollowCollation));
}

TEST(MysqlSessionState, UserVariablesHaveAStatementOfTheirOwn) {
  SessionState a = set_to({{"sql_mode", ""}}), b = a;
  track_user_variable(a, "@x", "'it''s'");
  track_user_variable(a, "@y", "-5");
  track_user_variable(b, "@y", "-5");
  track_user_variable(b, "@z", "NULL");
  EXPECT_FALSE(a.same_settings(b));
  EXPECT_EQ(settings_sql(b, a), "");
  EXPECT_EQ(user_variables_sql(b, a), "SET @x='it''s',@z=x'',@z=NULL");
  EXPECT_EQ(user_variables_sql(a, a), "");
}

TEST(MysqlSessionState, Equality) {
  const SessionState a = set_to({{"sql_mode", ""}});
  SessionState b = a;
  b.last_insert_id = 9;
  EXPECT_TRUE(a.same_settings(b));
  b.schema = "x";
  EXPECT_FALSE(a.same_settings(b));
}

TEST(MysqlSessionState, CollationsNoClientMayHave) {
  for (const int number : {0, 35, 54, 60, 90, 101, 128, 159, 183}) {
    const auto id = static_cast<std::uint16_t>(number);
    EXPECT_EQ(usable_collation(id, false, 45), 45) << id;
  }
  EXPECT_EQ(usable_collation(255, false, 45), 255);
  EXPECT_EQ(usable_collation(255, true, 45), 45);
  EXPECT_EQ(usable_collation(8, true, 45), 8);
  // MariaDB's without padding, and its uca1400.
  for (const int number : {1024 + 35, 1024 + 54, 1024 + 90, 1024 + 101, 1024 + 160, 2560, 3327}) {
    const auto id = static_cast<std::uint16_t>(number);
    EXPECT_EQ(usable_collation(id, true, 45), 45) << id;
  }
  for (const int number : {1024 + 28, 1024 + 46, 2048, 2304}) {
    const auto id = static_cast<std::uint16_t>(number);
    EXPECT_EQ(usable_collation(id, true, 45), id);
    EXPECT_EQ(usable_collation(id, false, 45), 45) << "no MySQL knows it";
  }
}

TEST(MysqlSessionState, CharsetsThatHideQuotes) {
  EXPECT_TRUE(hides_quotes(set_to({}, 28)));
  EXPECT_FALSE(hides_quotes(set_to({}, 45)));
  for (const int number : {1, 84, 13, 88, 28, 87, 95, 96}) {
    EXPECT_TRUE(hides_quotes(set_to({}, static_cast<std::uint16_t>(1024 + number)))) << number;
  }
  EXPECT_FALSE(hides_quotes(set_to({}, 1024 + 46)));
  EXPECT_TRUE(hides_quotes(set_to({{"character_set_client", "sjis"}})));
  EXPECT_FALSE(hides_quotes(set_to({{"character_set_client", "utf8mb4"}}, 28)));
}

TEST(MysqlSessionState, HowLongStatementsMayTake) {
  EXPECT_EQ(statement_limit_of(set_to({})), 0U);
  EXPECT_EQ(statement_limit_of(set_to({{"max_execution_time", "250"}})), 250U);
  EXPECT_EQ(statement_limit_of(set_to({{"max_statement_time", "1.5"}})), 1500U);
  EXPECT_EQ(statement_limit_of(set_to({{"max_statement_time", "1e9"}})), 4'294'967'295U);
  EXPECT_EQ(statement_limit_of(set_to({{"max_execution_time", "DEFAULT"}})), 0U);
}

TEST(MysqlSessionState, QuotesOfNames) {
  EXPECT_TRUE(has_ansi_quotes("REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ANSI"));
  EXPECT_FALSE(has_ansi_quotes("STRICT_TRANS_TABLES"));
}

}  // namespace
}  // namespace weirpool::protocol::mysql
