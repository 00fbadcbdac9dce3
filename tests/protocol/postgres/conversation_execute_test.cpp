#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

const std::string kRows = row_description() + row() + command("SELECT 1") + ready();

TEST(ConversationExecute, TheNameIsTheBackends) {
  const Script script{client(parse("s", "select $1") + sync()),
                      backend(parse_complete() + ready()),
                      client(query("/* x */ EXECUTE s (1)")),
                      backend(kRows),
                      client(query("explain (costs off) execute \"s\"(2);")),
                      backend(kRows),
                      client(query("execute t(1)")),
                      backend(error("26000", "does not exist") + ready())};
  const Outcome heard = play_all_ways(script);
  EXPECT_EQ(heard.to_backend,
            parse("weirpool_1", "select $1") + sync() + query("/* x */ EXECUTE weirpool_1 (1)") +
                query("explain (costs off) execute weirpool_1(2);") + query("execute t(1)"));
  EXPECT_EQ(tags(heard.to_client), "1ZTDCZTDCZEZ");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationExecute, ABackendThatLacksTheStatementGetsItFirst) {
  const auto two = [] {
    auto rig = std::make_unique<Rig>(std::vector<postgres::NamedValue>{}, 1);
    rig->backends.push_back(fresh_backend(1));
    return rig;
  };
  const Script script{client(parse("a", "select 1") + parse("b", "select 2") + sync()),
                      backend(parse_complete() + close_complete() + parse_complete() + ready()),
                      client(query("execute a")),
                      backend(parse_complete() + ready()),
                      backend(kRows),
                      client(query("execute b")),
                      backend(close_complete() + parse_complete() + ready()),
                      backend(kRows)};
  const Outcome heard = play_all_ways(script, two);
  EXPECT_EQ(tags(heard.to_client), "11ZTDCZTDCZ");
  EXPECT_TRUE(heard.to_backend.ends_with(parse("weirpool_1", "select 1") + sync() +
                                         query("execute weirpool_1") + close_of('S', "weirpool_1") +
                                         parse("weirpool_2", "select 2") + sync() +
                                         query("execute weirpool_2")));
}

TEST(ConversationExecute, OneThatCannotBePreparedAnyMoreFailsInItsPlace) {
  for (const char now : {'I', 'T'}) {
    Rig rig;
    rig.backends.push_back(fresh_backend());
    rig.wire.feed(Party::client, parse("s", "select 1") + sync());
    rig.wire.feed(Party::backend, parse_complete() + ready());
    rig.wire.feed(Party::client, query(now == 'T' ? "begin" : "select 1"));
    rig.wire.feed(Party::backend, command("X") + ready(now));
    rig.leases = 1;
    const char failed = now == 'T' ? 'E' : 'I';
    rig.wire.feed(Party::client, query("execute s"));
    rig.wire.feed(Party::backend, error("42P01", "no such relation") + ready(failed));
    rig.wire.feed(Party::backend, error("42601", "syntax error") + ready(failed));
    EXPECT_EQ(tags(rig.wire.to_client()), "1ZCZEZ");
    EXPECT_NE(rig.wire.to_client().find("42P01"), std::string::npos);
    EXPECT_EQ(rig.wire.to_client().find("42601"), std::string::npos);
    EXPECT_FALSE(rig.wire.ended());
    EXPECT_EQ(rig.conversation.prepared_statements(), 1U);
  }
}

TEST(ConversationExecute, WhatIsExecutedHasItsEffects) {
  Rig rig;
  rig.wire.feed(Party::client, parse("s", "select pg_advisory_lock(1)") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client, query("execute s"));
  rig.wire.feed(Party::backend, kRows);
  rig.wire.feed(Party::backend, row_description() + row_of({"t"}) + command("SELECT 1") + ready());
  EXPECT_EQ(rig.conversation.pin_reason(), "advisory_lock");
}

}  // namespace
}  // namespace weirpool::test::pg
