#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

const std::string kAnswer = bind_complete() + command("SELECT 1") + ready();

MakeRig two_backends(std::uint32_t max_prepared = 100) {
  return [max_prepared] {
    auto rig = std::make_unique<Rig>(std::vector<postgres::NamedValue>{}, max_prepared);
    rig->backends.push_back(fresh_backend(max_prepared));
    return rig;
  };
}

TEST(ConversationPrepared, AStatementGetsTheNameAllClientsShare) {
  const Outcome heard =
      play_all_ways({client(parse("s", "select $1") + sync()), backend(parse_complete() + ready()),
                     client(bind_to("", "s") + execute() + sync()), backend(kAnswer)});
  EXPECT_EQ(heard.to_backend, parse("weirpool_1", "select $1") + sync() +
                                  bind_to("", "weirpool_1") + execute() + sync());
  EXPECT_EQ(heard.to_client, parse_complete() + ready() + kAnswer);
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationPrepared, ABackendThatLacksTheStatementIsGivenIt) {
  const Outcome heard = play_all_ways(
      {client(parse("s", "select $1") + sync()), backend(parse_complete() + ready()),
       client(bind_to("", "s") + execute() + sync()), backend(parse_complete() + kAnswer)},
      two_backends());
  EXPECT_EQ(tags(heard.to_backend), "PSPBES");
  EXPECT_EQ(heard.to_client, parse_complete() + ready() + kAnswer);  // One ParseComplete only.
}

TEST(ConversationPrepared, AStatementTheBackendHasIsAnsweredInOrder) {
  Rig first;
  first.wire.feed(Party::client, parse("a", "select 1") + sync());
  first.wire.feed(Party::backend, parse_complete() + ready());
  postgres::PostgresConversation second(first.catalog, first.catalog->profiles.of({}));
  std::size_t leases = 0;
  Wire wire(second, [&](const Verdict& verdict, Wire&) {
    if (verdict.kind == Kind::lease) second.attach(first.backend());
    if (verdict.kind == Kind::lease) ++leases;
    if (verdict.kind == Kind::release) second.detach();
  });
  wire.feed(Party::client,
            query("select 0") + parse("b", "select 1") + describe('S', "b") + sync());
  EXPECT_EQ(wire.to_backend(), query("select 0") + describe('S', "weirpool_1") + sync());
  EXPECT_EQ(wire.to_client(), "");
  wire.feed(Party::backend, row(std::string(20000, 'x')) + command("SELECT 1") + ready());
  EXPECT_EQ(tags(wire.to_client()), "DCZ1");
  wire.feed(Party::backend, parameter_description() + row_description() + ready());
  EXPECT_EQ(tags(wire.to_client()), "DCZ1tTZ");
  EXPECT_EQ(wire.breach(), "");
}

TEST(ConversationPrepared, AMadeUpAnswerNeedsNoBytesFromTheBackend) {
  Rig rig;
  rig.wire.feed(Party::client, parse("a", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client, close_of('S', "a") + parse("b", "select 1") + flush());
  EXPECT_EQ(tags(rig.wire.to_client()), "1Z31");
}

TEST(ConversationPrepared, AFailedParseIsNotRegistered) {
  const Outcome heard =
      play_all_ways({client(parse("s", "oops") + bind_to("", "s") + execute() + sync()),
                     backend(error("42601", "syntax error") + ready()),
                     client(parse("s", "select 1") + sync()), backend(parse_complete() + ready())});
  EXPECT_EQ(heard.to_backend, parse("weirpool_1", "oops") + bind_to("", "weirpool_1") + execute() +
                                  sync() + parse("weirpool_2", "select 1") + sync());
  EXPECT_EQ(tags(heard.to_client), "EZ1Z");
}

TEST(ConversationPrepared, ASkippedParseIsNotRegistered) {
  Rig rig;
  rig.wire.feed(Party::client, parse("", "oops") + parse("s", "select 1") + sync());
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  EXPECT_EQ(rig.backend().statements.size(), 0U);
  EXPECT_EQ(rig.catalog->statements.size(), 0U);
  rig.wire.feed(Party::client, bind_to("", "s") + sync());
  EXPECT_NE(rig.wire.to_backend().find(bind_to("", "s")), std::string::npos);
}

TEST(ConversationPrepared, AFailedInjectedParseIsRelayedAndForgotten) {
  auto rig = two_backends()();
  rig->wire.feed(Party::client, parse("s", "select * from t") + sync());
  rig->wire.feed(Party::backend, parse_complete() + ready());
  rig->wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig->wire.feed(Party::backend, error("42P01", "no such table") + ready());
  EXPECT_EQ(tags(rig->wire.to_client()), "1ZEZ");
  EXPECT_EQ(rig->backends[1]->statements.size(), 0U);
  EXPECT_FALSE(rig->attached);
}

TEST(ConversationPrepared, WhatABatchMayNotHaveGivenTheNextOneWaitsFor) {
  const std::string batch = bind_to("", "s") + execute() + sync();
  const Outcome heard = play_all_ways(
      {client(parse("s", "select $1") + sync()), backend(parse_complete() + ready()),
       client(parse("", "oops") + batch + batch), backend(error("42601", "syntax error") + ready()),
       backend(parse_complete() + kAnswer)},
      two_backends());
  EXPECT_EQ(tags(heard.to_backend), "PSPPBESPBES");
  EXPECT_EQ(tags(heard.to_client), "1ZEZ" + tags(kAnswer));
}

TEST(ConversationPrepared, NoMadeUpAnswerInAFailedBatch) {
  Rig rig;
  rig.wire.feed(Party::client, parse("a", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client,
                parse("", "oops") + close_of('S', "a") + parse("b", "select 1") + sync());
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  EXPECT_EQ(tags(rig.wire.to_client()), "1ZEZ");
  // The Close was skipped as well: the name still means what it meant.
  rig.wire.feed(Party::client, bind_to("", "a") + execute() + sync());
  EXPECT_NE(rig.wire.to_backend().find(bind_to("", "weirpool_1")), std::string::npos);
}

TEST(ConversationPrepared, ANameInUseIsRefusedByTheBackendItself) {
  Rig rig;
  rig.wire.feed(Party::client, parse("s", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client, parse("s", "select 2") + sync());
  EXPECT_NE(rig.wire.to_backend().find(parse("weirpool_1", "select 2")), std::string::npos);
  rig.wire.feed(Party::backend, error("42P05", "already exists") + ready());
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig.wire.feed(Party::backend, kAnswer);
  EXPECT_EQ(tags(rig.wire.to_client()), "1ZEZ2CZ");
  EXPECT_EQ(rig.backend().statements.size(), 1U);
}

TEST(ConversationPrepared, WeirpoolsOwnNamesCannotBeGuessed) {
  Rig rig;
  rig.wire.feed(Party::client, bind_to("", "weirpool_1") + describe('S', "weirpool_1") + sync());
  EXPECT_EQ(rig.wire.to_backend(),
            bind_to("", "weirpool_1_") + describe('S', "weirpool_1_") + sync());
}

TEST(ConversationPrepared, EvictionClosesTheOldestBeforeTheNewIsParsed) {
  const auto make = [] { return std::make_unique<Rig>(std::vector<postgres::NamedValue>{}, 1); };
  const Outcome heard =
      play_all_ways({client(parse("a", "select 1") + sync()), backend(parse_complete() + ready()),
                     client(parse("b", "select 2") + sync()),
                     backend(close_complete() + parse_complete() + ready()),
                     client(bind_to("", "a") + execute() + sync()),
                     backend(close_complete() + parse_complete() + kAnswer)},
                    make);
  EXPECT_EQ(tags(heard.to_backend), "PSCPSCPBES");
  EXPECT_EQ(tags(heard.to_client), "1Z1Z2CZ");
}

TEST(ConversationPrepared, AnEvictionThatWasSkippedIsTakenBack) {
  Rig rig({}, 1);
  rig.wire.feed(Party::client, parse("a", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client, parse("", "oops") + parse("b", "select 2") + sync());
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  rig.wire.feed(Party::client, bind_to("", "a") + execute() + sync());
  rig.wire.feed(Party::backend, kAnswer);
  EXPECT_EQ(tags(rig.wire.to_backend()), "PSPCPSBES");
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationPrepared, TheUnnamedStatementMovesWithItsClient) {
  const Outcome heard = play_all_ways(
      {client(parse("", "select $1") + describe('S', "") + sync()),
       backend(parse_complete() + parameter_description() + no_data() + ready()),
       client(bind_to("", "") + execute() + sync()), backend(parse_complete() + kAnswer)},
      two_backends());
  EXPECT_EQ(tags(heard.to_backend), "PDSPBES");
  EXPECT_EQ(tags(heard.to_client), "1tnZ2CZ");
}

TEST(ConversationPrepared, AnotherClientsUnnamedStatementIsNeverReached) {
  Rig one;
  one.wire.feed(Party::client, parse("", "select secret") + sync());
  one.wire.feed(Party::backend, parse_complete() + ready());
  Rig two;
  two.backends.clear();
  two.backends.push_back(std::move(one.backends.front()));
  two.wire.feed(Party::client, bind_to("", "") + execute() + sync());
  EXPECT_EQ(two.wire.to_backend(), close_of('S', "") + bind_to("", "") + execute() + sync());
  two.wire.feed(Party::backend, close_complete() + error("26000", "does not exist") + ready());
  EXPECT_EQ(tags(two.wire.to_client()), "EZ");
}

TEST(ConversationPrepared, ASimpleQueryEndsTheUnnamedStatement) {
  Rig rig;
  rig.wire.feed(Party::client, parse("", "select 1") + sync() + query("select 2"));
  rig.wire.feed(Party::backend, parse_complete() + ready() + command("SELECT 1") + ready());
  rig.wire.feed(Party::client, bind_to("", "") + sync());
  EXPECT_EQ(tags(rig.wire.to_backend()), "PSQBS");
}

TEST(ConversationPrepared, ASkippedUnnamedParseLeavesNoDoubt) {
  Rig rig;
  rig.wire.feed(Party::client, parse("x", "oops") + parse("", "select 1") + sync());
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  rig.wire.feed(Party::client, bind_to("", "") + sync());
  EXPECT_EQ(tags(rig.wire.to_backend()), "PPSCBS");
}

TEST(ConversationPrepared, TheSameUnnamedParseOnceMoreIsAnother) {
  const std::string batch = parse("", "select 1") + bind_to("", "") + execute() + sync();
  const Outcome heard = play_all_ways(
      {client(batch), backend(parse_complete() + kAnswer), client(batch + batch),
       backend(error("42P01", "no such table") + ready()), backend(parse_complete() + kAnswer),
       client(bind_to("", "") + execute() + sync()), backend(parse_complete() + kAnswer)},
      two_backends());
  EXPECT_EQ(tags(heard.to_backend), "PBESPBESPBESPBES");
  EXPECT_EQ(tags(heard.to_client), "12CZEZ12CZ2CZ");
}

TEST(ConversationPrepared, ClosingAPortalKeepsTheStatement) {
  Rig rig;
  rig.wire.feed(Party::client, parse("s", "select 1") + close_of('P', "s") + sync());
  rig.wire.feed(Party::backend, parse_complete() + close_complete() + ready());
  rig.wire.feed(Party::client, bind_to("", "s") + sync());
  EXPECT_EQ(tags(rig.wire.to_backend()), "PCSBS");
}

TEST(ConversationPrepared, DeallocateAllForgetsWhatWasAndKeepsWhatComes) {
  Rig rig;
  rig.wire.feed(Party::client, parse("a", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client, query("deallocate all") + parse("b", "select 2") + sync());
  rig.wire.feed(Party::backend, command("DEALLOCATE ALL") + ready());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  EXPECT_EQ(rig.backend().statements.size(), 1U);
  rig.wire.feed(Party::client, bind_to("", "b") + bind_to("", "a") + sync());
  EXPECT_EQ(tags(rig.wire.to_backend()), "PSQPSBBS");
  EXPECT_NE(rig.wire.to_backend().find(bind_to("", "weirpool_2")), std::string::npos);
  EXPECT_NE(rig.wire.to_backend().find(bind_to("", "a")), std::string::npos);
}

TEST(ConversationPrepared, WhatIsSentBehindAForgettingStatementWaitsForIt) {
  const std::string nothing_to_tell = row_description() + row() + command("SELECT 1") + ready();
  for (const auto& [text, tag] :
       {std::pair{"discard all", "DISCARD ALL"}, std::pair{"deallocate all", "DEALLOCATE ALL"}}) {
    Rig rig;
    rig.wire.feed(Party::client, query(text) + parse("s1", "select 1") + sync());
    EXPECT_EQ(tags(rig.wire.to_backend()), "Q") << text;
    rig.wire.feed(Party::backend, command(tag) + ready());
    while (tags(rig.wire.to_backend()).back() == 'Q') {
      const auto before = rig.wire.to_backend().size();
      rig.wire.feed(Party::backend, nothing_to_tell);
      ASSERT_NE(rig.wire.to_backend().size(), before) << text;
    }
    EXPECT_TRUE(tags(rig.wire.to_backend()).ends_with("PS")) << text;
    rig.wire.feed(Party::backend, parse_complete() + ready());
    EXPECT_TRUE(tags(rig.wire.to_client()).ends_with("CZ1Z")) << text;
  }
}

TEST(ConversationPrepared, StatementsPinWhenTheyAreBound) {
  Rig rig;
  rig.wire.feed(Party::client, parse("s", "listen x") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  EXPECT_FALSE(rig.attached);
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig.wire.feed(Party::backend, bind_complete() + command("LISTEN") + ready());
  EXPECT_EQ(rig.conversation.pin_reason(), "listen");
  EXPECT_TRUE(rig.attached);
}

TEST(ConversationPrepared, LongStatementsAreCollected) {
  const std::string text = "select '" + std::string(60000, 'x') + "'";
  Rig rig;
  rig.wire.set_window(5000);
  rig.wire.feed(Party::client, parse("s", text) + bind_to("", "s") + execute() + sync());
  EXPECT_EQ(rig.wire.breach(), "");
  EXPECT_EQ(rig.wire.to_backend(),
            parse("weirpool_1", text) + bind_to("", "weirpool_1") + execute() + sync());
}

TEST(ConversationPrepared, BehindDdlOfItsTransactionAStatementIsPreparedAnew) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin") + parse("s1", "select * from t") + sync());
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + parse_complete() + ready('T'));
  rig.wire.feed(Party::client, query("alter table t add c int"));
  rig.wire.feed(Party::backend, command("ALTER TABLE") + ready('T'));
  rig.wire.feed(Party::client, parse("s2", "select * from t") + sync());
  EXPECT_TRUE(rig.wire.to_backend().ends_with(close_of('S', "weirpool_1") +
                                              parse("weirpool_1", "select * from t") + sync()));
  rig.wire.feed(Party::backend, close_complete() + parse_complete() + ready('T'));
  EXPECT_TRUE(rig.wire.to_client().ends_with(parse_complete() + ready('T')));
  rig.wire.feed(Party::client, query("commit"));
  rig.wire.feed(Party::backend, command("COMMIT") + ready());
  // By everybody else, too: types of parameters may be others.
  rig.wire.feed(Party::client, parse("s3", "select * from t") + sync());
  EXPECT_TRUE(rig.wire.to_backend().ends_with(parse("weirpool_2", "select * from t") + sync()));
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client, parse("s4", "select * from t") + sync());
  EXPECT_TRUE(tags(rig.wire.to_backend()).ends_with("PSS")) << "known";
}

TEST(ConversationPrepared, InAFailedTransactionTheServerItselfAnswersParse) {
  const std::string aborted = error("25P02", "transaction is aborted") + ready('E');
  const Outcome heard = play_all_ways(
      {client(parse("a", "select 1") + sync()), backend(parse_complete() + ready()),
       client(query("begin; nonsense")), backend(error("42601", "syntax error") + ready('E')),
       client(parse("b", "select 1") + describe('S', "b") + sync()),
       backend(close_complete() + aborted), client(query("rollback")),
       backend(command("ROLLBACK") + ready()),
       // The name is free, and what the backend has lost it gets again.
       client(parse("b", "select 1") + sync()), backend(parse_complete() + ready()),
       client(bind_to("", "a") + bind_to("", "b") + sync()),
       backend(bind_complete() + bind_complete() + ready())});
  EXPECT_EQ(tags(heard.to_client), "1ZEZEZCZ1Z22Z");
  EXPECT_EQ(tags(heard.to_backend), "PSQCPDSQPSBBS");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationPrepared, SoItDoesBehindWhatMayFailTheTransaction) {
  for (const auto& [sent, asked] : std::vector<std::pair<std::string, bool>>{
           {query("begin") + query("nonsense"), true},
           {parse("", "begin") + bind_to("", "") + execute() + sync(), true},
           {parse("", "begin") + bind_to("", "") + execute(), false},
           {parse("", "select 2") + bind_to("", "") + execute() + sync(), false},
           {query("select 2"), false}}) {
    Rig rig;
    rig.wire.feed(Party::client, parse("a", "select 1") + sync());
    rig.wire.feed(Party::backend, parse_complete() + ready());
    rig.wire.feed(Party::client, sent + parse("b", "select 1") + sync());
    EXPECT_EQ(tags(rig.wire.to_backend()).ends_with("CPS"), asked) << tags(sent);
  }
}

TEST(ConversationPrepared, ALongStatementOfABatchThatFailsMeanwhileIsDropped) {
  const std::string late = parse("s", "select '" + std::string(6000, 'x') + "'");
  Rig rig;
  rig.wire.feed(Party::client,
                parse("", "select 1/0") + bind_to("", "") + execute() + late.substr(0, 100));
  rig.wire.feed(Party::backend,
                parse_complete() + bind_complete() + error("22012", "division by zero"));
  rig.wire.feed(Party::client, late.substr(100) + sync());
  EXPECT_TRUE(tags(rig.wire.to_backend()).ends_with("PBES")) << tags(rig.wire.to_backend());
  rig.wire.feed(Party::backend, ready());
  EXPECT_EQ(rig.wire.fault(), Fault::none);
  EXPECT_EQ(tags(rig.wire.to_client()), "12EZ");
}

TEST(ConversationPrepared, ALongUnnamedStatementMovesWithItsClientToo) {
  const std::string text = "insert into t values ('" + std::string(200000, 'x') + "', $1)";
  auto rig = two_backends()();
  rig->wire.feed(Party::client, parse("", text) + describe('S', "") + sync());
  rig->wire.feed(Party::backend, parse_complete() + parameter_description() + no_data() + ready());
  EXPECT_FALSE(rig->attached);
  for (int again = 0; again < 2; ++again) {
    const std::size_t before = rig->wire.to_backend().size();
    rig->wire.feed(Party::client, bind_to("", "") + execute() + sync());
    const bool fresh = again == 0;
    EXPECT_EQ(rig->wire.to_backend().substr(before),
              (fresh ? parse("", text) : "") + bind_to("", "") + execute() + sync());
    rig->wire.feed(Party::backend, (fresh ? parse_complete() : "") + kAnswer);
    EXPECT_FALSE(rig->attached);
  }
  EXPECT_EQ(tags(rig->wire.to_client()), "1tnZ2CZ2CZ");
}

TEST(ConversationPrepared, WhatExecutesWhatWasPreparedInSqlIsSharedWithTheSame) {
  Rig rig;
  const auto listed = [](const std::string& rows) {
    return row_description() + rows + command("SELECT 1") + ready();
  };
  const auto prepare = [&](const std::string& text) {
    rig.wire.feed(Party::client, query(text));
    rig.wire.feed(Party::backend, command("PREPARE") + ready());
    rig.wire.feed(Party::backend, listed(row_of({"p", text})));
    EXPECT_FALSE(rig.attached);
  };
  prepare("prepare p as select 1");
  rig.wire.feed(Party::client, parse("s", "Execute p") + parse("t", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + parse_complete() + ready());
  rig.wire.feed(Party::client, query("deallocate p"));
  rig.wire.feed(Party::backend, command("DEALLOCATE") + ready());
  rig.wire.feed(Party::backend, listed(""));
  prepare("prepare p as select 'x'");
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, parse("v", "Execute p") + parse("w", "select 1") + sync());
  EXPECT_EQ(rig.wire.to_backend().substr(before), parse("weirpool_3", "Execute p") + sync());
}

}  // namespace
}  // namespace weirpool::test::pg
