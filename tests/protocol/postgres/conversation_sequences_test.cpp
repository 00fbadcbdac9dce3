// Whose sequence values a client hears of.
#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

const std::string kForgets = query("DISCARD SEQUENCES");
const std::string kForgotten = command("DISCARD SEQUENCES");
const std::string kValue = row_description() + row() + command("SELECT 1");

std::string extended(const std::string& text) {
  return parse("", text) + bind_to("", "") + execute();
}

TEST(ConversationSequences, TheyPinUntilTheyAreDiscarded) {
  Rig rig;
  rig.wire.feed(Party::client, query("select lastval()"));
  EXPECT_EQ(rig.wire.to_backend(), kForgets);
  rig.wire.feed(Party::backend, kForgotten + ready());
  rig.wire.feed(Party::backend, kValue + ready());
  EXPECT_EQ(rig.conversation.pin_reason(), "sequence_value");
  rig.wire.feed(Party::client, query("discard sequences"));
  rig.wire.feed(Party::backend, kForgotten + ready());
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationSequences, SomebodyElsesIsForgottenFirst) {
  const std::string text = "select currval('s')";
  for (const std::string& batch : {query(text), extended(text) + sync(),
                                   parse("s", text) + bind_to("", "s") + execute() + sync()}) {
    Rig rig;
    rig.wire.feed(Party::client, batch);
    EXPECT_EQ(rig.wire.to_backend(), kForgets);
    rig.wire.feed(Party::backend, kForgotten + ready());
    EXPECT_EQ(rig.wire.breach(), "");
    EXPECT_GT(rig.wire.to_backend().size(), 30U);
  }
}

TEST(ConversationSequences, AlsoInsideATransactionThatHasUsedNone) {
  const Outcome heard =
      play_all_ways({client(query("begin") + query("set local work_mem = 1")),
                     backend(command("BEGIN") + ready('T') + command("SET") + ready('T')),
                     client(query("select lastval()")), backend(kForgotten + ready('T')),
                     backend(error("55000", "not yet defined") + ready('E')),
                     client(query("rollback")), backend(command("ROLLBACK") + ready())});
  EXPECT_EQ(heard.to_backend, query("begin") + query("set local work_mem = 1") + kForgets +
                                  query("select lastval()") + query("rollback"));
  EXPECT_EQ(heard.to_client, command("BEGIN") + ready('T') + command("SET") + ready('T') +
                                 error("55000", "not yet defined") + ready('E') +
                                 command("ROLLBACK") + ready());
}

TEST(ConversationSequences, WhatStandsBeforeItIsAnsweredFirst) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin") + query("select lastval()") + query("commit"));
  EXPECT_EQ(rig.wire.to_backend(), query("begin"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T'));
  EXPECT_EQ(rig.wire.to_backend(), query("begin") + kForgets);
  rig.wire.feed(Party::backend, kForgotten + ready('T'));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select lastval()") + query("commit")));
  rig.wire.feed(Party::backend, kValue + ready('T') + command("COMMIT") + ready());
  EXPECT_EQ(tags(rig.wire.to_client()), "CZTDCZCZ");
}

TEST(ConversationSequences, InTheMiddleOfABatchItIsAPartOfThat) {
  const std::string answer = close_complete() + close_complete() + parse_complete() +
                             bind_complete() + kForgotten + close_complete() + close_complete();
  const std::string begun = parse_complete() + bind_complete() + command("BEGIN");
  const std::string told = parse_complete() + bind_complete() + row() + command("SELECT 1");
  const Outcome heard =
      play_all_ways({client(extended("begin") + extended("select lastval()") + sync()),
                     backend(begun + answer + told + ready('T')),
                     client(extended("select lastval()") + sync()), backend(told + ready('T'))});
  EXPECT_EQ(tags(heard.to_backend), "PBECCPBECCPBESPBES");
  EXPECT_EQ(heard.to_client, begun + told + ready('T') + told + ready('T'));
}

TEST(ConversationSequences, WhatABatchThatFailedHasNotDoneIsDoneLater) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin") + query("savepoint s"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("SAVEPOINT") + ready('T'));
  rig.wire.feed(Party::client, parse("", "oops") + parse("", "select lastval()") + sync());
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready('E'));
  rig.wire.feed(Party::client, query("rollback to s"));
  rig.wire.feed(Party::backend, command("ROLLBACK") + ready('T'));
  rig.wire.feed(Party::client, query("select lastval()"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(kForgets));
  rig.wire.feed(Party::backend, error("57014", "cancelled") + ready('E'));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select lastval()")));
  rig.wire.feed(Party::backend, error("25P02", "transaction is aborted") + ready('E'));
  rig.wire.feed(Party::client, query("rollback to s"));
  rig.wire.feed(Party::backend, command("ROLLBACK") + ready('T'));
  EXPECT_EQ(tags(rig.wire.to_client()), "CZCZEZCZEZCZ");
}

TEST(ConversationSequences, ItsOwnIsNotForgotten) {
  for (const std::string& own :
       {query("insert into t default values"), extended("insert into t default values") + sync()}) {
    Rig rig;
    rig.wire.feed(Party::client, query("begin") + own);
    rig.wire.feed(Party::backend, command("BEGIN") + ready('T'));
    rig.wire.feed(Party::client, query("select lastval()"));
    EXPECT_EQ(rig.wire.to_backend(), query("begin") + own + query("select lastval()"));
  }
}

TEST(ConversationSequences, ABackendLostMeanwhileLosesTheTransaction) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T'));
  rig.wire.feed(Party::client, query("select lastval()"));
  EXPECT_EQ(rig.conversation.backend_lost(false).kind, Kind::hold);
  rig.conversation.detach();
  rig.wire.pump();
  EXPECT_EQ(tags(rig.wire.to_client()), "CZEZ");
  EXPECT_TRUE(rig.wire.to_client().ends_with(ready('E')));
}

}  // namespace
}  // namespace weirpool::test::pg
