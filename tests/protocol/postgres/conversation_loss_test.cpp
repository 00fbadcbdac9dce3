// Backends that go at every point of a conversation.
#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

/// Inside BEGIN.
std::unique_ptr<Rig> in_transaction() {
  auto rig = std::make_unique<Rig>();
  rig->wire.feed(Party::client, query("begin"));
  rig->wire.feed(Party::backend, command("BEGIN") + ready('T'));
  EXPECT_EQ(tags(rig->wire.to_client()), "CZ");
  return rig;
}

/// What a session does when the stream has ended.
Verdict lose(Rig& rig, bool torn = false) {
  const Verdict verdict = rig.conversation.backend_lost(torn);
  rig.conversation.detach();
  rig.attached = false;
  if (verdict.kind != Kind::close) rig.wire.pump();
  EXPECT_EQ(rig.wire.breach(), "");
  return verdict;
}

/// Everything the client has heard behind the two messages of BEGIN.
std::string heard(const Rig& rig) { return tags(rig.wire.to_client()).substr(2); }

bool says(const Rig& rig, std::string_view sqlstate) {
  return rig.wire.to_client().find("C" + z(sqlstate)) != std::string::npos;
}

TEST(ConversationLoss, UnderAStatementOfATransactionItIsSaidAndTheSessionStays) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, query("update t set a = 1"));
  EXPECT_EQ(lose(*rig).kind, Kind::hold);
  EXPECT_EQ(heard(*rig), "EZ");
  EXPECT_TRUE(says(*rig, "40001"));
  EXPECT_TRUE(rig->wire.to_client().ends_with(ready('E')));
  rig->wire.feed(Party::client, query("select 1"));
  EXPECT_EQ(heard(*rig), "EZEZ");
  EXPECT_TRUE(says(*rig, "25P02"));
  EXPECT_EQ(rig->leases, 1U);
  rig->wire.feed(Party::client, query("rollback"));
  EXPECT_TRUE(rig->wire.to_client().ends_with(command("ROLLBACK") + ready('I')));
  rig->wire.feed(Party::client, query("select 2"));
  EXPECT_EQ(rig->leases, 2U);
}

TEST(ConversationLoss, PartOfAnAnswerMayHaveBeenSaid) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, query("select 1"));
  rig->wire.feed(Party::backend, row_description() + row());
  EXPECT_EQ(lose(*rig).kind, Kind::hold);
  EXPECT_EQ(heard(*rig), "TDEZ");
}

TEST(ConversationLoss, WhileTheClientIsIdleItHearsAtItsNextStatement) {
  const auto rig = in_transaction();
  EXPECT_EQ(lose(*rig).kind, Kind::hold);
  EXPECT_EQ(heard(*rig), "");
  rig->wire.feed(Party::client, query("select 1"));
  EXPECT_EQ(heard(*rig), "EZ");
  EXPECT_TRUE(says(*rig, "40001"));
  // It has been told: its COMMIT is answered as in any failed transaction.
  rig->wire.feed(Party::client, query("commit"));
  EXPECT_TRUE(rig->wire.to_client().ends_with(command("ROLLBACK") + ready('I')));
}

TEST(ConversationLoss, ACommitOfWhoHasHeardNothingFails) {
  const auto rig = in_transaction();
  lose(*rig);
  rig->wire.feed(Party::client, query("commit"));
  EXPECT_EQ(heard(*rig), "EZ");
  EXPECT_TRUE(says(*rig, "40001"));
  EXPECT_TRUE(rig->wire.to_client().ends_with(ready('I')));
  rig->wire.feed(Party::client, query("select 1"));
  EXPECT_EQ(rig->leases, 2U);
}

TEST(ConversationLoss, ARollbackOfWhoHasHeardNothingIsOne) {
  const auto rig = in_transaction();
  lose(*rig);
  rig->wire.feed(Party::client, query("ROLLBACK;"));
  EXPECT_EQ(heard(*rig), "CZ");
}

TEST(ConversationLoss, DriversEndItThroughPreparedStatementsToo) {
  const std::string batch = parse("", "rollback") + describe('S', "") + bind_to("", "") +
                            describe('P', "") + execute() + close_of('S', "") + sync();
  const Outcome outcome = play_all_ways({client(batch)}, [] {
    auto rig = in_transaction();
    lose(*rig);
    return rig;
  });
  EXPECT_EQ(tags(outcome.to_client), "CZ1tn2nC3Z");
  EXPECT_TRUE(outcome.to_client.ends_with(ready('I')));
}

TEST(ConversationLoss, ANamedStatementEndsItWhereverItWasPrepared) {
  auto rig = std::make_unique<Rig>();
  rig->wire.feed(Party::client, parse("S_1", "COMMIT") + sync());
  rig->wire.feed(Party::backend, parse_complete() + ready());
  rig->wire.feed(Party::client, query("begin"));
  rig->wire.feed(Party::backend, command("BEGIN") + ready('T'));
  lose(*rig);
  rig->wire.feed(Party::client, bind_to("", "S_1") + execute() + sync());
  EXPECT_EQ(tags(rig->wire.to_client()), "1ZCZ2EZ");
  EXPECT_TRUE(says(*rig, "40001"));
  EXPECT_TRUE(rig->wire.to_client().ends_with(ready('I')));
}

TEST(ConversationLoss, OtherBatchesFailUpToTheirSync) {
  const auto rig = in_transaction();
  lose(*rig);
  rig->wire.feed(Party::client, parse("", "select 1") + bind_to("", "") + execute() + sync());
  EXPECT_EQ(heard(*rig), "EZ");
  EXPECT_TRUE(rig->wire.to_client().ends_with(ready('E')));
}

TEST(ConversationLoss, UnderABatchWithoutSyncTheRestIsSkipped) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, parse("", "select 1") + bind_to("", "") + execute() + flush());
  EXPECT_EQ(lose(*rig).kind, Kind::hold);
  EXPECT_EQ(heard(*rig), "E");
  rig->wire.feed(Party::client, parse("", "select 2") + sync());
  EXPECT_EQ(heard(*rig), "EZ");
  EXPECT_TRUE(says(*rig, "40001"));
}

TEST(ConversationLoss, TheServersLastWordsGiveWay) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, query("select pg_sleep(1)"));
  rig->wire.feed(Party::backend, error("57P01", "terminating", "FATAL"));
  EXPECT_EQ(heard(*rig), "");
  rig->wire.feed(Party::client, query("select 2"));
  EXPECT_EQ(lose(*rig).kind, Kind::hold);
  EXPECT_EQ(heard(*rig), "EZEZ");
  EXPECT_FALSE(says(*rig, "57P01"));
}

TEST(ConversationLoss, WhatMayHaveTakenEffectCloses) {
  const auto fault_after = [](const std::string& request, bool torn = false) {
    const auto rig = in_transaction();
    rig->wire.feed(Party::client, request);
    return lose(*rig, torn).fault;
  };
  EXPECT_EQ(fault_after(query("commit")), Fault::outcome_unknown);
  EXPECT_EQ(fault_after(query("update t set a = 1; commit")), Fault::outcome_unknown);
  EXPECT_EQ(fault_after(query("prepare transaction 'x'")), Fault::outcome_unknown);
  EXPECT_EQ(fault_after(parse("", "end") + bind_to("", "") + execute() + sync()),
            Fault::outcome_unknown);
  EXPECT_EQ(fault_after(query("select 1") + query("select 2")), Fault::outcome_unknown);
  EXPECT_EQ(fault_after(query("select 1"), true), Fault::outcome_unknown);
}

TEST(ConversationLoss, WhileRowsAreBeingCopiedNoErrorHasAPlace) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, query("copy t from stdin"));
  rig->wire.feed(Party::backend, copy_in_response());
  rig->wire.feed(Party::client, copy_data("1"));
  EXPECT_EQ(lose(*rig).fault, Fault::outcome_unknown);
}

TEST(ConversationLoss, OutsideATransactionNobodyKnows) {
  Rig rig;
  rig.wire.feed(Party::client, query("insert into t values (1)"));
  EXPECT_EQ(lose(rig).fault, Fault::outcome_unknown);
  Rig first;
  first.wire.feed(Party::client, query("begin"));
  EXPECT_EQ(lose(first).fault, Fault::outcome_unknown);
}

TEST(ConversationLoss, PinnedStateIsLostWithTheSession) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, query("listen news"));
  rig->wire.feed(Party::backend, command("LISTEN") + ready('T'));
  EXPECT_EQ(lose(*rig).fault, Fault::backend_lost);
}

TEST(ConversationLoss, SettingsThatTheTransactionChangedAreLostToo) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, query("set timezone = 'Asia/Tokyo'"));
  rig->wire.feed(Party::backend, status("TimeZone", "Asia/Tokyo") + command("SET") + ready('T'));
  EXPECT_EQ(lose(*rig).kind, Kind::close);
}

TEST(ConversationLoss, AfterACommittedTransactionTheDoubtIsOver) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, query("commit and chain"));
  rig->wire.feed(Party::backend, command("COMMIT") + ready('T'));
  EXPECT_EQ(lose(*rig).kind, Kind::hold);
}

TEST(ConversationLoss, WhatNobodyHasReceivedGoesToAnotherBackend) {
  Rig rig(std::vector<postgres::NamedValue>{{"timezone", "Asia/Tokyo"}});
  rig.wire.feed(Party::client, query("select 1"));
  const std::string settled = rig.wire.to_backend();
  EXPECT_EQ(tags(settled), "Q");  // weirpool's own SET
  EXPECT_EQ(lose(rig).kind, Kind::lease);
  EXPECT_EQ(rig.leases, 2U);
}

TEST(ConversationLoss, InSessionModeTheSessionGoesWithItsBackend) {
  auto rig = std::make_unique<Rig>();
  rig->conversation.place(protocol::Pooling::session, "shop");
  rig->wire.feed(Party::client, query("begin"));
  rig->wire.feed(Party::backend, command("BEGIN") + ready('T'));
  EXPECT_EQ(lose(*rig).fault, Fault::backend_lost);
}

TEST(ConversationPooling, ASessionKeepsItsBackend) {
  Rig rig;
  rig.conversation.place(protocol::Pooling::session, "shop");
  for (int i = 0; i < 3; ++i) {
    rig.wire.feed(Party::client, query("select 1"));
    rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  }
  EXPECT_EQ(rig.leases, 1U);
  EXPECT_EQ(rig.releases, 0U);
  EXPECT_TRUE(rig.conversation.at_boundary());
  EXPECT_EQ(rig.conversation.answered(), 3U);
}

TEST(ConversationPooling, AStatementModeRefusesTransactions) {
  Rig rig;
  rig.conversation.place(protocol::Pooling::statement, "shop");
  rig.wire.feed(Party::client, query("select 1"));
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  EXPECT_EQ(rig.releases, 1U);
  rig.wire.feed(Party::client, query("begin"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T'));
  EXPECT_EQ(rig.wire.fault(), Fault::transaction_refused);
  EXPECT_EQ(tags(rig.wire.to_client()), "CZC");
}

}  // namespace
}  // namespace weirpool::test::pg
