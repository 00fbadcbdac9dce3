#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

using Wanted = std::vector<postgres::NamedValue>;
using Values = std::vector<std::optional<std::string>>;

/// What a backend answers when weirpool asks it about the session.
std::string told(const Values& values) {
  return row_description() + row_of(values) + command("SELECT 1") + ready();
}

const std::string kIsTemporary = "refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())";
const std::string kNextQuery = query("select 1");
const std::string kDescribedAnswer = row_description() + row() + command("SELECT 1") + ready();

/// The text of the last Query the backend got.
std::string last_query(const Rig& rig) {
  const std::string& heard = rig.wire.to_backend();
  const std::size_t at = heard.rfind("Q" + std::string(1, '\0'));
  return at == heard.npos ? "" : heard.substr(at + 5, heard.size() - at - 6);
}

std::string asked_for(const std::string& name) {
  return "pg_catalog.current_setting('" + name + "',true)";
}

std::string set_to(const std::string& name, const std::string& value) {
  return "SELECT pg_catalog.set_config(E'" + name + "',E'" + value + "',false)";
}

/// The client says `text`, the backend answers `tag` and, asked, `values`.
void change(Rig& rig, const std::string& text, const std::string& tag, const Values& values) {
  rig.wire.feed(Party::client, query(text));
  rig.wire.feed(Party::backend, command(tag) + ready());
  EXPECT_TRUE(rig.attached) << text;
  rig.wire.feed(Party::backend, told(values));
}

TEST(ConversationState, ASettingThatIsNotReportedFollowsItsClient) {
  Rig rig;
  rig.backends.push_back(fresh_backend());
  rig.wire.feed(Party::client, query("set work_mem = 8192"));
  rig.wire.feed(Party::backend, command("SET") + ready());
  EXPECT_EQ(rig.wire.to_client(), command("SET") + ready());
  EXPECT_EQ(last_query(rig), "SELECT " + asked_for("work_mem"));
  rig.wire.feed(Party::client, kNextQuery);  // waits until the backend has told
  EXPECT_EQ(tags(rig.wire.to_backend()), "QQ");
  rig.wire.feed(Party::backend, told({"8MB"}));
  EXPECT_EQ(rig.wire.to_client(), command("SET") + ready());
  EXPECT_EQ(rig.leases, 2U);  // Nothing pins; the next query goes elsewhere.
  EXPECT_EQ(last_query(rig), set_to("work_mem", "8MB"));
}

TEST(ConversationState, HoweverItArrives) {
  const Outcome heard =
      play_all_ways({client(query("set a.b = 1") + kNextQuery),
                     backend(command("SET") + ready() + kDescribedAnswer), backend(told({"1"})),
                     client(kNextQuery), backend(kDescribedAnswer)});
  EXPECT_EQ(tags(heard.to_client), "CZTDCZTDCZ");
  EXPECT_EQ(tags(heard.to_backend), "QQQQ");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationState, TheSameClientOnTheSameBackendPaysNothingAgain) {
  Rig rig;
  change(rig, "set work_mem = 8192", "SET", {"8MB"});
  EXPECT_FALSE(rig.attached);
  EXPECT_TRUE(rig.released_clean);
  rig.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(tags(rig.wire.to_backend()), "QQQ");
}

TEST(ConversationState, TheNextClientFindsTheDefault) {
  Rig one;
  change(one, "set work_mem = 8192", "SET", {"8MB"});
  Rig two;
  two.backends[0] = std::move(one.backends[0]);
  two.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(two), "RESET \"work_mem\";");
  two.wire.feed(Party::backend, command("RESET") + ready());
  two.wire.feed(Party::backend, kDescribedAnswer);
  EXPECT_EQ(two.wire.to_client(), kDescribedAnswer);
}

TEST(ConversationState, WhatWasRolledBackIsNotWanted) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin") + query("set work_mem = '8MB'") + query("rollback"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("SET") + ready('T') +
                                    command("ROLLBACK") + ready());
  EXPECT_NE(last_query(rig).find("source OPERATOR(pg_catalog.=) 'session'"), std::string::npos);
  rig.wire.feed(Party::backend, told({std::nullopt}));
  EXPECT_FALSE(rig.attached);
  rig.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(rig), "select 1");
}

TEST(ConversationState, AnErrorMakesARollbackOfAllBeforeIt) {
  Rig rig;
  rig.wire.feed(Party::client, query("set work_mem = '8MB'; select 1/0"));
  rig.wire.feed(Party::backend, command("SET") + error("22012", "division by zero") + ready());
  EXPECT_NE(last_query(rig).find("pg_settings"), std::string::npos);
  rig.wire.feed(Party::backend, told({std::nullopt}));
  rig.backends.push_back(fresh_backend());
  rig.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(rig), "select 1");
}

TEST(ConversationState, InsideATransactionNobodyAsks) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin") + query("set work_mem = '8MB'"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("SET") + ready('T'));
  EXPECT_EQ(tags(rig.wire.to_backend()), "QQ");
  rig.wire.feed(Party::client, query("commit"));
  rig.wire.feed(Party::backend, command("COMMIT") + ready());
  EXPECT_EQ(last_query(rig), "SELECT " + asked_for("work_mem"));
}

TEST(ConversationState, WhatEndsWithItsTransactionIsNotAskedFor) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin;set local work_mem = '8MB';commit"));
  rig.wire.feed(Party::backend, command("BEGIN") + command("SET") + command("COMMIT") + ready());
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationState, ResetForgetsTheSetting) {
  Rig rig;
  change(rig, "set work_mem = '8MB'", "SET", {"8MB"});
  change(rig, "reset work_mem", "RESET", {"4MB"});
  rig.backends.push_back(fresh_backend());
  rig.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(rig), "select 1");
}

TEST(ConversationState, AResetThatWasRolledBackForgetsNothing) {
  Rig rig;
  change(rig, "set work_mem = '8MB'", "SET", {"8MB"});
  change(rig, "begin;reset work_mem;rollback", "ROLLBACK", {"8MB"});
  rig.backends.push_back(fresh_backend());
  rig.leases = 1;
  rig.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(rig), set_to("work_mem", "8MB"));
}

TEST(ConversationState, ResetLeadsBackToTheStartupMessage) {
  Rig rig(Wanted{{"timezone", "Asia/Tokyo"}, {"work_mem", "9MB"}});
  rig.wire.feed(Party::client, query("reset all"));
  rig.wire.feed(Party::backend, row_description() + row_of({"Asia/Tokyo", "9MB"}) +
                                    command("SELECT 1") + status("TimeZone", "Asia/Tokyo") +
                                    ready());
  rig.wire.feed(Party::backend, command("RESET") + status("TimeZone", "UTC") + ready());
  EXPECT_EQ(last_query(rig), "SELECT " + asked_for("work_mem"));
  rig.wire.feed(Party::backend, told({"4MB"}));
  EXPECT_FALSE(rig.attached);
  EXPECT_EQ(rig.wire.to_client(), command("RESET") + status("TimeZone", "UTC") + ready() +
                                      status("TimeZone", "Asia/Tokyo"));
  rig.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(rig),
            "SELECT pg_catalog.set_config(E'TimeZone',E'Asia/Tokyo',false),"
            "pg_catalog.set_config(E'work_mem',E'9MB',false)");
}

TEST(ConversationState, DiscardAllLeadsBackToTheStartupMessage) {
  Rig rig(Wanted{{"timezone", "Asia/Tokyo"}});
  rig.wire.feed(Party::client, query("discard all"));
  rig.wire.feed(Party::backend, row_description() + row_of({"Asia/Tokyo"}) + command("SELECT 1") +
                                    status("TimeZone", "Asia/Tokyo") + ready());
  rig.wire.feed(Party::backend, command("DISCARD ALL") + status("TimeZone", "UTC") + ready());
  EXPECT_FALSE(rig.attached);
  rig.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(rig), set_to("TimeZone", "Asia/Tokyo"));
}

TEST(ConversationState, APinnedClientIsSettledWhereItIs) {
  Rig rig(Wanted{{"work_mem", "9MB"}});
  rig.wire.feed(Party::client, query("listen x"));
  rig.wire.feed(Party::backend, told({"9MB"}));
  rig.wire.feed(Party::backend, command("LISTEN") + ready());
  rig.wire.feed(Party::backend, told({"t"}));
  rig.wire.feed(Party::client, query("reset work_mem"));
  rig.wire.feed(Party::backend, command("RESET") + ready());
  rig.wire.feed(Party::backend, told({"4MB"}));
  EXPECT_EQ(last_query(rig), set_to("work_mem", "9MB"));
  rig.wire.feed(Party::backend, told({"9MB"}));
  EXPECT_EQ(rig.conversation.pin_reason(), "listen");
  EXPECT_TRUE(rig.conversation.at_boundary());
}

TEST(ConversationState, ALongParameterIsReadToItsEnd) {
  const std::string path(9000, 'x');
  const std::string answer = status("search_path", path) + status("TimeZone", "UTC") +
                             row_description() + row_of(Values{path}) + command("SELECT 1");
  const auto wants = [&] { return std::make_unique<Rig>(Wanted{{"search_path", path}}); };
  for (const std::size_t cut : {7U, 4096U, 9000U, 9018U, 9030U}) {
    const auto rig = wants();
    rig->wire.feed(Party::client, kNextQuery);
    play(rig->wire, {backend(answer + ready())}, {0, cut});
    rig->wire.feed(Party::backend, kDescribedAnswer);
    EXPECT_EQ(rig->wire.breach(), "");
    EXPECT_EQ(rig->wire.to_client(), kDescribedAnswer);
    EXPECT_EQ(rig->backend().parameters.reported().back().value, path);
    EXPECT_FALSE(rig->attached);
  }
}

TEST(ConversationState, StartupSettingsCostNothingForTheNextWithTheSameWords) {
  Rig one(Wanted{{"work_mem", "9216"}});
  one.wire.feed(Party::client, kNextQuery);
  one.wire.feed(Party::backend, told({"9MB"}));
  one.wire.feed(Party::backend, kDescribedAnswer);
  EXPECT_FALSE(one.attached);
  Rig two(Wanted{{"work_mem", "9216"}});
  two.catalog = one.catalog;
  postgres::PostgresConversation again(one.catalog,
                                       one.catalog->profiles.of({{"work_mem", "9216"}}));
  again.attach(*one.backends[0]);
  EXPECT_TRUE(again.at_boundary());  // Nothing has to be set.
  again.detach();
}

TEST(ConversationState, ARoleFollowsItsClientAndNobodyElse) {
  Rig rig;
  change(rig, "set role admin", "SET", {"admin"});
  EXPECT_FALSE(rig.attached);
  EXPECT_TRUE(rig.released_clean);
  rig.backends.push_back(fresh_backend());
  rig.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(rig),
            "RESET \"role\";RESET \"session_authorization\";" + set_to("role", "admin"));
  Rig other;
  other.backends[0] = std::move(rig.backends[0]);
  other.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(other), "RESET \"role\";RESET \"session_authorization\";");
}

TEST(ConversationState, DiscardAllEndsTheRoleHoweverItIsSent) {
  Rig rig;
  change(rig, "set role admin", "SET", {"admin"});
  rig.wire.feed(Party::client, parse("", "discard all") + bind_to("", "") + execute() + sync());
  rig.wire.feed(Party::backend,
                parse_complete() + bind_complete() + command("DISCARD ALL") + ready());
  const std::string asked = last_query(rig);
  EXPECT_NE(asked.find(asked_for("role")), std::string::npos) << asked;
  Values values;
  for (std::size_t at = 0; (at = asked.find("current_setting", at)) != asked.npos; ++at) {
    values.emplace_back("none");
  }
  rig.wire.feed(Party::backend, told(values));
  rig.wire.feed(Party::client, kNextQuery);
  EXPECT_EQ(last_query(rig).find("admin"), std::string::npos) << last_query(rig);
}

TEST(ConversationState, ASearchPathThatBeginsWithTemporaryObjectsPins) {
  Rig rig(Wanted{{"search_path", "pg_temp"}});
  rig.wire.feed(Party::client, query("create table t ()"));
  EXPECT_EQ(rig.conversation.pin_reason(), "load");
}

TEST(ConversationState, AnIdentityTakenInsideAFunctionIsSeen) {
  Rig rig;
  rig.wire.feed(Party::client, query("select become_root()"));
  rig.wire.feed(Party::backend, command("SELECT 1") + status("is_superuser", "on") + ready());
  EXPECT_EQ(last_query(rig),
            "SELECT " + asked_for("role") + "," + asked_for("session_authorization"));
  rig.wire.feed(Party::backend, told({"root", "app"}));
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationState, WhatCannotBeAskedPins) {
  for (const std::string& answer :
       {error("42501", "permission denied") + ready(), told({}), told({"a", "b"}),
        told({std::string("\xC3\xA4")}), told({std::string(20000, 'x')})}) {
    Rig rig;
    rig.wire.feed(Party::client, query("set work_mem = 1"));
    rig.wire.feed(Party::backend, command("SET") + ready());
    rig.wire.feed(Party::backend, answer);
    EXPECT_EQ(rig.conversation.pin_reason(), "set_parameter");
    EXPECT_TRUE(rig.attached);
    EXPECT_TRUE(rig.conversation.at_boundary());
  }
}

TEST(ConversationState, AnInterruptedQuestionIsAskedAgain) {
  Rig rig;
  rig.wire.feed(Party::client, query("set work_mem = 1"));
  rig.wire.feed(Party::backend, command("SET") + ready());
  rig.wire.feed(Party::backend, error("57014", "statement timeout") + ready());
  EXPECT_EQ(tags(rig.wire.to_backend()), "QQQ");
  rig.wire.feed(Party::backend, told({"1kB"}));
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationState, AParameterWithoutANamePinsUntilResetAll) {
  Rig rig;
  rig.wire.feed(Party::client, query("select set_config(x, y, false) from t"));
  rig.wire.feed(Party::backend, kDescribedAnswer);
  EXPECT_EQ(rig.conversation.pin_reason(), "set_config");
  rig.wire.feed(Party::client, query("reset all"));
  rig.wire.feed(Party::backend, command("RESET") + ready());
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationState, TemporaryObjectsPinWhileTheyAreThere) {
  Rig rig;
  rig.wire.feed(Party::client, query("create temp table t (a int)"));
  rig.wire.feed(Party::backend, command("CREATE TABLE") + ready());
  EXPECT_NE(last_query(rig).find(kIsTemporary), std::string::npos);
  rig.wire.feed(Party::backend, told({"t"}));
  EXPECT_TRUE(rig.attached);
  EXPECT_EQ(rig.conversation.pin_reason(), "temporary_object");
  EXPECT_TRUE(rig.conversation.at_boundary());
  EXPECT_TRUE(rig.conversation.needs_reset());
  rig.wire.feed(Party::client, kNextQuery);
  rig.wire.feed(Party::backend, kDescribedAnswer);  // Nothing hints at an end: nothing is asked.
  EXPECT_EQ(tags(rig.wire.to_backend()), "QQQ");
  rig.wire.feed(Party::client, query("drop table t"));
  rig.wire.feed(Party::backend, command("DROP TABLE") + ready());
  rig.wire.feed(Party::backend, told({"f"}));
  EXPECT_FALSE(rig.attached);
  EXPECT_TRUE(rig.released_clean);
}

TEST(ConversationState, EveryVerifiableStateIsAskedAbout) {
  const std::vector<std::array<std::string, 3>> states{
      {"listen x", "unlisten *", "listen"},
      {"declare c cursor with hold for select 1", "close c", "with_hold_cursor"},
      {"create temp table t ()", "discard temp", "temporary_object"},
      {"select pg_advisory_lock(1)", "select pg_advisory_unlock(1)", "advisory_lock"}};
  for (const auto& [begin, end, reason] : states) {
    Rig rig;
    change(rig, begin, "OK", {"t"});
    EXPECT_EQ(rig.conversation.pin_reason(), reason);
    change(rig, end, "OK", {"t"});
    EXPECT_EQ(rig.conversation.pin_reason(), reason);
    change(rig, end, "OK", {"f"});
    EXPECT_FALSE(rig.attached) << begin;
    EXPECT_EQ(rig.backend().left_behind, 0U);
  }
}

TEST(ConversationState, DiscardAllEndsAllOfIt) {
  Rig rig;
  change(rig, "create temp table t ()", "CREATE TABLE", {"t"});
  rig.wire.feed(Party::client, query("discard all"));
  rig.wire.feed(Party::backend, command("DISCARD ALL") + ready());
  EXPECT_FALSE(rig.attached);
  EXPECT_TRUE(rig.released_clean);
}

TEST(ConversationState, WhatWasNotAskedAboutIsResetAfterwards) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin") + query("set work_mem = 1"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("SET") + ready('T'));
  rig.wire.feed(Party::client, query("create temp table t ()") + query("commit"));
  rig.wire.feed(Party::backend, command("CREATE TABLE") + ready('T') + command("COMMIT"));
  EXPECT_TRUE(rig.conversation.needs_reset());
  rig.conversation.detach();
  EXPECT_EQ(rig.backend().left_behind, postgres::kPinSet | postgres::kPinTemporary);
}

TEST(ConversationState, TextsBehindOneThatChangesTheirReadingPin) {
  Rig rig;
  rig.wire.feed(Party::client,
                query("set standard_conforming_strings = off") + query("set a.b = '\\'';listen x"));
  rig.wire.feed(Party::backend, command("SET") + status("standard_conforming_strings", "off") +
                                    ready() + command("SET") + ready());
  // Whatever can be asked for is asked for.
  rig.wire.feed(Party::backend, row_description() + row_of({"f", "f", "f", "f", "'"}) +
                                    command("SELECT 1") + row_description() + command("SELECT 0") +
                                    ready());
  EXPECT_EQ(rig.conversation.pin_reason(), "set_parameter");
}

TEST(ConversationState, StatementsOfAnotherSearchPathAreOthers) {
  Rig rig;
  rig.wire.feed(Party::client, parse("a", "select * from t") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  change(rig, "set search_path = x", "SET", {"x"});
  rig.wire.feed(Party::client, parse("b", "select * from t") + sync());
  EXPECT_NE(rig.wire.to_backend().find(parse("weirpool_2", "select * from t")), std::string::npos);
  rig.wire.feed(Party::backend, parse_complete() + ready());
  EXPECT_EQ(rig.backend().statements.size(), 2U);
}

TEST(ConversationState, StatementsOfAnUnsettledTransactionAreNobodyElses) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin") + query("set local search_path = x") +
                                   parse("a", "select * from t") + sync());
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("SET") + ready('T') +
                                    parse_complete() + ready('T'));
  rig.wire.feed(Party::client, query("commit"));
  rig.wire.feed(Party::backend, command("COMMIT") + ready());
  EXPECT_FALSE(rig.attached);
  rig.wire.feed(Party::client, parse("b", "select * from t") + sync());
  EXPECT_NE(rig.wire.to_backend().find(parse("weirpool_2", "select * from t")), std::string::npos);
}

TEST(ConversationState, AResetAllThatIsUndoneUnpinsNothing) {
  for (const auto& [text, answers] :
       {std::pair{"reset all; select 1/0",
                  command("RESET") + error("22012", "division by zero") + ready()},
        std::pair{"begin; reset all; rollback",
                  command("BEGIN") + command("RESET") + command("ROLLBACK") + ready()},
        std::pair{"begin; reset all", command("BEGIN") + command("RESET") + ready('T')}}) {
    Rig rig;
    rig.wire.feed(Party::client, query("do $$ begin set work_mem = 8192; end $$"));
    rig.wire.feed(Party::backend, command("DO") + ready());
    EXPECT_EQ(rig.conversation.pin_reason(), "set_parameter");
    rig.wire.feed(Party::client, query(text));
    rig.wire.feed(Party::backend, answers);
    EXPECT_EQ(rig.conversation.pin_reason(), "set_parameter") << text;
    EXPECT_TRUE(rig.attached) << text;
  }
}

TEST(ConversationState, WhoListensIsToldDuringWeirpoolsOwnStatements) {
  Rig rig;
  const std::string news = message('A', be32(1) + z("x") + z(""));
  change(rig, "listen x", "LISTEN", {"t"});
  rig.wire.feed(Party::client, query("set work_mem = 8192"));
  rig.wire.feed(Party::backend, command("SET") + ready());
  const std::string before = rig.wire.to_client();
  rig.wire.feed(Party::backend, row_description() + news + row_of(Values{"8MB"}) + news +
                                    command("SELECT 1") + ready());
  EXPECT_EQ(rig.wire.to_client(), before + news + news);
}

TEST(ConversationState, WhoDoesNotListenIsNotTold) {
  Rig rig;
  rig.wire.feed(Party::client, query("set work_mem = 8192"));
  rig.wire.feed(Party::backend, command("SET") + ready());
  rig.wire.feed(Party::backend, row_description() + message('A', be32(1) + z("x") + z("")) +
                                    row_of(Values{"8MB"}) + command("SELECT 1") + ready());
  EXPECT_EQ(tags(rig.wire.to_client()), "CZ");
  EXPECT_FALSE(rig.released_clean);
  EXPECT_EQ(rig.backend().left_behind, postgres::kPinListen);
}

TEST(ConversationState, TextsAreReadAsTheyWillBe) {
  Rig rig;
  rig.wire.feed(Party::client, query("set standard_conforming_strings = off") +
                                   query("select '\\''; listen x; --'"));
  rig.wire.feed(Party::backend, status("standard_conforming_strings", "off") + command("SET") +
                                    ready() + command("SELECT 1") + command("LISTEN") + ready());
  EXPECT_NE(last_query(rig).find("pg_listening_channels"), std::string::npos);
  EXPECT_TRUE(rig.attached);
}

TEST(ConversationState, TheEncodingIsKnownWithTheAnswer) {
  const std::string half = query("select E'\x83\\'; listen x; --'");
  Rig waits;
  waits.wire.feed(Party::client, query("begin") + query("set client_encoding = 'SJIS'"));
  waits.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("SET") +
                                      status("client_encoding", "SJIS") + ready('T'));
  waits.wire.feed(Party::client, query("select 1"));
  waits.wire.feed(Party::backend, command("SELECT 1") + ready('T'));
  EXPECT_EQ(waits.conversation.pin_reason(), "");
  waits.wire.feed(Party::client, half);
  EXPECT_EQ(waits.conversation.pin_reason(), "listen");
  Rig hurries;
  hurries.wire.feed(Party::client, query("set client_encoding = 'SJIS'") + half);
  EXPECT_NE(hurries.conversation.pin_reason(), "");
}

TEST(ConversationState, TextsBehindAFunctionThatChangesTheirReadingPin) {
  const std::vector<std::pair<std::string, std::string>> changes{
      {"client_encoding", "SJIS"}, {"standard_conforming_strings", "off"}};
  for (const auto& [name, value] : changes) {
    for (const bool hurries : {false, true}) {
      Rig rig;
      rig.wire.feed(Party::client, query("select f()") + (hurries ? query("select '\x83\\'") : ""));
      rig.wire.feed(Party::backend, status(name, value) + command("SELECT 1") + ready());
      EXPECT_EQ(rig.conversation.pin_reason() != "", hurries) << name;
    }
  }
  Rig same;
  same.wire.feed(Party::client, query("select f()") + query("select 1"));
  same.wire.feed(Party::backend,
                 status("client_encoding", "LATIN1") + command("SELECT 1") + ready());
  EXPECT_EQ(same.conversation.pin_reason(), "") << "nothing is read in another way";
}

TEST(ConversationState, FunctionsCalledByNumberAreAskedAbout) {
  Rig rig;
  rig.wire.feed(Party::client, message('F', be32(2880) + std::string(6, '\0')));
  rig.wire.feed(Party::backend, message('V', be32(0)) + ready());
  EXPECT_NE(last_query(rig).find("pg_locks"), std::string::npos);
  EXPECT_TRUE(rig.attached);
}

}  // namespace
}  // namespace weirpool::test::pg
