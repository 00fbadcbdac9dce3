#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

const std::string kText = "select * from t";
const std::string kOutdated = message('E', "S" + z("ERROR") + "V" + z("ERROR") + "C" + z("0A000") +
                                               "M" + z("cached plan must not change result type") +
                                               "R" + z("RevalidateCachedQuery") + '\0');
const std::string kRowAnswer = bind_complete() + row() + command("SELECT 1") + ready();
const std::string kAgain = close_of('S', "weirpool_1") + parse("weirpool_1", kText);

/// Of one column.
std::string returns(std::string_view name, std::uint32_t type, std::string_view origin = "\1\2") {
  std::string field = z(name) + std::string(6 - origin.size(), '\0') + std::string(origin);
  for (int shift = 24; shift >= 0; shift -= 8) field.push_back(static_cast<char>(type >> shift));
  return message('T', std::string("\0\1", 2) + field + std::string(8, '\0'));
}

/// The answer to a question for columns, on a backend that has just been given the statement.
std::string given(const std::string& columns) {
  return parse_complete() + parameter_description() + columns;
}

/// Statement "s" has been prepared and executed, and described if so wished.
void prepare(Rig& rig, bool described) {
  rig.wire.feed(Party::client, parse("s", kText) + (described ? describe('S', "s") : "") + sync());
  rig.wire.feed(
      Party::backend,
      parse_complete() + (described ? parameter_description() + row_description() : "") + ready());
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig.wire.feed(Party::backend, kRowAnswer);
  EXPECT_FALSE(rig.attached);
}

/// What the backend was sent from now on.
std::string since(const Rig& rig, std::size_t before) {
  return rig.wire.to_backend().substr(before);
}

TEST(ConversationHealing, WhoDoesNotKnowTheColumnsNeedNotHearOfIt) {
  const std::string batch = bind_to("", "weirpool_1") + execute() + sync();
  const Outcome heard =
      play_all_ways({client(parse("s", kText) + sync()), backend(parse_complete() + ready()),
                     client(bind_to("", "s") + execute() + sync()), backend(kOutdated + ready()),
                     backend(close_complete() + parse_complete() + kRowAnswer)});
  EXPECT_EQ(heard.to_client, parse_complete() + ready() + kRowAnswer);
  EXPECT_EQ(heard.to_backend, parse("weirpool_1", kText) + sync() + batch + kAgain + batch);
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationHealing, WhoAsksForTheColumnsHearsTheNewOnes) {
  Rig rig;
  prepare(rig, true);
  std::size_t before = rig.wire.to_backend().size();
  const std::string batch = describe('P', "") + execute() + sync();
  rig.wire.feed(Party::client, bind_to("", "s") + batch);
  rig.wire.feed(Party::backend, kOutdated + ready());
  const std::string sent = bind_to("", "weirpool_1") + batch;
  EXPECT_EQ(since(rig, before), sent + kAgain + sent);
  before = rig.wire.to_backend().size();
  rig.wire.feed(Party::backend, close_complete() + parse_complete() + bind_complete() +
                                    row_description() + row() + command("SELECT 1") + ready());
  EXPECT_EQ(tags(rig.wire.to_client()), "1tTZ2DCZ2TDCZ");
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  EXPECT_EQ(since(rig, before), bind_to("", "weirpool_1") + execute() + sync());
}

TEST(ConversationHealing, DescribingIsHealedToo) {
  Rig rig;
  prepare(rig, true);
  rig.wire.feed(Party::client, describe('S', "s") + sync());
  rig.wire.feed(Party::backend, kOutdated + ready());
  rig.wire.feed(Party::backend, close_complete() + parse_complete() + parameter_description() +
                                    row_description() + ready());
  EXPECT_EQ(tags(rig.wire.to_client()), "1tTZ2DCZtTZ");
}

TEST(ConversationHealing, WhoKnowsTheOldColumnsHearsTheErrorUntilItAsksAgain) {
  Rig rig;
  prepare(rig, true);
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig.wire.feed(Party::backend, kOutdated + ready());
  EXPECT_EQ(tags(rig.wire.to_client()), "1tTZ2DCZEZ");
  // Also on a backend that has never had it.
  rig.backends.push_back(fresh_backend());
  std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  EXPECT_EQ(since(rig, before), parse("weirpool_1", kText) + describe('S', "weirpool_1") + flush());
  before = rig.wire.to_backend().size();
  rig.wire.feed(Party::backend, given(returns("other", 25)));
  EXPECT_EQ(since(rig, before), bind_to("", "weirpool_outdated") + execute() + sync());
  rig.wire.feed(Party::backend, error("26000", "no such statement") + ready());
  EXPECT_EQ(tags(rig.wire.to_client()), "1tTZ2DCZEZEZ");
  EXPECT_EQ(rig.wire.to_client().find("26000"), std::string::npos);
  before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, describe('S', "s") + sync());
  rig.wire.feed(Party::backend, parameter_description() + row_description() + ready());
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  EXPECT_EQ(since(rig, before),
            describe('S', "weirpool_1") + sync() + bind_to("", "weirpool_1") + execute() + sync());
}

/// A client that knows the columns of "s" comes to a backend that has never had it.
struct Newcomer : Rig {
  explicit Newcomer(const std::string& knows) {
    wire.feed(Party::client, parse("s", kText) + describe('S', "s") + sync());
    wire.feed(Party::backend, given(knows) + ready());
    backends.push_back(fresh_backend());
    before = wire.to_backend().size();
    heard = wire.to_client().size();
  }
  std::string sent() const { return wire.to_backend().substr(before); }
  std::string told() const { return tags(wire.to_client().substr(heard)); }
  std::size_t before, heard;
};

TEST(ConversationHealing, ABackendThatHasNeverHadItIsAskedFirst) {
  const std::string asked = parse("weirpool_1", kText) + describe('S', "weirpool_1") + flush();
  const std::string use = execute() + sync();
  const std::string number = returns("a", 23);
  for (const std::string& now : {number, returns("a", 23, "\5\6"), returns("a", 25),
                                 returns("b", 23), row_description(), no_data()}) {
    const bool same = now == number || now == returns("a", 23, "\5\6");
    Newcomer rig(number);
    rig.wire.feed(Party::client, bind_to("", "s") + use);
    EXPECT_EQ(rig.sent(), asked);
    for (const char c : given(now)) rig.wire.feed(Party::backend, std::string(1, c));
    EXPECT_EQ(rig.told(), "");
    const std::string bound = bind_to("", same ? "weirpool_1" : "weirpool_outdated");
    EXPECT_EQ(rig.sent(), asked + bound + use);
    rig.wire.feed(Party::backend, same ? kRowAnswer : error("26000", "no such") + ready());
    EXPECT_EQ(rig.told(), same ? "2DCZ" : "EZ");
    EXPECT_EQ(rig.wire.to_client().find("0A000") == std::string::npos, same);
    EXPECT_EQ(rig.wire.breach(), "");
    if (same) continue;
    // Once it has asked, it knows.
    const std::size_t asking = rig.wire.to_backend().size();
    rig.wire.feed(Party::client, describe('S', "s") + sync());
    rig.wire.feed(Party::backend, parameter_description() + now + ready());
    rig.wire.feed(Party::client, bind_to("", "s") + use);
    EXPECT_EQ(since(rig, asking),
              describe('S', "weirpool_1") + sync() + bind_to("", "weirpool_1") + use);
  }
}

TEST(ConversationHealing, WhoAsksAgainOrHasNeverAskedIsNotWaitedFor) {
  const std::string given_at_once = parse("weirpool_1", kText) + bind_to("", "weirpool_1");
  Newcomer asks(row_description());
  asks.wire.feed(Party::client, bind_to("", "s") + describe('P', "") + execute() + sync());
  EXPECT_EQ(asks.sent(), given_at_once + describe('P', "") + execute() + sync());
  Rig never;
  prepare(never, false);
  never.backends.push_back(fresh_backend());
  const std::size_t before = never.wire.to_backend().size();
  never.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  EXPECT_EQ(since(never, before), given_at_once + execute() + sync());
}

TEST(ConversationHealing, ColumnsAreLearntFromPortalsToo) {
  Rig rig;
  prepare(rig, false);
  rig.wire.feed(Party::client, bind_to("", "s") + describe('P', "") + execute() + sync());
  rig.wire.feed(Party::backend,
                bind_complete() + returns("a", 23) + row() + command("SELECT 1") + ready());
  rig.backends.push_back(fresh_backend());
  const std::size_t heard = rig.wire.to_client().size();
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig.wire.feed(Party::backend, given(returns("a", 25)));
  rig.wire.feed(Party::backend, error("26000", "no such") + ready());
  EXPECT_EQ(tags(rig.wire.to_client().substr(heard)), "EZ");
}

TEST(ConversationHealing, WhatCannotBePreparedAnyMoreFailsItsBatch) {
  Newcomer rig(row_description());
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig.wire.feed(Party::backend, error("42P01", "gone"));
  EXPECT_TRUE(rig.sent().ends_with(flush() + sync()));
  rig.wire.feed(Party::backend, ready());
  EXPECT_EQ(rig.told(), "EZ");
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationHealing, OneBackendFindsOutForAll) {
  Rig rig;
  prepare(rig, false);
  auto other = fresh_backend();
  const auto statement = rig.backend().statements.find(1);
  other->statements.add(statement);
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig.wire.feed(Party::backend, kOutdated + ready());
  rig.wire.feed(Party::backend, close_complete() + parse_complete() + kRowAnswer);
  EXPECT_EQ(statement->columns.generation(), 2U);
  EXPECT_TRUE(other->statements.outdated(*statement));
  rig.backends.push_back(std::move(other));
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  EXPECT_EQ(since(rig, before), kAgain + bind_to("", "weirpool_1") + execute() + sync());
}

TEST(ConversationHealing, NothingIsSentTwiceThatMayHaveHappened) {
  const std::string bind = bind_to("", "s") + execute();
  // In a transaction; behind an answer; with another batch behind it; without an end.
  for (const bool begun : {true, false}) {
    Rig rig;
    prepare(rig, false);
    if (begun) {
      rig.wire.feed(Party::client, query("begin"));
      rig.wire.feed(Party::backend, command("BEGIN") + ready('T'));
    }
    const std::string behind = begun ? "" : bind + sync();
    const std::size_t before = rig.wire.to_backend().size();
    rig.wire.feed(Party::client, bind + sync() + behind);
    const std::size_t sent = rig.wire.to_backend().size();
    rig.wire.feed(Party::backend, kOutdated + ready(begun ? 'E' : 'I'));
    EXPECT_EQ(rig.wire.to_backend().size(), sent) << before;
    EXPECT_EQ(tags(rig.wire.to_client()), begun ? "1Z2DCZCZEZ" : "1Z2DCZEZ");
  }
  Rig answered;
  prepare(answered, false);
  answered.wire.feed(Party::client, bind + bind + sync());
  answered.wire.feed(Party::backend,
                     bind_complete() + row() + command("SELECT 1") + kOutdated + ready());
  EXPECT_EQ(tags(answered.wire.to_client()), "1Z2DCZ2DCEZ");
  Rig open;
  prepare(open, false);
  open.wire.feed(Party::client, bind + flush());
  open.wire.feed(Party::backend, kOutdated);
  EXPECT_EQ(tags(open.wire.to_client()), "1Z2DCZE");
}

TEST(ConversationHealing, LongBatchesAreNotKept) {
  Rig rig;
  prepare(rig, false);
  rig.wire.feed(Party::client, bind_to("", "s", std::string(20000, 'x')) + execute() + sync());
  rig.wire.feed(Party::backend, kOutdated + ready());
  EXPECT_EQ(tags(rig.wire.to_client()), "1Z2DCZEZ");
  // The next try succeeds all the same.
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  EXPECT_EQ(since(rig, before), kAgain + bind_to("", "weirpool_1") + execute() + sync());
}

TEST(ConversationHealing, NewsInBetweenReachTheClient) {
  Rig rig;
  prepare(rig, false);
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig.wire.feed(Party::backend, kOutdated + notice("hm") + status("TimeZone", "X"));
  EXPECT_EQ(tags(rig.wire.to_client()), "1Z2DCZNS");
  rig.wire.feed(Party::client, query("select 2"));  // waits
  rig.wire.feed(Party::backend, ready());
  rig.wire.feed(Party::backend, close_complete() + parse_complete() + kRowAnswer);
  EXPECT_EQ(tags(rig.wire.to_client()), "1Z2DCZNS2DCZ");
  EXPECT_EQ(rig.wire.breach(), "");
  Rig lost;
  prepare(lost, false);
  lost.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  lost.wire.feed(Party::backend, kOutdated + error("57P01", "terminating", "FATAL"));
  EXPECT_EQ(tags(lost.wire.to_client()), "1Z2DCZE");
}

TEST(ConversationHealing, WhoPreparesWhatDidNotFitHasTheServerLookAgain) {
  for (const std::string state : {"42804", "42883", "22P02", "22003", "XX000"}) {
    for (const bool described : {true, false}) {
      Rig rig;
      prepare(rig, described);
      const std::string use = described ? describe('S', "s") : bind_to("", "s") + execute();
      rig.wire.feed(Party::client, use + sync());
      rig.wire.feed(Party::backend, error(state, "types") + ready());
      std::size_t before = rig.wire.to_backend().size();
      rig.wire.feed(Party::client, parse("t", kText) + sync());
      EXPECT_EQ(since(rig, before), parse("weirpool_2", kText) + sync()) << state;
      rig.wire.feed(Party::backend, parse_complete() + ready());
      // Who knows the old types keeps them, and does not make the new ones doubtful.
      before = rig.wire.to_backend().size();
      rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
      EXPECT_EQ(since(rig, before), bind_to("", "weirpool_1") + execute() + sync());
      rig.wire.feed(Party::backend, error(state, "types") + ready());
      before = rig.wire.to_backend().size();
      rig.wire.feed(Party::client, parse("u", kText) + sync());
      EXPECT_EQ(since(rig, before), sync());
    }
  }
}

TEST(ConversationHealing, OtherErrorsMakeNothingDoubtful) {
  const std::string bind = bind_to("", "s") + execute() + sync();
  for (const std::string& answer :
       {error("57014", "cancelled"), bind_complete() + error("22012", "division by zero")}) {
    Rig rig;
    prepare(rig, false);
    rig.wire.feed(Party::client, bind);
    rig.wire.feed(Party::backend, answer + ready());
    const std::size_t before = rig.wire.to_backend().size();
    rig.wire.feed(Party::client, parse("t", kText) + sync());
    EXPECT_EQ(since(rig, before), sync());
  }
}

TEST(ConversationHealing, BehindAChangeOfTypesEverythingIsPreparedAnew) {
  Rig rig;
  prepare(rig, false);
  const auto prepares_anew = [&rig](const std::string& name) {
    const std::size_t before = rig.wire.to_backend().size();
    rig.wire.feed(Party::client, parse(name, kText) + sync());
    const bool anew = since(rig, before) != sync();
    rig.wire.feed(Party::backend, (anew ? parse_complete() : "") + ready());
    return anew;
  };
  const auto execute_ddl = [&rig](const std::string& tag) {
    rig.wire.feed(Party::client, query("ddl"));
    rig.wire.feed(Party::backend, command(tag) + ready());
  };
  EXPECT_FALSE(prepares_anew("a"));
  execute_ddl("ALTER TABLE");
  EXPECT_TRUE(prepares_anew("b"));
  EXPECT_FALSE(prepares_anew("c"));
  execute_ddl("DROP TYPE");
  EXPECT_TRUE(prepares_anew("d"));
  for (const std::string tag :
       {"DROP TABLE", "CREATE TABLE", "ALTER ROLE", "DELETE 10", "SELECT 1"}) {
    execute_ddl(tag);
    EXPECT_FALSE(prepares_anew("after " + tag));
  }
}

TEST(ConversationHealing, TypesHaveChangedWhenTheirTransactionEnds) {
  Rig rig;
  prepare(rig, false);
  const auto known = [&rig] { return rig.catalog->statements.size(); };
  rig.wire.feed(Party::client, query("begin") + query("alter"));
  rig.wire.feed(Party::backend,
                command("BEGIN") + ready('T') + command("ALTER TABLE") + ready('T'));
  EXPECT_EQ(known(), 1U);
  rig.wire.feed(Party::client, query("commit"));
  rig.wire.feed(Party::backend, command("COMMIT") + ready());
  EXPECT_EQ(known(), 0U);
  // Or is lost: it may have ended.
  Rig lost;
  prepare(lost, false);
  lost.wire.feed(Party::client, query("begin") + query("alter"));
  lost.wire.feed(Party::backend,
                 command("BEGIN") + ready('T') + command("ALTER TABLE") + ready('T'));
  lost.conversation.detach();
  EXPECT_EQ(lost.catalog->statements.size(), 0U);
}

TEST(ConversationHealing, UnderOtherSettingsItIsAnotherStatement) {
  Rig rig;
  const std::string bind = bind_to("", "s") + execute() + sync();
  const std::string answer = bind_complete() + row() + command("SELECT 1") + ready();
  const auto sent_by_bind = [&](bool injects) {
    const std::size_t before = rig.wire.to_backend().size();
    rig.wire.feed(Party::client, bind);
    rig.wire.feed(Party::backend, (injects ? parse_complete() : "") + answer);
    EXPECT_FALSE(rig.attached);
    return rig.wire.to_backend().substr(before);
  };
  const auto set_zone = [&rig](const std::string& zone) {
    rig.wire.feed(Party::client, query("set timezone to '" + zone + "'"));
    rig.wire.feed(Party::backend, command("SET") + status("TimeZone", zone) + ready());
    EXPECT_FALSE(rig.attached);
  };
  const auto bound_to = [](const std::string& name) {
    return bind_to("", name) + execute() + sync();
  };
  rig.wire.feed(Party::client, parse("s", "select now()") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  EXPECT_EQ(sent_by_bind(false), bound_to("weirpool_1"));
  // Behind an invalidation the server would look at the text anew, in this time zone, for
  // everybody.
  set_zone("Asia/Tokyo");
  EXPECT_EQ(sent_by_bind(true), parse("weirpool_2", "select now()") + bound_to("weirpool_2"));
  EXPECT_EQ(sent_by_bind(false), bound_to("weirpool_2"));
  set_zone("UTC");
  EXPECT_EQ(sent_by_bind(false), bound_to("weirpool_1"));
  // Where names are looked for, it sees each time.
  rig.wire.feed(Party::client, query("set search_path = x"));
  rig.wire.feed(Party::backend, command("SET") + ready());
  rig.wire.feed(Party::backend,
                row_description() + row_of({std::string("x")}) + command("SELECT 1") + ready());
  EXPECT_EQ(sent_by_bind(false), bound_to("weirpool_1"));
}

TEST(ConversationHealing, InATransactionThatChangesSettingsItStaysTheSame) {
  Rig rig;
  rig.wire.feed(Party::client, parse("s", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client, query("begin") + query("set local work_mem = 1000"));
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T') + command("SET") + ready('T'));
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  EXPECT_EQ(rig.wire.to_backend().substr(before), bind_to("", "weirpool_1") + execute() + sync());
}

}  // namespace
}  // namespace weirpool::test::pg
