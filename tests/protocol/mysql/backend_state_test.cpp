#include "protocol/mysql/backend_state.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

TEST(MysqlBackendState, StartsAsItsLoginLeftIt) {
  const ServerState state(facts(), cap::multi_statements, "shop", 7);
  EXPECT_EQ(state.session.schema, "shop");
  EXPECT_EQ(state.session.collation, 45);
  EXPECT_TRUE(state.session.multi_statements);
  EXPECT_EQ(state.remote_id(), 7u);
  EXPECT_EQ(&state.server(), state.facts().get());
  EXPECT_FALSE(state.server().mariadb());
  EXPECT_TRUE(facts("5.5.5-10.11.19-MariaDB")->mariadb());
}

TEST(MysqlBackendState, GoodbyeAndCancel) {
  const ServerState state(facts(), 0, "shop", 7);
  Writer out;
  state.write_goodbye(out);
  EXPECT_EQ(text_of(out), command(com::quit));
  EXPECT_FALSE(state.write_cancel(out));
}

TEST(MysqlBackendState, SetupHasTheTrackersAndTheVariant) {
  Writer plain;
  EXPECT_EQ(ServerState(facts(), 0, "", 7).write_setup(plain), 2u);
  EXPECT_TRUE(text_of(plain).starts_with(query("SET @@session.collation_connection=45")));
  EXPECT_NE(text_of(plain).find("session_track_system_variables='*'"), std::string::npos);
  EXPECT_EQ(text_of(plain).find("IGNORE_SPACE"), std::string::npos);
  Writer odd;
  ServerState(facts(), cap::ignore_space, "", 7).write_setup(odd);
  EXPECT_NE(text_of(odd).find("',IGNORE_SPACE')"), std::string::npos);
}

TEST(MysqlBackendState, ResetKeepsTheSchema) {
  ServerState state(facts(), 0, "", 7);
  state.session.variables = {{"a", "1"}};
  state.session.last_insert_id = 5;
  EXPECT_FALSE(state.schema_stuck());
  state.session.schema = "x";
  EXPECT_TRUE(state.schema_stuck());
  state.was_reset();
  EXPECT_TRUE(state.session.variables.empty());
  EXPECT_EQ(state.session.last_insert_id, 0u);
  EXPECT_EQ(state.session.schema, "x");
}

}  // namespace
}  // namespace weirpool::test::mysql
