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

TEST(ConversationLoss, UnderADeallocateWeirpoolUnderstoodTheClientHearsItsEnd) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, parse("s", "select 1") + sync());
  rig->wire.feed(Party::backend, parse_complete() + ready('T'));
  rig->wire.feed(Party::client, query("deallocate s"));
  EXPECT_EQ(lose(*rig).kind, Kind::hold);
  EXPECT_EQ(heard(*rig), "1ZEZ");
}

TEST(ConversationLoss, ACommitBoundInAnEarlierBatchMayHaveHappened) {
  const std::string execute_it = message('E', z("late") + be32(0)) + sync();
  for (const std::string text : {"commit", "select 1"}) {
    const bool commits = text == "commit";
    const auto rig = in_transaction();
    rig->wire.feed(Party::client, parse("", text) + bind_to("late", "") + sync());
    rig->wire.feed(Party::backend, parse_complete() + bind_complete() + ready('T'));
    rig->wire.feed(Party::client, query("select 2"));
    rig->wire.feed(Party::backend, row_description() + command("SELECT 1") + ready('T'));
    rig->wire.feed(Party::client, execute_it);
    const Verdict verdict = lose(*rig);
    EXPECT_EQ(verdict.kind, commits ? Kind::close : Kind::hold) << text;
    EXPECT_EQ(verdict.fault, commits ? Fault::outcome_unknown : Fault::none) << text;
  }
}

TEST(ConversationLoss, ThePortalWithoutANameIsReplaced) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, parse("", "commit") + bind_to("", "") + sync());
  rig->wire.feed(Party::backend, parse_complete() + bind_complete() + ready('T'));
  rig->wire.feed(Party::client, parse("", "select 1") + bind_to("", "") + execute() + sync());
  EXPECT_EQ(lose(*rig).kind, Kind::hold);
  EXPECT_TRUE(says(*rig, "40001"));
}

TEST(ConversationLoss, APortalEndsWithItsTransaction) {
  const auto rig = in_transaction();
  rig->wire.feed(Party::client, parse("", "commit") + bind_to("late", "") + sync());
  rig->wire.feed(Party::backend, parse_complete() + bind_complete() + ready('T'));
  rig->wire.feed(Party::client, query("rollback; begin"));
  rig->wire.feed(Party::backend, command("ROLLBACK") + command("BEGIN") + ready('T'));
  rig->wire.feed(Party::client, parse("", "select 1") + bind_to("", "") + execute() + sync());
  EXPECT_EQ(lose(*rig).kind, Kind::close) << "it was not seen to end";
  const auto other = in_transaction();
  other->wire.feed(Party::client, parse("", "commit") + bind_to("late", "") + sync());
  other->wire.feed(Party::backend, parse_complete() + bind_complete() + ready('T'));
  other->wire.feed(Party::client, query("rollback"));
  other->wire.feed(Party::backend, command("ROLLBACK") + ready());
  other->wire.feed(Party::client, query("begin"));
  other->wire.feed(Party::backend, command("BEGIN") + ready('T'));
  other->wire.feed(Party::client, parse("", "select 1") + bind_to("", "") + execute() + sync());
  EXPECT_EQ(lose(*other).kind, Kind::hold);
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

TEST(ConversationLoss, ACommitThatWasSentAheadMayHaveTakenEffect) {
  Rig rig;
  rig.wire.feed(Party::client,
                query("begin") + query("insert into t values (1)") + query("commit"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T'));
  rig.wire.feed(Party::backend, command("INSERT 0 1") + ready('T'));
  EXPECT_EQ(lose(rig).fault, Fault::outcome_unknown);
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
  rig->conversation.place(protocol::Pooling::session, "shop", true);
  rig->wire.feed(Party::client, query("begin"));
  rig->wire.feed(Party::backend, command("BEGIN") + ready('T'));
  EXPECT_EQ(lose(*rig).fault, Fault::backend_lost);
}

TEST(ConversationPooling, ASessionKeepsItsBackend) {
  Rig rig;
  rig.conversation.place(protocol::Pooling::session, "shop", true);
  for (int i = 0; i < 3; ++i) {
    rig.wire.feed(Party::client, query("select 1"));
    rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  }
  EXPECT_EQ(rig.leases, 1U);
  EXPECT_EQ(rig.releases, 0U);
  EXPECT_TRUE(rig.conversation.at_boundary());
  EXPECT_EQ(rig.conversation.answered(), 3U);
}

/// RESET leads back to what the startup message asked for, where no other backend will be settled.
void expect_reset_to_startup(Rig& rig) {
  const std::string asked = "SELECT pg_catalog.set_config(E'TimeZone',E'Asia/Tokyo',false)";
  const std::string done = row_description() + row_of({"Asia/Tokyo"}) + command("SELECT 1") +
                           status("TimeZone", "Asia/Tokyo") + ready();
  rig.wire.feed(Party::client, query("set timezone = 'UTC'"));
  EXPECT_EQ(rig.wire.to_backend(), query(asked));
  rig.wire.feed(Party::backend, done);
  rig.wire.feed(Party::backend, command("SET") + status("TimeZone", "UTC") + ready());
  rig.wire.feed(Party::client, query("reset timezone"));
  rig.wire.feed(Party::backend, command("RESET") + ready());
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("reset timezone") + query(asked)));
  rig.wire.feed(Party::client, query("select 1"));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query(asked))) << "what comes behind it waits";
  rig.wire.feed(Party::backend, done);
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("select 1")));
  EXPECT_TRUE(rig.wire.to_client().ends_with(command("RESET") + ready() +
                                             status("TimeZone", "Asia/Tokyo")));
  EXPECT_EQ(rig.releases, 0U);
}

TEST(ConversationPooling, InSessionModeResetLeadsBackToTheStartupMessage) {
  Rig rig(std::vector<postgres::NamedValue>{{"timezone", "Asia/Tokyo"}});
  rig.conversation.place(protocol::Pooling::session, "shop", true);
  expect_reset_to_startup(rig);
}

TEST(ConversationPooling, WhereParametersPinResetLeadsBackToTheStartupMessage) {
  postgres::SessionPolicy policy;
  policy.pinned = postgres::kSettings;
  Rig rig(std::vector<postgres::NamedValue>{{"timezone", "Asia/Tokyo"}}, 100, policy);
  expect_reset_to_startup(rig);
}

TEST(ConversationPooling, AStatementModeRefusesTransactions) {
  Rig rig;
  rig.conversation.place(protocol::Pooling::statement, "shop", false);
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
