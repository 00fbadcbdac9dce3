#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

const std::string kBoundAnswer = bind_complete() + command("SELECT 1") + ready();

TEST(ConversationDeallocate, OnlyTheClientsNameGoes) {
  const Script script{client(parse("pdo_1", "select 1") + sync()),
                      backend(parse_complete() + ready()),
                      client(query("begin") + query("DEALLOCATE pdo_1")),
                      backend(command("BEGIN") + ready('T') + command("UNLISTEN") + ready('T')),
                      client(query("commit")),
                      backend(command("COMMIT") + ready())};
  const Outcome heard = play_all_ways(script);
  EXPECT_EQ(heard.to_client, parse_complete() + ready() + command("BEGIN") + ready('T') +
                                 command("DEALLOCATE") + ready('T') + command("COMMIT") + ready());
  EXPECT_EQ(heard.to_backend, parse("weirpool_1", "select 1") + sync() + query("begin") +
                                  query("UNLISTEN weirpool") + query("commit"));
  EXPECT_FALSE(heard.attached);
  Rig rig;
  play(rig.wire, script);
  EXPECT_EQ(rig.backend().statements.size(), 1U);  // It is everybody's.
  rig.wire.feed(Party::client, bind_to("", "pdo_1") + sync());
  EXPECT_NE(rig.wire.to_backend().find(bind_to("", "pdo_1")), std::string::npos);
}

TEST(ConversationDeallocate, AlsoByTheExtendedProtocol) {
  const std::string drop = "/* pg3 */ deallocate s";
  const Script script{client(parse("s", "select 1") + sync()), backend(parse_complete() + ready()),
                      client(parse("", drop) + bind_to("", "") + describe('P', "") + execute() +
                             parse("s", "select 2") + bind_to("", "s") + execute() + sync()),
                      backend(parse_complete() + parse_complete() + bind_complete() + no_data() +
                              command("UNLISTEN") + parse_complete() + kBoundAnswer)};
  const Outcome heard = play_all_ways(script);
  EXPECT_EQ(heard.to_client, parse_complete() + ready() + parse_complete() + bind_complete() +
                                 no_data() + command("DEALLOCATE") + parse_complete() +
                                 kBoundAnswer);
  EXPECT_EQ(heard.to_backend, parse("weirpool_1", "select 1") + sync() + parse("", drop) +
                                  parse("weirpool_2", "UNLISTEN weirpool") +
                                  bind_to("", "weirpool_2") + describe('P', "") + execute() +
                                  parse("weirpool_3", "select 2") + bind_to("", "weirpool_3") +
                                  execute() + sync());
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationDeallocate, BoundAndNotExecutedItDropsNothing) {
  const std::string drop = parse("", "deallocate s") + bind_to("", "");
  for (const std::string& batch : {drop + sync(), drop + bind_to("", "s") + execute() + sync(),
                                   parse("", "oops") + drop + execute() + sync()}) {
    Rig rig;
    rig.wire.feed(Party::client, parse("s", "select 1") + sync());
    rig.wire.feed(Party::backend, parse_complete() + ready());
    rig.wire.feed(Party::client, batch);
    if (batch.find("oops") != batch.npos) {
      rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
    }
    EXPECT_EQ(rig.conversation.prepared_statements(), 1U);
  }
}

TEST(ConversationDeallocate, WhatIsClosedBetweenBindAndExecuteIsMissed) {
  const Script script{
      client(parse("s", "select 1") + sync()), backend(parse_complete() + ready()),
      client(parse("", "deallocate s") + bind_to("", "") + close_of('S', "s") + execute() + sync()),
      backend(parse_complete() + parse_complete() + bind_complete() +
              error("42601", "syntax error") + ready())};
  const Outcome heard = play_all_ways(script);
  EXPECT_EQ(tags(heard.to_client), "1Z123EZ");
  EXPECT_NE(heard.to_client.find("26000"), std::string::npos);
  EXPECT_NE(heard.to_client.find("\"s\" does not exist"), std::string::npos);
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationDeallocate, OneThatFailsForgetsNothing) {
  Rig rig;
  rig.wire.feed(Party::client, parse("a", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client, query("begin; nonsense") + query("deallocate a"));
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready('E') +
                                    error("25P02", "transaction is aborted") + ready('E'));
  rig.wire.feed(Party::client, query("rollback"));
  rig.wire.feed(Party::backend, command("ROLLBACK") + ready());
  rig.wire.feed(Party::client, bind_to("", "a") + sync());
  EXPECT_NE(rig.wire.to_backend().find(bind_to("", "weirpool_1")), std::string::npos);
  EXPECT_EQ(tags(rig.wire.to_client()), "1ZEZEZCZ");
}

}  // namespace
}  // namespace weirpool::test::pg
