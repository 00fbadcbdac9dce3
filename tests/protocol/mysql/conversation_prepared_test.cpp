// Prepared statements over backends that know them, lack them, or have somebody else's types bound.
#include <gtest/gtest.h>

#include "tests/protocol/mysql/prepared_rig.hpp"

namespace weirpool::test::mysql {
namespace {

TEST(MysqlConversationPrepared, TheClientHearsAnIdOfItsOwnAndNothingPins) {
  Prepared rig;
  EXPECT_EQ(rig.wire.to_client(), prepared(1, 1, 1));
  EXPECT_EQ(rig.releases(), 1u);
  rig.client(execute(1, kString, lenenc("a")));
  EXPECT_EQ(rig.fresh(), execute(55, kString, lenenc("a")));
  rig.server(binary_rows());
  EXPECT_EQ(rig.answer(), binary_rows());
  EXPECT_EQ(rig.releases(), 2u);
}

TEST(MysqlConversationPrepared, ABackendThatLacksItGetsItFirst) {
  Prepared rig;
  rig.elsewhere();
  rig.client(execute(1, kString, lenenc("a")));
  EXPECT_EQ(rig.fresh(), prepare("select ?"));
  rig.server(prepared(7, 1, 1));
  EXPECT_EQ(rig.answer(), "") << "its reply is swallowed";
  EXPECT_EQ(rig.fresh(), prepare("select ?") + execute(7, kString, lenenc("a")));
  rig.server(binary_rows());
  EXPECT_EQ(rig.answer(), binary_rows());
}

TEST(MysqlConversationPrepared, EveryCutGivesTheSame) {
  const Script script{client(prepare("select ?")),
                      backend(prepared(55, 1, 1)),
                      client(execute(1, kString, lenenc("a"))),
                      backend(binary_rows()),
                      client(execute(1, "", lenenc("b"))),
                      backend(prepared(56, 1, 1)),
                      backend(binary_rows())};
  const auto run = [&](Cut cut) {
    Rig rig;
    for (std::size_t i = 0; i < script.size(); ++i) {
      if (i == 4) rig.backend.statements.clear();
      play(rig.wire, {script[i]}, cut.line == i ? Cut{0, cut.at} : Cut{});
    }
    EXPECT_EQ(rig.wire.breach(), "");
    EXPECT_EQ(rig.releases(), 3u);
    return rig.wire.to_backend() + rig.wire.to_client();
  };
  const std::string whole = run({});
  EXPECT_NE(whole.find(execute(56, kString, lenenc("b"))), std::string::npos);
  std::vector<std::size_t> lengths;
  Rig none;
  for (const Line& line : script) lengths.push_back(line.make(none.wire).size());
  for_every_cut(lengths, [&](Cut cut) { EXPECT_EQ(run(cut), whole) << cut.line << ':' << cut.at; });
}

TEST(MysqlConversationPrepared, TypesAreSplicedWhereTheBackendHasOthers) {
  ConversationStart from = start();
  Catalog& catalog = *from.catalog;
  Prepared rig(1, from);
  rig.client(execute(1, kString, lenenc("a")));
  rig.server(binary_rows());
  rig.mark();
  rig.client(execute(1, "", lenenc("b")));
  EXPECT_EQ(rig.fresh(), execute(55, "", lenenc("b"))) << "they are still bound";
  rig.server(binary_rows());
  // Another client of the same statement.
  const ContextRef context = catalog.context(rig.backend.session, nullptr);
  rig.backend.statements.find(*catalog.statement(context, "select ?", {}))->types = kBigint;
  rig.mark();
  rig.client(execute(1, "", lenenc("c")));
  EXPECT_EQ(rig.fresh(), execute(55, kString, lenenc("c")));
}

TEST(MysqlConversationPrepared, TypesThatOnlyOthersHaveBoundAreNoTypes) {
  Prepared rig;
  rig.client(execute(1, "", lenenc("c")));
  EXPECT_EQ(rig.fresh(), "");
  EXPECT_NE(rig.answer().find("Incorrect arguments"), std::string::npos);
}

TEST(MysqlConversationPrepared, OptionalMetadataPins) {
  Rig rig(start(kModern | cap::optional_metadata));
  rig.client(prepare("select 1"));
  rig.server(packet(1, prepared(55).substr(4) + '\1'));
  EXPECT_EQ(rig.pin(), "prepared_statement");
}

TEST(MysqlConversationPrepared, ManyParametersAreCollected) {
  constexpr unsigned kMany = 20000;
  Prepared rig(kMany);
  std::string types;
  for (unsigned i = 0; i < kMany; ++i) types += kString;
  const std::string values(30000, 'v');
  rig.client(execute(1, types, values, kMany));
  EXPECT_EQ(rig.fresh(), execute(55, types, values, kMany));
  rig.server(ok(1));
  rig.elsewhere();
  rig.mark();
  rig.client(execute(1, "", values, kMany));
  rig.server(prepared(8, kMany, 1));
  EXPECT_EQ(rig.fresh(), prepare("select ?") + execute(8, types, values, kMany));
  rig.server(ok(1));
  EXPECT_EQ(rig.releases(), 3u);
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlConversationPrepared, FailureToPrepareAnewAnswersTheExecute) {
  Prepared rig;
  rig.elsewhere();
  rig.client(execute(1, kString, lenenc("a")));
  rig.server(err(1, 1146, "#42S02no table"));
  EXPECT_EQ(rig.answer(), err(1, 1146, "#42S02no table"));
  EXPECT_EQ(rig.fresh(), prepare("select ?"));
  EXPECT_EQ(rig.releases(), 2u);
  rig.client(execute(1, kString, lenenc("a")));
  rig.server(prepared(9, 2));
  EXPECT_NE(rig.answer().find("needs to be re-prepared"), std::string::npos);
}

TEST(MysqlConversationPrepared, ItIsPreparedUnderTheSettingsOfItsTime) {
  Prepared rig;
  rig.client(query("use other; "));
  rig.server(ok(1, {.changes = schema("other") + state_changed()}));
  rig.elsewhere();
  rig.mark();
  rig.client(execute(1, kString, lenenc("a")));
  EXPECT_EQ(rig.fresh(),
            command(com::init_db, "shop") + prepare("select ?") + command(com::init_db, "other"));
  rig.server(ok(1) + prepared(9, 1, 1) + ok(1));
  EXPECT_TRUE(rig.fresh().ends_with(execute(9, kString, lenenc("a"))));
  EXPECT_EQ(rig.backend.session.schema, "other");
}

TEST(MysqlConversationPrepared, AChangedSettingThatIsRefusedIsTheAnswer) {
  Prepared rig;
  rig.client(query("use other"));
  rig.server(ok(1, {.changes = schema("other") + state_changed()}));
  rig.elsewhere();
  rig.client(execute(1, kString, lenenc("a")));
  rig.mark();
  rig.server(err(1, 1049, "#42000gone") + prepared(9, 1, 1) + ok(1));
  EXPECT_EQ(rig.answer(), err(1, 1049, "#42000gone"));
  EXPECT_EQ(rig.backend.statements.size(), 0u) << "it was prepared in the wrong schema";
  rig.client(query("select 1"));
  EXPECT_EQ(rig.fresh(), close(9) + query("select 1"));
}

TEST(MysqlConversationPrepared, CloseCostsNothing) {
  Prepared rig;
  rig.client(close(1));
  EXPECT_EQ(rig.fresh(), "");
  EXPECT_EQ(rig.leases(), 1u);
  rig.client(execute(1));
  EXPECT_NE(rig.answer().find("Unknown prepared statement"), std::string::npos);
  rig.client(prepare("select ?"));
  EXPECT_EQ(rig.fresh(), prepare("select ?")) << "fresh metadata, always from the server";
  rig.server(prepared(56, 1, 1));
  rig.client(query("select 1"));
  EXPECT_TRUE(rig.fresh().ends_with(close(55) + query("select 1")));
}

TEST(MysqlConversationPrepared, BackendsAreBounded) {
  Prepared rig;
  rig.client(prepare("a"));
  rig.server(prepared(56));
  rig.client(prepare("b"));
  rig.server(prepared(57));
  rig.mark();
  rig.client(execute(3, "", "", 0));
  EXPECT_EQ(rig.fresh(), close(55) + execute(57, "", "", 0));
}

TEST(MysqlConversationPrepared, ClientsAreBounded) {
  Prepared rig;
  for (unsigned i = 1; i < 32; ++i) {
    rig.client(prepare("a" + std::to_string(i)));
    rig.server(prepared(100 + i));
  }
  rig.mark();
  rig.client(prepare("one too many"));
  EXPECT_NE(rig.answer().find("max_prepared_stmt_count"), std::string::npos);
  EXPECT_EQ(rig.fresh(), "");
  rig.client(close(5) + prepare("fits"));
  EXPECT_TRUE(rig.fresh().ends_with(prepare("fits")));
}

TEST(MysqlConversationPrepared, AServerWithoutRoomGetsSomeBackAndIsAskedAgain) {
  Prepared rig;
  rig.client(prepare("a"));
  rig.server(err(1, 1461));
  EXPECT_EQ(rig.answer(), "");
  EXPECT_EQ(rig.fresh(), prepare("a") + close(55) + prepare("a"));
  rig.server(prepared(60));
  EXPECT_EQ(rig.answer(), prepared(2));
  rig.elsewhere();
  rig.client(prepare("b"));
  rig.server(err(1, 1461));
  EXPECT_TRUE(rig.answer().ends_with(err(1, 1461))) << "there is nothing to give";
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlConversationPrepared, WhatItsServerHasNoRoomForIsClosedByABackendThatIsLent) {
  Prepared rig;
  const auto room = std::make_shared<StatementRoom>(2);
  rig.backend.statements.share(room);
  rig.client(prepare("b"));
  rig.server(prepared(56));
  room->lower(2);  // another backend has heard of it
  rig.mark();
  rig.client(query("select 1"));
  EXPECT_EQ(rig.fresh(), close(55) + query("select 1"));
}

TEST(MysqlConversationPrepared, ItsTextIsReadAsTheBackendThatHasItReadsIt) {
  Rig rig;
  rig.client(prepare("select \"get_lock\"('a', 1)"));
  rig.server(prepared(55));
  rig.backend.ansi_quotes = true;  // another backend, under another default
  rig.backend.statements.clear();
  rig.client(execute(1, "", "", 0));
  rig.server(prepared(7));
  rig.server(binary_rows());
  EXPECT_EQ(rig.pin(), "named_lock");
}

TEST(MysqlConversationPrepared, CursorsPinUntilTheLastRow) {
  constexpr std::uint16_t kOpen = status::autocommit | status::cursor_exists;
  Prepared rig;
  rig.client(execute(1, kString, lenenc("a"), 1, 1));
  rig.server(count(1, 1) + definition(2) + end(3, {.status = kOpen}));
  EXPECT_EQ(rig.pin(), "cursor");
  rig.client(command(com::stmt_fetch, id_of(1) + id_of(10)));
  EXPECT_TRUE(rig.fresh().ends_with(command(com::stmt_fetch, id_of(55) + id_of(10))));
  rig.server(packet(1, std::string("\0\0v", 3)) + end(2, {.status = kOpen}));
  EXPECT_EQ(rig.releases(), 1u);
  rig.client(command(com::stmt_fetch, id_of(1) + id_of(10)));
  rig.server(end(1, {.status = kOpen | status::last_row_sent}));
  EXPECT_EQ(rig.releases(), 2u);
  rig.client(command(com::stmt_fetch, id_of(1) + id_of(10)));
  EXPECT_NE(rig.answer().find("has no open cursor"), std::string::npos);
}

TEST(MysqlConversationPrepared, AnotherStatementOfTheSameTextLeavesACursorAlone) {
  constexpr std::uint16_t kOpen = status::autocommit | status::cursor_exists;
  const std::string fetched = id_of(1) + id_of(10);
  Prepared rig;
  rig.client(prepare("select ?"));
  rig.server(prepared(56, 1, 1));
  rig.client(execute(1, kString, lenenc("a"), 1, 1));
  rig.server(count(1, 1) + definition(2) + end(3, {.status = kOpen}));
  rig.mark();
  rig.client(execute(2, kString, lenenc("b")));
  rig.server(prepared(57, 1, 1));
  EXPECT_EQ(rig.fresh(), prepare("select ?") + execute(57, kString, lenenc("b")));
  rig.server(binary_rows());
  rig.mark();
  rig.client(command(com::stmt_fetch, fetched));
  EXPECT_EQ(rig.fresh(), command(com::stmt_fetch, id_of(56) + id_of(10)));
  rig.server(end(1, {.status = kOpen | status::last_row_sent}));
  EXPECT_EQ(rig.pin(), "prepared_statement") << "until the first one is closed";
  rig.mark();
  rig.client(close(1));
  EXPECT_EQ(rig.fresh(), close(56));
  EXPECT_EQ(rig.pin(), "");
}

TEST(MysqlConversationPrepared, PreparingTheTextOfAnOpenCursorLeavesItAlone) {
  constexpr std::uint16_t kOpen = status::autocommit | status::cursor_exists;
  Prepared rig;
  rig.client(execute(1, kString, lenenc("a"), 1, 1));
  rig.server(count(1, 1) + definition(2) + end(3, {.status = kOpen}));
  rig.client(prepare("select ?"));
  rig.server(prepared(56, 1, 1));
  rig.mark();
  rig.client(command(com::stmt_fetch, id_of(1) + id_of(10)));
  EXPECT_EQ(rig.fresh(), command(com::stmt_fetch, id_of(55) + id_of(10)));
}

TEST(MysqlConversationPrepared, AnOpenCursorGoesWithItsStatement) {
  constexpr std::uint16_t kOpen = status::autocommit | status::cursor_exists;
  Prepared rig;
  rig.client(execute(1, kString, lenenc("a"), 1, 1));
  rig.server(count(1, 1) + definition(2) + end(3, {.status = kOpen}));
  rig.client(close(1));
  EXPECT_EQ(rig.releases(), 2u);
  EXPECT_EQ(rig.backend.statements.closing(), std::vector<std::uint32_t>{55});
  Prepared other;
  other.client(execute(1, kString, lenenc("a"), 1, 1));
  other.server(count(1, 1) + definition(2) + end(3, {.status = kOpen}));
  other.client(command(com::stmt_reset, id_of(1)));
  EXPECT_TRUE(other.fresh().ends_with(command(com::stmt_reset, id_of(55))));
  other.server(ok(1));
  EXPECT_EQ(other.releases(), 2u);
}

TEST(MysqlConversationPrepared, LongDataPinsUntilItIsExecuted) {
  Prepared rig;
  const std::string data = std::string("\0\0", 2) + "long";
  rig.client(command(com::stmt_send_long_data, id_of(1) + data));
  EXPECT_EQ(rig.fresh(), command(com::stmt_send_long_data, id_of(55) + data));
  EXPECT_EQ(rig.pin(), "long_data");
  EXPECT_EQ(rig.releases(), 1u);
  rig.client(execute(1, kString));
  rig.server(ok(1));
  EXPECT_EQ(rig.releases(), 2u);
  rig.client(command(com::stmt_send_long_data, id_of(1) + data));
  rig.client(execute(1, kString));
  rig.server(err(1) + no_warnings());
  EXPECT_EQ(rig.releases(), 3u);
  EXPECT_EQ(rig.backend.statements.closing(), std::vector<std::uint32_t>{55})
      << "what the error left of it is not told";
}

TEST(MysqlConversationPrepared, LongDataOfNobodyIsDropped) {
  Prepared rig;
  rig.client(command(com::stmt_send_long_data, id_of(9) + "xxlong") +
             command(com::stmt_reset, id_of(1)));
  EXPECT_EQ(rig.fresh(), "");
  EXPECT_EQ(rig.answer(), ok(1));
}

TEST(MysqlConversationPrepared, TheLastOneHasANameInMariaDb) {
  Prepared rig(0);
  rig.client(execute(kLastPrepared, "", "", 0));
  EXPECT_EQ(rig.fresh(), execute(55, "", "", 0));
  rig.server(ok(1));
  rig.client(prepare("wrong") + execute(kLastPrepared, "", "", 0));
  rig.mark();
  rig.server(err(1));
  EXPECT_TRUE(rig.answer().starts_with(err(1)));
  EXPECT_NE(rig.answer().find("Unknown prepared statement"), std::string::npos);
}

TEST(MysqlConversationPrepared, BulkExecutionGetsItsTypesToo) {
  Prepared rig;
  const std::string bulk_with = std::string("\x80\0", 2) + kString + std::string("\0\1a", 3);
  rig.client(command(com::stmt_bulk_execute, id_of(1) + bulk_with));
  EXPECT_EQ(rig.fresh(), command(com::stmt_bulk_execute, id_of(55) + bulk_with));
  rig.server(ok(1));
  rig.elsewhere();
  rig.client(command(com::stmt_bulk_execute, id_of(1) + std::string("\0\0\0\1a", 5)));
  rig.server(prepared(9, 1, 1));
  EXPECT_TRUE(rig.fresh().ends_with(command(com::stmt_bulk_execute, id_of(9) + bulk_with)));
}

TEST(MysqlConversationPrepared, WhatAStatementDoesCountsWhenItIsExecuted) {
  Rig rig;
  rig.client(prepare("select get_lock('a', 1)"));
  rig.server(prepared(55));
  EXPECT_EQ(rig.releases(), 1u);
  rig.client(execute(1, "", "", 0));
  rig.server(ok(1));
  rig.server(count(1, 1) + definition(2) + row(3, "1") + end(4));
  EXPECT_EQ(rig.pin(), "named_lock");
}

TEST(MysqlConversationPrepared, AResetForgetsThemOnBothSides) {
  Prepared rig;
  rig.client(command(com::reset_connection) + execute(1));
  EXPECT_NE(rig.answer().find("Unknown prepared statement"), std::string::npos);
  EXPECT_EQ(rig.backend.statements.size(), 1u) << "others may still use it";
  Prepared attached;
  attached.client(query("begin"));
  attached.server(ok(1, {.status = 3}));
  attached.client(command(com::reset_connection));
  attached.server(ok(1) + end(1) + ok(1) + ok(1));
  EXPECT_EQ(attached.backend.statements.size(), 0u);
  attached.client(execute(1));
  EXPECT_NE(attached.answer().find("Unknown prepared statement"), std::string::npos);
}

TEST(MysqlConversationPrepared, TheConnectionIdIsTheGreetings) {
  ConversationStart from = start();
  from.connection_id = 4242;
  Rig rig(std::move(from));
  rig.client(prepare("select connection_id()"));
  rig.server(prepared(55, 0, 1));
  const std::size_t before = rig.wire.to_backend().size();
  rig.client(execute(1, "", "", 0));
  EXPECT_EQ(rig.wire.to_backend().size(), before);
  EXPECT_EQ(rig.leases(), 1u);
  const std::string row = packet(3, std::string("\0\0\x92\x10\0\0\0\0\0\0", 10));
  EXPECT_TRUE(rig.wire.to_client().ends_with(row + end(4)));
  rig.client(close(1) + query("select 1"));
  EXPECT_EQ(rig.leases(), 2u);
}

TEST(MysqlConversationPrepared, ATextTooLongToBeRememberedPins) {
  Rig rig;
  const std::string text = "select '" + std::string(kMaxStatementText, 'x') + "', get_lock('a',1)";
  rig.client(prepare(text));
  EXPECT_EQ(rig.wire.to_backend(), prepare(text));
  rig.server(prepared(55));
  EXPECT_EQ(rig.pin(), "prepared_statement");
  EXPECT_EQ(rig.releases(), 0u);
  rig.client(execute(1, "", "", 0));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(execute(55, "", "", 0)));
  rig.server(ok(1));
  rig.client(close(1));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(close(55)));
  EXPECT_EQ(rig.pin(), "named_lock");
}

TEST(MysqlConversationPrepared, OneCutShortIsTheBackendsToRefuse) {
  Prepared rig;
  const std::string cut = command(com::stmt_execute, id_of(55) + std::string("\0\1\0\0\0\0", 6));
  rig.client(command(com::stmt_execute, id_of(1) + std::string("\0\1\0\0\0\0", 6)));
  EXPECT_EQ(rig.fresh(), cut);
  rig.server(err(1, 1835) + no_warnings());
  EXPECT_EQ(rig.releases(), 2u);
}

TEST(MysqlConversationPrepared, TheNameOfALockIsAParameter) {
  const auto verified = [](std::string_view name, std::string_view held) {
    Rig rig;
    rig.client(prepare("select get_lock(?, 1)"));
    rig.server(prepared(55, 1, 1));
    rig.client(execute(1, kString, lenenc(name)));
    rig.server(binary_rows());
    const std::string asked =
        query("SELECT 0+IFNULL(IS_USED_LOCK('" + std::string(name) + "')=CONNECTION_ID(),0)");
    if (!rig.wire.to_backend().ends_with(asked)) return "unasked, " + rig.pin();
    rig.server(count(1, 1) + definition(2) + row(3, held) + end(4));
    return rig.releases() == 2 ? std::string("free") : rig.pin();
  };
  EXPECT_EQ(verified("job", "1"), "named_lock");
  EXPECT_EQ(verified("job", "0"), "free");
  EXPECT_EQ(verified("it's", "0"), "unasked, named_lock");
  EXPECT_EQ(verified("\xC3\xA4", "0"), "unasked, named_lock");
}

TEST(MysqlConversationPrepared, TheNameOfALockMayComeWithoutATypeOrInPieces) {
  Rig rig;
  rig.client(prepare("do get_lock(?, 0)"));
  rig.server(prepared(55, 1));
  rig.client(execute(1, kString, lenenc("a")));
  rig.server(ok(1));
  const std::string none = count(1, 1) + definition(2) + row(3, "0") + end(4);
  rig.server(none);
  for (const char c : execute(1, "", lenenc("b"))) rig.client(std::string(1, c));
  rig.server(ok(1));
  EXPECT_NE(rig.wire.to_backend().find("IS_USED_LOCK('b')"), std::string::npos);
  rig.server(count(1, 1) + definition(2) + row(3, "1") + end(4));
  EXPECT_EQ(rig.pin(), "named_lock");
  rig.client(prepare("do release_all_locks()"));
  rig.server(prepared(56));
  rig.client(execute(2, "", "", 0));
  rig.server(ok(1));
  EXPECT_EQ(rig.pin(), "");
  EXPECT_EQ(rig.wire.breach(), "");
}

}  // namespace
}  // namespace weirpool::test::mysql
