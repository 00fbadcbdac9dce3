#include "protocol/mysql/reset.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

TEST(MysqlReset, BringsBackTheLoginState) {
  ServerState state(facts(), 0, "shop", 7);
  state.session.schema = "other";
  state.session.variables = {{"sql_mode", "ANSI"}};
  const auto reset = make_reset(state);
  Wire wire(*reset);
  wire.feed(Party::backend, "");
  EXPECT_TRUE(wire.to_backend().starts_with(command(com::reset_connection)));
  EXPECT_TRUE(wire.to_backend().ends_with(command(com::init_db, "shop")));
  wire.feed(Party::backend, ok(1) + end(1) + ok(1) + ok(1) + ok(1));
  EXPECT_EQ(wire.count(Kind::done), 1u);
  EXPECT_EQ(state.session.schema, "shop");
  EXPECT_TRUE(state.session.variables.empty());
}

TEST(MysqlReset, RefusalCloses) {
  ServerState state(facts(), 0, "shop", 7);
  const auto reset = make_reset(state);
  Wire wire(*reset);
  wire.feed(Party::backend, err(1));
  EXPECT_EQ(wire.fault(), Fault::backend_lost);
}

TEST(MysqlReset, ASchemaWhereTheLoginHadNoneCannotBeReset) {
  ServerState state(facts(), 0, "", 7);
  state.session.schema = "other";
  const auto reset = make_reset(state);
  Wire wire(*reset);
  wire.pump();
  EXPECT_EQ(wire.fault(), Fault::backend_lost);
  EXPECT_EQ(wire.to_backend(), "");
}

TEST(MysqlReset, TextsThatAClientHasHadKeptCannotBeReset) {
  for (const char* name : {"profiling", "optimizer_trace"}) {
    Rig rig;
    rig.client(query("set x"));
    rig.server(ok(1, {.changes = variable(name, "ON") + state_changed()}));
    EXPECT_EQ(rig.pin(), "variables");
    // The client's own reset leaves them to be looked at, as it does on the servers.
    rig.client(command(com::reset_connection));
    rig.server(ok(1) + end(1) + ok(1) + ok(1));
    EXPECT_EQ(rig.releases(), 1u);
    EXPECT_TRUE(rig.reset_on_release);
    const auto reset = make_reset(rig.backend);
    Wire wire(*reset);
    wire.pump();
    EXPECT_EQ(wire.fault(), Fault::backend_lost);
    EXPECT_EQ(wire.to_backend(), "");
  }
}

}  // namespace
}  // namespace weirpool::test::mysql
