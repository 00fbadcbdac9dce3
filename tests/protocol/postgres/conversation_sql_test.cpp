#include <gtest/gtest.h>

#include "protocol/postgres/reset.hpp"
#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

using Listed = std::vector<std::pair<std::string, std::string>>;

const std::string kListing =
    "SELECT name,statement FROM pg_catalog.pg_prepared_statements WHERE from_sql LIMIT 65";
const std::string kPrepareP = "prepare p as select 1";
const std::string kOther = "prepare p as select 2";
const std::string kOne = query("select 1");
const std::string kOneAnswer = row_description() + row() + command("SELECT 1") + ready();

/// What a backend answers when weirpool asks it what is prepared.
std::string listed(const Listed& rows) {
  std::string answer = row_description();
  for (const auto& [name, text] : rows) answer += row_of({name, text});
  return answer + command("SELECT 1") + ready();
}

/// An errand of weirpool's own, and its answer.
std::string errand(const std::string& text) {
  return parse("", text) + message('B', std::string(8, '\0')) + execute() + sync();
}
std::string done(const std::string& tag) {
  return parse_complete() + bind_complete() + command(tag) + ready();
}
std::string failed(const std::string& sqlstate) { return error(sqlstate, "no") + ready(); }

/// What the backend has heard since `before` bytes.
std::string heard_since(const Rig& rig, std::size_t before) {
  return rig.wire.to_backend().substr(before);
}

/// The client says `text`, the backend answers `tag` and lists `rows`.
void say(Rig& rig, const std::string& text, const std::string& tag, const Listed& rows) {
  rig.wire.feed(Party::client, query(text));
  rig.wire.feed(Party::backend, command(tag) + ready());
  const std::size_t before = rig.wire.to_backend().size();
  EXPECT_TRUE(rig.attached) << text;
  EXPECT_EQ(rig.wire.to_backend().substr(before - query(kListing).size()), query(kListing)) << text;
  rig.wire.feed(Party::backend, listed(rows));
}

/// A client that has prepared p and is free.
void prepare_p(Rig& rig) {
  say(rig, kPrepareP, "PREPARE", {{"p", kPrepareP}});
  EXPECT_FALSE(rig.attached);
  EXPECT_TRUE(rig.released_clean);
}

TEST(ConversationSql, APreparedStatementFollowsItsClient) {
  Rig rig;
  rig.backends.push_back(fresh_backend());
  prepare_p(rig);
  EXPECT_EQ(rig.wire.to_client(), command("PREPARE") + ready());
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, query("execute p"));
  EXPECT_EQ(heard_since(rig, before), errand(kPrepareP));
  rig.wire.feed(Party::backend, done("PREPARE"));
  EXPECT_EQ(heard_since(rig, before), errand(kPrepareP) + query("execute p"));
  rig.wire.feed(Party::backend, kOneAnswer);
  EXPECT_EQ(rig.wire.to_client(), command("PREPARE") + ready() + kOneAnswer);
  EXPECT_EQ(rig.backend().sql_statements, rig.backends[0]->sql_statements);
}

TEST(ConversationSql, HoweverItArrives) {
  const Outcome heard = play_all_ways(
      {client(query(kPrepareP)), backend(command("PREPARE") + ready()),
       backend(listed({{"p", kPrepareP}})), client(query("execute p") + query("deallocate p")),
       backend(done("PREPARE")), backend(kOneAnswer + command("DEALLOCATE") + ready()),
       backend(listed({})), client(kOne), backend(kOneAnswer)},
      [] {
        auto rig = std::make_unique<Rig>();
        for (int i = 0; i < 2; ++i) rig->backends.push_back(fresh_backend());
        return rig;
      });
  EXPECT_EQ(tags(heard.to_client), "CZTDCZCZTDCZ");
  EXPECT_EQ(tags(heard.to_backend), "QQPBESQQQQ");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationSql, TheSameClientOnTheSameBackendPaysNothingAgain) {
  Rig rig;
  prepare_p(rig);
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, query("execute p"));
  EXPECT_EQ(heard_since(rig, before), query("execute p"));
}

TEST(ConversationSql, ClientsThatHaveTheSameShare) {
  Rig one;
  prepare_p(one);
  postgres::PostgresConversation two(one.catalog, one.catalog->profiles.of({}));
  Wire wire(two, [&](const Verdict& verdict, Wire&) {
    if (verdict.kind == Kind::lease) two.attach(*one.backends[0]);
    if (verdict.kind == Kind::release) two.detach();
  });
  play(wire,
       {client(kOne), backend(done("DEALLOCATE")), backend(kOneAnswer), client(query(kPrepareP)),
        backend(command("PREPARE") + ready()), backend(listed({{"p", kPrepareP}}))});
  EXPECT_EQ(wire.to_backend(),
            errand("DEALLOCATE \"p\"") + kOne + query(kPrepareP) + query(kListing));
  const std::size_t before = one.wire.to_backend().size();
  one.wire.feed(Party::client, query("execute p"));
  EXPECT_EQ(heard_since(one, before), query("execute p"));
}

TEST(ConversationSql, NobodyFindsAnothersStatements) {
  Rig one;
  prepare_p(one);
  Rig two;
  say(two, kOther, "PREPARE", {{"p", kOther}});
  two.backends[0] = std::move(one.backends[0]);
  const std::size_t before = two.wire.to_backend().size();
  two.wire.feed(Party::client, query("execute p"));
  EXPECT_EQ(heard_since(two, before), errand("DEALLOCATE \"p\"") + errand(kOther));
  two.wire.feed(Party::backend, done("DEALLOCATE"));
  two.wire.feed(Party::backend, done("PREPARE"));
  two.wire.feed(Party::backend, kOneAnswer);
  Rig three;
  three.backends[0] = std::move(two.backends[0]);
  three.wire.feed(Party::client, query("execute p"));
  EXPECT_EQ(three.wire.to_backend(), errand("DEALLOCATE \"p\""));
  three.wire.feed(Party::backend, done("DEALLOCATE"));
  three.wire.feed(Party::backend, failed("26000"));
  three.wire.feed(Party::backend, kOneAnswer);
  EXPECT_EQ(three.wire.to_client(), failed("26000"));
}

TEST(ConversationSql, OnlyWhatTheServerListsIsThere) {
  Rig rig;
  say(rig, kPrepareP, "PREPARE", {});
  EXPECT_FALSE(rig.attached);
  rig.backends.push_back(fresh_backend());
  rig.wire.feed(Party::client, kOne);
  EXPECT_EQ(tags(rig.wire.to_backend()), "QQQ");
}

TEST(ConversationSql, InATransactionItIsAskedForBehindIt) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin") + query(kPrepareP));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("PREPARE") + ready('T'));
  EXPECT_EQ(rig.conversation.pin_reason(), "sql_prepare");
  say(rig, "rollback", "ROLLBACK", {{"p", kPrepareP}});
  EXPECT_FALSE(rig.attached);
  rig.backends.push_back(fresh_backend());
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, query("execute p"));
  EXPECT_EQ(heard_since(rig, before), errand(kPrepareP));
}

TEST(ConversationSql, ByTheExtendedProtocolToo) {
  for (const std::string name : {"", "named"}) {
    Rig rig;
    rig.wire.feed(Party::client, parse(name, kPrepareP) + bind_to("", name) + execute() + sync());
    rig.wire.feed(Party::backend, done("PREPARE"));
    rig.wire.feed(Party::backend, listed({{"p", kPrepareP}}));
    EXPECT_FALSE(rig.attached);
    rig.backends.push_back(fresh_backend());
    const std::size_t before = rig.wire.to_backend().size();
    rig.wire.feed(Party::client, kOne);
    EXPECT_EQ(heard_since(rig, before), errand(kPrepareP));
  }
}

TEST(ConversationSql, WhatCannotBeSaidAgainPins) {
  const std::string two = "prepare p as select 1; prepare q as select 2";
  const std::string within = "do $$ begin execute 'prepare p as select 1'; end $$";
  const std::string large = "prepare p as select '" + std::string(5000, 'x') + "'";
  const std::vector<std::pair<std::string, Listed>> texts{
      {two, {{"p", two}, {"q", two}}},
      {within, {{"p", kPrepareP}}},
      {large, {{"p", large}}},
      {kPrepareP, {{"p", "something else"}}},
      {kPrepareP, {{"p", kPrepareP}, {"hidden", "prepare hidden as select 1"}}},
      {kPrepareP, {{"\xC3\xA4", kPrepareP}}},
      {"prepare p as select set_config('a.b', 'x', false)", {}}};
  for (const auto& [text, rows] : texts) {
    Rig rig;
    rig.wire.feed(Party::client, query(text));
    rig.wire.feed(Party::backend, command("PREPARE") + ready());
    rig.wire.feed(Party::backend, listed(rows));
    EXPECT_TRUE(rig.attached) << text;
    EXPECT_TRUE(rig.conversation.at_boundary()) << text;
    EXPECT_NE(rig.conversation.pin_reason(), "") << text;
  }
}

TEST(ConversationSql, WhatIsLostStaysUntilNothingIsThere) {
  Rig rig;
  say(rig, kPrepareP, "PREPARE", {{"p", "something else"}});
  EXPECT_EQ(rig.conversation.pin_reason(), "sql_prepare");
  say(rig, "prepare q as select 1", "PREPARE",
      {{"p", "something else"}, {"q", "prepare q as select 1"}});
  EXPECT_EQ(rig.conversation.pin_reason(), "sql_prepare");
  say(rig, "deallocate p", "DEALLOCATE", {{"q", "prepare q as select 1"}});
  EXPECT_EQ(rig.conversation.pin_reason(), "sql_prepare");
  say(rig, "deallocate q", "DEALLOCATE", {});
  EXPECT_FALSE(rig.attached);
  EXPECT_EQ(rig.backend().left_behind, 0U);
}

TEST(ConversationSql, TooManyOrTooLargePin) {
  for (const std::size_t filler : {std::size_t{0}, std::size_t{3000}}) {
    Rig rig;
    Listed rows;
    while (!rig.attached && rows.size() <= postgres::kMaxSqlStatements) {
      const std::string name = "s" + std::to_string(rows.size());
      const std::string text = "prepare " + name + " as select '" + std::string(filler, 'x') + "'";
      rows.emplace_back(name, text);
      say(rig, text, "PREPARE", rows);
    }
    EXPECT_EQ(rig.conversation.pin_reason(), "sql_prepare");
    EXPECT_EQ(rows.size(), filler == 0 ? postgres::kMaxSqlStatements + 1 : 11);
  }
}

TEST(ConversationSql, AnAnswerThatIsNoListPins) {
  for (const std::string& answer :
       {error("42501", "permission denied") + ready(),
        row_description() + row_of({std::nullopt, kPrepareP}) + command("SELECT 1") + ready(),
        row_description() + row_of({"p"}) + command("SELECT 1") + ready(),
        row_description() + row_of({"p", std::string(20000, 'x')}) + command("SELECT 1") +
            ready()}) {
    Rig rig;
    rig.wire.feed(Party::client, query(kPrepareP));
    rig.wire.feed(Party::backend, command("PREPARE") + ready());
    rig.wire.feed(Party::backend, answer);
    EXPECT_EQ(rig.conversation.pin_reason(), "sql_prepare");
    EXPECT_TRUE(rig.conversation.needs_reset());
  }
}

TEST(ConversationSql, OtherQuestionsAreAskedInTheSameBreath) {
  Rig rig;
  rig.wire.feed(Party::client,
                query("begin") + query(kPrepareP) + query("listen x") + query("commit"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("PREPARE") + ready('T') +
                                    command("LISTEN") + ready('T') + command("COMMIT") + ready());
  const std::string& heard = rig.wire.to_backend();
  EXPECT_NE(heard.find("pg_listening_channels());" + kListing), std::string::npos);
  rig.wire.feed(Party::backend, row_description() + row_of({"f"}) + command("SELECT 1") +
                                    listed({{"p", kPrepareP}}));
  EXPECT_FALSE(rig.attached);
  EXPECT_NE(rig.backend().sql_statements, nullptr);
}

TEST(ConversationSql, UnderParametersThatMayBeOthersItPins) {
  struct Case {
    std::string before, behind, end;
    bool pins;
  };
  for (const auto& [before, behind, end, pins] :
       std::vector<Case>{{"set local search_path = x", "select 1", "commit", true},
                         {"select 1", "set local search_path = x", "commit", false},
                         {"set search_path = x", "select 1", "commit", false},
                         {"set search_path = x", "select 1", "rollback", true},
                         {"select 1", "set search_path = x", "commit", true},
                         {"select 1", "reset all", "commit", true},
                         {"select set_config(a, b, false) from t", "select 1", "commit", true},
                         {"select 1", "select set_config(a, b, false) from t", "commit", true},
                         {"create temp table t (a int)", "select 1", "commit", true}}) {
    Rig rig;
    for (const std::string& text : {before, kPrepareP, behind}) {
      rig.wire.feed(Party::client, query(text == before ? "begin;" + text : text));
      rig.wire.feed(Party::backend, command("OK") + ready('T'));
    }
    rig.wire.feed(Party::client, query(end));
    rig.wire.feed(Party::backend, command(end == "commit" ? "COMMIT" : "ROLLBACK") + ready());
    const bool more = rig.wire.to_backend().find(";" + kListing) != std::string::npos;
    const std::string also = row_description() + row_of({"x"}) + command("SELECT 1");
    rig.wire.feed(Party::backend, (more ? also : "") + listed({{"p", kPrepareP}}));
    EXPECT_EQ(rig.attached, pins) << before << ", " << behind << ", " << end;
  }
}

TEST(ConversationSql, TheSameTextUnderOtherParametersIsNotTheSame) {
  Rig rig;
  prepare_p(rig);
  rig.wire.feed(Party::client,
                query("begin") + query("set local search_path = x") + query("deallocate p"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("SET") + ready('T') +
                                    command("DEALLOCATE") + ready('T'));
  rig.wire.feed(Party::client, query(kPrepareP) + query("commit"));
  rig.wire.feed(Party::backend, command("PREPARE") + ready('T') + command("COMMIT") + ready());
  rig.wire.feed(Party::backend, listed({{"p", kPrepareP}}));
  EXPECT_EQ(rig.conversation.pin_reason(), "sql_prepare");
}

TEST(ConversationSql, AParameterChangedSincePinsWhileItIs) {
  Rig rig;
  prepare_p(rig);
  const auto set = [&rig](const std::string& text, const std::string& value) {
    rig.wire.feed(Party::client, query(text));
    rig.wire.feed(Party::backend, command("SET") + ready());
    rig.wire.feed(Party::backend,
                  row_description() + row_of({value}) + command("SELECT 1") + ready());
  };
  set("set lock_timeout = 8192", "8192ms");
  EXPECT_FALSE(rig.attached) << "it never changes what a text means";
  set("set search_path = x", "x");
  EXPECT_EQ(rig.conversation.pin_reason(), "sql_prepare");
  set("reset search_path", "public");
  EXPECT_FALSE(rig.attached);
  rig.wire.feed(Party::client, query("select f()"));
  rig.wire.feed(Party::backend, status("DateStyle", "German") + command("SELECT 1") + ready());
  EXPECT_EQ(rig.conversation.pin_reason(), "sql_prepare");
  rig.wire.feed(Party::client, query("select f()"));
  rig.wire.feed(Party::backend, status("DateStyle", "ISO, MDY") + command("SELECT 1") + ready());
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationSql, PreparedUnderSettingsItIsPreparedUnderThemAgain) {
  Rig rig;
  rig.wire.feed(Party::client, query("set search_path = x"));
  rig.wire.feed(Party::backend, command("SET") + ready());
  rig.wire.feed(Party::backend, row_description() + row_of({"x"}) + command("SELECT 1") + ready());
  prepare_p(rig);
  rig.backends.push_back(fresh_backend());
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, query("execute p"));
  const std::string set = query("SELECT pg_catalog.set_config(E'search_path',E'x',false)");
  EXPECT_EQ(heard_since(rig, before), set);
  rig.wire.feed(Party::backend, row_description() + row_of({"x"}) + command("SELECT 1") + ready());
  EXPECT_EQ(heard_since(rig, before), set + errand(kPrepareP));
  rig.wire.feed(Party::backend, done("PREPARE"));
  EXPECT_EQ(heard_since(rig, before), set + errand(kPrepareP) + query("execute p"));
}

TEST(ConversationSql, AnotherSpellingOfParametersMeansTheSame) {
  Rig rig(std::vector<postgres::NamedValue>{{"search_path", "a,b"}});
  rig.wire.feed(Party::client, kOne);
  rig.wire.feed(Party::backend,
                row_description() + row_of({"a, b"}) + command("SELECT 1") + ready());
  rig.wire.feed(Party::backend, kOneAnswer);
  prepare_p(rig);
  rig.backends.push_back(fresh_backend());
  rig.wire.feed(Party::client, query("execute p"));
  rig.wire.feed(Party::backend,
                row_description() + row_of({"a,  b"}) + command("SELECT 1") + ready());
  rig.wire.feed(Party::backend, done("PREPARE"));
  rig.wire.feed(Party::backend, kOneAnswer);
  EXPECT_FALSE(rig.attached);
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, query("execute p"));
  EXPECT_EQ(heard_since(rig, before), query("execute p"));
}

TEST(ConversationSql, DeallocatedIsNotPreparedAgain) {
  for (const std::string text :
       {"deallocate p", "deallocate prepare \"p\"", "deallocate all", "select 1; deallocate p"}) {
    Rig rig;
    prepare_p(rig);
    say(rig, text, text == "deallocate all" ? "DEALLOCATE ALL" : "DEALLOCATE", {});
    EXPECT_FALSE(rig.attached);
    EXPECT_EQ(rig.backend().left_behind, 0U);
    EXPECT_EQ(rig.backend().sql_statements, nullptr);
    rig.backends.push_back(fresh_backend());
    const std::size_t before = rig.wire.to_backend().size();
    rig.wire.feed(Party::client, query("execute p"));
    EXPECT_EQ(heard_since(rig, before), query("execute p"));
  }
}

TEST(ConversationSql, DiscardAllEndsThem) {
  for (const bool lost : {false, true}) {
    Rig rig;
    say(rig, kPrepareP, "PREPARE", {{"p", lost ? "something else" : kPrepareP}});
    rig.wire.feed(Party::client, query("discard all"));
    rig.wire.feed(Party::backend, command("DISCARD ALL") + ready());
    EXPECT_FALSE(rig.attached);
    EXPECT_EQ(rig.backend().sql_statements, nullptr);
    rig.backends.push_back(fresh_backend());
    const std::size_t before = rig.wire.to_backend().size();
    rig.wire.feed(Party::client, kOne);
    EXPECT_EQ(heard_since(rig, before), kOne);
  }
}

TEST(ConversationSql, WhoLeavesBeforeItIsAskedLeavesNothing) {
  Rig rig;
  prepare_p(rig);
  rig.wire.feed(Party::client, query("deallocate p"));
  EXPECT_TRUE(rig.conversation.needs_reset());
  rig.conversation.detach();
  EXPECT_EQ(rig.backend().left_behind & postgres::kPinPrepare, postgres::kPinPrepare);
  postgres::Reset reset(rig.backend());
  Wire wire(reset);
  play(wire, {backend(command("DEALLOCATE ALL") + ready())});
  EXPECT_EQ(rig.backend().sql_statements, nullptr);
}

TEST(ConversationSql, AnErrandThatFails) {
  const std::string again = errand(kPrepareP);
  for (const auto& [sqlstate, retry] : std::vector<std::pair<std::string, std::string>>{
           {"42P01", ""},     // What it is about has gone: it is as if it had not been prepared.
           {"57014", again},  // Interrupted.
           {"42P05", errand("DEALLOCATE \"p\"") + again}}) {  // A function has left one there.
    Rig rig;
    prepare_p(rig);
    rig.backends.push_back(fresh_backend());
    const std::size_t before = rig.wire.to_backend().size();
    rig.wire.feed(Party::client, query("execute p"));
    rig.wire.feed(Party::backend, failed(sqlstate));
    if (sqlstate == "42P05") rig.wire.feed(Party::backend, done("DEALLOCATE"));
    if (!retry.empty()) rig.wire.feed(Party::backend, done("PREPARE"));
    EXPECT_EQ(heard_since(rig, before), again + retry + query("execute p"));
    EXPECT_EQ(rig.backend().sql_statements == nullptr, retry.empty());
    EXPECT_EQ(rig.wire.to_client(), command("PREPARE") + ready());
  }
}

TEST(ConversationSql, WhatDoesNotGoEndsTheSession) {
  Rig one;
  prepare_p(one);
  Rig two;
  two.backends[0] = std::move(one.backends[0]);
  two.wire.feed(Party::client, query("execute p"));
  for (int i = 0; i < 3; ++i) two.wire.feed(Party::backend, failed("53200"));
  EXPECT_EQ(two.wire.to_backend().find("execute"), std::string::npos);
  EXPECT_EQ(two.wire.to_client(), error("53200", "no", "FATAL"));
  EXPECT_EQ(two.wire.events().back(), Kind::close);
}

TEST(ConversationSql, ADeallocationUnseenIsNoticed) {
  Rig rig;
  prepare_p(rig);
  rig.wire.feed(Party::client, query("execute p"));
  rig.wire.feed(Party::backend, failed("26000"));
  EXPECT_TRUE(rig.attached);
  rig.wire.feed(Party::backend, listed({}));
  EXPECT_FALSE(rig.attached);
  EXPECT_EQ(rig.backend().sql_statements, nullptr);
}

TEST(ConversationSql, TheProtocolSharesItsNames) {
  Rig rig;
  prepare_p(rig);
  std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, bind_to("", "p") + execute() + sync());
  EXPECT_EQ(heard_since(rig, before), bind_to("", "p") + execute() + sync());
  rig.wire.feed(Party::backend, bind_complete() + row() + command("SELECT 1") + ready());
  EXPECT_FALSE(rig.attached);
  before = rig.wire.to_client().size();
  rig.wire.feed(Party::client, parse("p", "select 2") + sync());
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  EXPECT_NE(rig.wire.to_client().find("prepared statement \"p\" already exists", before),
            std::string::npos);
  EXPECT_FALSE(rig.attached);
  rig.wire.feed(Party::client, bind_to("", "p") + close_of('S', "p") + sync());
  rig.wire.feed(Party::backend, bind_complete() + close_complete() + ready());
  rig.wire.feed(Party::backend, listed({}));
  EXPECT_FALSE(rig.attached);
  EXPECT_EQ(rig.backend().sql_statements, nullptr);
}

TEST(ConversationSql, ClosedWithoutABackend) {
  Rig rig;
  prepare_p(rig);
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, close_of('S', "p") + sync());
  EXPECT_TRUE(rig.wire.to_client().ends_with(close_complete() + ready()));
  rig.wire.feed(Party::client, query("execute p"));
  EXPECT_EQ(heard_since(rig, before), errand("DEALLOCATE \"p\""));
}

TEST(ConversationSql, TheOperatorMayChooseOtherwise) {
  postgres::SessionPolicy policy;
  policy.pinned = postgres::kPinPrepare;
  Rig pinned({}, 100, policy);
  say(pinned, kPrepareP, "PREPARE", {{"p", kPrepareP}});
  EXPECT_EQ(pinned.conversation.pin_reason(), "sql_prepare");
  say(pinned, "deallocate p", "DEALLOCATE", {});
  EXPECT_FALSE(pinned.attached);
  policy = {};
  policy.allowed = postgres::kPinPrepare;
  Rig allowed({}, 100, policy);
  allowed.wire.feed(Party::client, query(kPrepareP));
  allowed.wire.feed(Party::backend, command("PREPARE") + ready());
  EXPECT_FALSE(allowed.attached);
  EXPECT_EQ(tags(allowed.wire.to_backend()), "Q");
}

}  // namespace
}  // namespace weirpool::test::pg
