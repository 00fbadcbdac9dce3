// Backends that go at every point of a conversation.
#include <gtest/gtest.h>

#include "tests/protocol/mysql/prepared_rig.hpp"

namespace weirpool::test::mysql {
namespace {

/// Inside BEGIN; what the client has heard so far is forgotten by heard().
struct Lost : Rig {
  explicit Lost(std::uint64_t capabilities = kModern) : Rig(start(capabilities)) {
    client(query("begin"));
    server(ok(1, {.status = 3}));
    heard_before = wire.to_client().size();
  }

  /// What a session does when the stream has ended.
  Verdict lose(bool torn = false) {
    const Verdict verdict = conversation.backend_lost(torn);
    conversation.detach();
    if (verdict.kind != Kind::close) wire.pump();
    EXPECT_EQ(wire.breach(), "");
    return verdict;
  }
  /// Since the last time.
  std::string heard() {
    const std::string all = wire.to_client();
    return all.substr(std::exchange(heard_before, all.size()));
  }
  static bool is_error(const std::string& packet, std::uint16_t code, std::uint8_t sequence = 1) {
    return packet.size() > 7 && static_cast<std::uint8_t>(packet[3]) == sequence &&
           static_cast<std::uint8_t>(packet[4]) == 0xFF &&
           static_cast<std::uint8_t>(packet[5]) + 256 * static_cast<std::uint8_t>(packet[6]) ==
               code;
  }

  std::size_t heard_before = 0;
};

TEST(MysqlLoss, UnderAStatementOfATransactionItIsSaidAndTheSessionStays) {
  Lost rig;
  rig.client(query("update t set a = 1"));
  EXPECT_EQ(rig.lose().kind, Kind::hold);
  EXPECT_TRUE(Lost::is_error(rig.heard(), 1213));
  rig.client(query("select 1"));
  EXPECT_TRUE(Lost::is_error(rig.heard(), 1213));
  rig.client(query("commit"));
  EXPECT_TRUE(Lost::is_error(rig.heard(), 1213));
  EXPECT_EQ(rig.leases(), 1U);
  rig.client(query("rollback"));
  EXPECT_EQ(rig.heard()[4], '\0');
  rig.client(query("select 2"));
  EXPECT_EQ(rig.leases(), 2U);
}

TEST(MysqlLoss, TheStatusSaysInTransactionUntilRollback) {
  constexpr std::uint16_t kReadOnly = status::in_trans_readonly | status::in_trans;
  for (const std::uint16_t open : {std::uint16_t{status::in_trans}, kReadOnly}) {
    for (const std::uint16_t autocommit : {std::uint16_t{status::autocommit}, std::uint16_t{0}}) {
      const auto inside = static_cast<std::uint16_t>(open | autocommit);
      Lost rig;
      rig.client(query("select 1"));
      rig.server(ok(1, {.status = inside}));
      rig.lose();
      rig.heard();
      rig.client(command(com::ping));
      EXPECT_EQ(rig.heard(), ok(1, {.status = inside}));
      rig.client(query("rollback"));
      EXPECT_EQ(rig.heard(), ok(1, {.status = autocommit}));
      rig.client(command(com::ping));
      EXPECT_EQ(rig.heard(), ok(1, {.status = autocommit}));
    }
  }
  Lost rig;
  rig.lose();
  rig.refusal = Fault::pool_timeout;
  rig.client(query("begin"));
  rig.heard();
  rig.client(command(com::ping));
  EXPECT_EQ(rig.heard(), ok(1)) << "the old one is over, and no other has begun";
}

TEST(MysqlLoss, QueryAttributesInFrontOfARollbackHideNothing) {
  Lost rig(kModern | cap::query_attributes);
  rig.lose();
  rig.client(query(std::string("\0\1", 2) + "select 1"));
  EXPECT_TRUE(Lost::is_error(rig.heard(), 1213));
  rig.client(query(std::string("\0\1", 2) + "rollback"));
  EXPECT_EQ(rig.heard()[4], '\0');
}

TEST(MysqlLoss, InTheMiddleOfAResultTheErrorContinuesItsSequence) {
  Lost rig;
  rig.client(query("select 1"));
  rig.server(count(1, 1) + definition(2) + row(3));
  rig.heard();
  EXPECT_EQ(rig.lose().kind, Kind::hold);
  EXPECT_TRUE(Lost::is_error(rig.heard(), 1213, 4));
}

TEST(MysqlLoss, WhileTheClientIsIdleItHearsAtItsNextStatement) {
  Lost rig;
  EXPECT_EQ(rig.lose().kind, Kind::hold);
  EXPECT_EQ(rig.heard(), "");
  rig.client(query("commit"));
  EXPECT_TRUE(Lost::is_error(rig.heard(), 1213));
}

TEST(MysqlLoss, BeginStartsAnew) {
  Lost rig;
  rig.lose();
  rig.client(query("start transaction"));
  EXPECT_EQ(rig.leases(), 2U);
}

TEST(MysqlLoss, OtherCommandsFailPingsDoNot) {
  Lost rig;
  rig.lose();
  rig.client(command(com::ping));
  EXPECT_EQ(rig.heard()[4], '\0');
  rig.client(command(com::init_db, "other"));
  EXPECT_TRUE(Lost::is_error(rig.heard(), 1213));
  rig.client(command(com::reset_connection));
  EXPECT_EQ(rig.heard()[4], '\0');
  rig.client(query("select 1"));
  EXPECT_EQ(rig.leases(), 2U);
}

TEST(MysqlLoss, WhatMayHaveTakenEffectClosesWithoutAWord) {
  const auto fault_after = [](const std::string& sql, bool torn = false) {
    Lost rig;
    rig.client(query(sql));
    const Fault fault = rig.lose(torn).fault;
    Writer words;
    rig.conversation.write_fault(fault, {}, words);
    EXPECT_TRUE(words.view().empty());
    return fault;
  };
  EXPECT_EQ(fault_after("commit"), Fault::outcome_unknown);
  EXPECT_EQ(fault_after("create table t (a int)"), Fault::outcome_unknown);
  EXPECT_EQ(fault_after("call p()"), Fault::outcome_unknown);
  EXPECT_EQ(fault_after("insert into t values (1); commit"), Fault::outcome_unknown);
  EXPECT_EQ(fault_after("select 1", true), Fault::outcome_unknown);
}

/// With statement 1, of one parameter.
struct LostPrepared : Lost {
  explicit LostPrepared(const std::string& sql) : Lost(kModern | cap::bulk_operations) {
    client(prepare(sql));
    server(prepared(55, 1));
    client(execute(1, kString, lenenc("a")));
    server(ok(1, {.status = 3}));
    heard();
  }
  std::string told() {
    EXPECT_EQ(lose().kind, Kind::hold);
    client(query("select 1"));
    return heard();
  }
};

TEST(MysqlLoss, UnderAPreparedStatementItIsTheSameHoweverItsTypesCame) {
  LostPrepared brought("insert into t values (?)");
  brought.client(execute(1, kString, lenenc("b")));
  EXPECT_TRUE(Lost::is_error(brought.told(), 1213));
  LostPrepared bound("insert into t values (?)");
  bound.client(execute(1, "", lenenc("b")));
  EXPECT_TRUE(Lost::is_error(bound.told(), 1213));
  LostPrepared spliced("insert into t values (?)");
  spliced.backend.statements.clear();
  spliced.client(execute(1, "", lenenc("b")));
  spliced.server(prepared(56, 1));
  EXPECT_TRUE(spliced.wire.to_backend().ends_with(execute(56, kString, lenenc("b"))));
  EXPECT_TRUE(Lost::is_error(spliced.told(), 1213));
  LostPrepared bulk("insert into t values (?)");
  bulk.client(command(com::stmt_bulk_execute,
                      id_of(1) + std::string("\x80\0", 2) + kString + std::string("\0\1b", 3)));
  EXPECT_TRUE(Lost::is_error(bulk.told(), 1213));
}

TEST(MysqlLoss, WhileAStatementIsPreparedAgainTheTransactionIsLostAndNotTheSession) {
  LostPrepared rig("insert into t values (?)");
  rig.backend.statements.clear();
  rig.client(execute(1, kString, lenenc("b")));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(prepare("insert into t values (?)")));
  EXPECT_EQ(rig.lose().kind, Kind::hold);
  EXPECT_TRUE(Lost::is_error(rig.heard(), 1213));
  EXPECT_EQ(rig.leases(), 1U);
}

TEST(MysqlLoss, APreparedStatementThatMayCommitClosesToo) {
  LostPrepared rig("do ?");
  rig.client(prepare("commit"));
  rig.server(prepared(57));
  rig.client(execute(2, "", "", 0));
  EXPECT_EQ(rig.lose().fault, Fault::outcome_unknown);
}

TEST(MysqlLoss, OutsideATransactionNobodyKnows) {
  Rig rig;
  rig.client(query("insert into t values (1)"));
  EXPECT_EQ(rig.conversation.backend_lost(false).fault, Fault::outcome_unknown);
}

TEST(MysqlLoss, PinnedStateIsLostWithTheSession) {
  Lost rig;
  rig.client(query("select get_lock('x', 1)"));
  rig.server(rows_reply());
  rig.server(count(1, 1) + definition(2) + row(3, "1") + end(4));
  EXPECT_EQ(rig.lose().kind, Kind::close);
}

TEST(MysqlLoss, WarningsThatWentWithTheBackendAreNotSaidToBeNone) {
  Lost rig;
  rig.client(query("rollback"));
  rig.server(ok(1));
  rig.client(query("insert ignore into t values (1)"));
  rig.server(ok(1, {.warnings = 1}));
  EXPECT_EQ(rig.lose().kind, Kind::hold);
  rig.heard();
  const std::size_t leases = rig.leases();
  rig.client(query("show warnings"));
  EXPECT_TRUE(Lost::is_error(rig.heard(), 1105));
  EXPECT_EQ(rig.leases(), leases);
  rig.client(query("select 1"));
  EXPECT_EQ(rig.leases(), leases + 1) << "whoever does not ask has lost nothing";
}

TEST(MysqlLoss, WhileABackendIsMadeReadyForOthersItIsNobodysLoss) {
  Lost rig;
  rig.client(query("set wait_timeout = 5"));
  rig.server(ok(1, {.status = 3, .changes = variable("wait_timeout", "5")}));
  rig.client(query("commit"));
  rig.server(ok(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SET @@session.wait_timeout=DEFAULT")));
  EXPECT_EQ(rig.lose().kind, Kind::hold);
  rig.client(query("select 1"));
  EXPECT_EQ(rig.leases(), 2U);
}

TEST(MysqlLoss, WhatNobodyHasReceivedGoesToAnotherBackend) {
  Rig rig;
  rig.backend.session.schema = "elsewhere";
  rig.client(query("select 1"));
  EXPECT_EQ(rig.conversation.backend_lost(false).kind, Kind::lease);
  rig.conversation.detach();
  rig.wire.pump();
  EXPECT_EQ(rig.leases(), 2U);
}

TEST(MysqlPooling, TheSchemaOfTheLoginHasTheServersName) {
  Rig rig(start(), "shop_2026");
  rig.conversation.place(protocol::Pooling::transaction, "shop_2026", false);
  rig.client(query("select 1"));
  EXPECT_EQ(rig.wire.to_backend().find(command(com::init_db, "shop")), std::string::npos);
  EXPECT_NE(rig.wire.to_backend().find("select 1"), std::string::npos);
}

TEST(MysqlPooling, ASessionKeepsItsBackendAndAStatementRefusesTransactions) {
  Rig session;
  session.conversation.place(protocol::Pooling::session, "shop", true);
  session.client(query("select 1"));
  session.server(rows_reply());
  EXPECT_EQ(session.releases(), 0U);
  EXPECT_EQ(session.conversation.answered(), 1U);
  Rig statement;
  statement.conversation.place(protocol::Pooling::statement, "shop", false);
  statement.client(query("begin"));
  statement.server(ok(1, {.status = 3}));
  EXPECT_EQ(statement.wire.fault(), Fault::transaction_refused);
}

}  // namespace
}  // namespace weirpool::test::mysql
