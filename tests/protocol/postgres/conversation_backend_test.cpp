#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

using Wanted = std::vector<postgres::NamedValue>;

MakeRig wanting(Wanted wanted) {
  return [wanted] { return std::make_unique<Rig>(wanted); };
}

TEST(ConversationBackend, AChunkOfRowsTakesOneForward) {
  Rig rig;
  rig.wire.feed(Party::client, query("select * from t"));
  std::string bytes;
  while (bytes.size() < 16000) bytes += row("some value");
  const std::string last = row(std::string(1000, 'x'));
  bytes += last.substr(0, 10);
  const Verdict verdict = rig.conversation.step(
      Party::backend, MutableBytes(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()));
  EXPECT_EQ(verdict.kind, Kind::forward);
  EXPECT_EQ(verdict.count, bytes.size() - 10 + last.size());
}

const std::string kNews = message('A', be32(1) + z("c") + z("p"));

TEST(ConversationBackend, NoticesAndNotificationsMayStandAnywhere) {
  const std::string chatter = notice("hm") + kNews;
  const std::string answer = chatter + row_description() + chatter + row() + chatter +
                             command("SELECT 1") + chatter + ready();
  const auto in_session_mode = [] {
    auto rig = std::make_unique<Rig>();
    rig->conversation.place(protocol::Pooling::session, "shop", true);
    return rig;
  };
  const Outcome heard =
      play_all_ways({client(query("select 1")), backend(answer)}, in_session_mode);
  EXPECT_EQ(heard.to_client, answer);
}

TEST(ConversationBackend, WhoHasNotAskedForNotificationsGetsNone) {
  const std::string answer =
      kNews + row_description() + kNews + row() + kNews + command("SELECT 1") + kNews + ready();
  const Outcome heard = play_all_ways({client(query("select 1")), backend(answer)});
  EXPECT_EQ(tags(heard.to_client), "TDCZ");
  EXPECT_FALSE(heard.attached);
  // A function of somebody's listens: not beyond the next boundary.
  Rig rig;
  rig.wire.feed(Party::client, query("select 1"));
  rig.wire.feed(Party::backend, command("SELECT 1") + kNews + ready());
  EXPECT_EQ(rig.releases, 1U);
  EXPECT_FALSE(rig.released_clean);
  EXPECT_EQ(rig.backend().left_behind, postgres::kPinListen);
  const postgres::SessionPolicy allows{0, 0, postgres::kPinListen, false};
  Rig allowed({}, 100, allows);
  allowed.wire.feed(Party::client, query("select 1"));
  allowed.wire.feed(Party::backend, command("SELECT 1") + kNews + ready());
  EXPECT_EQ(tags(allowed.wire.to_client()), "CAZ");
  EXPECT_TRUE(allowed.released_clean);
}

TEST(ConversationBackend, AnErrorInABatchEndsItAtTheSync) {
  const std::string batch = parse("", "oops") + bind_to("", "") + execute() + sync();
  const Outcome heard = play_all_ways(
      {client(batch), backend(error("42601", "syntax error") + ready()), client(batch),
       backend(parse_complete() + bind_complete() + command("X") + ready())});
  EXPECT_EQ(tags(heard.to_client), "EZ12CZ");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationBackend, WhatFollowsAnErrorBeforeSyncIsNotSent) {
  const Outcome heard = play_all_ways(
      {client(parse("", "oops") + flush()), backend(error("42601", "syntax error")),
       client(bind_to("", "") + query("has no answer") + execute() + sync()), backend(ready())});
  EXPECT_EQ(tags(heard.to_client), "EZ");
  EXPECT_EQ(tags(heard.to_backend), "PHS");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationBackend, AQuerySkippedInAFailedBatchHasNoReadyOfItsOwn) {
  const Outcome heard = play_all_ways({client(parse("", "oops") + query("select 1") + sync()),
                                       backend(error("42601", "syntax error") + ready())});
  EXPECT_EQ(tags(heard.to_client), "EZ");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationBackend, LastWordsAreSaidOnce) {
  Rig rig;
  rig.wire.feed(Party::client, query("select pg_sleep(1)"));
  rig.wire.feed(Party::backend, error("57P01", "terminating", "FATAL"));
  EXPECT_EQ(tags(rig.wire.to_client()), "E");
  EXPECT_FALSE(rig.conversation.at_boundary());
  const Verdict verdict = rig.conversation.backend_lost(false);
  EXPECT_EQ(verdict.kind, Kind::close);
  EXPECT_EQ(verdict.fault, Fault::none);
}

TEST(ConversationBackend, ALostBackendIsReported) {
  Rig rig;
  rig.wire.feed(Party::client, query("select 1"));
  EXPECT_EQ(rig.conversation.backend_lost(false).fault, Fault::outcome_unknown);
}

TEST(ConversationBackend, WhatWasNotAskedForIsAViolation) {
  const std::vector<std::string> broken{ready(),
                                        row(),
                                        message('1'),
                                        message('R', be32(0)),
                                        message('W', "abc"),
                                        std::string("D\0\0\0\1", 5),
                                        message('?'),
                                        error("XX000", "out of the blue")};
  for (const std::string& bytes : broken) {
    Rig rig;
    rig.wire.feed(Party::client, query("begin"));
    rig.wire.feed(Party::backend, command("BEGIN") + ready('T'));
    rig.wire.feed(Party::backend, bytes);
    EXPECT_EQ(rig.wire.fault(), Fault::backend_violation) << bytes;
  }
}

TEST(ConversationBackend, AnUnknownTransactionStatusIsAViolation) {
  Rig rig;
  rig.wire.feed(Party::client, query("select 1"));
  rig.wire.feed(Party::backend, command("SELECT 1") + ready('x'));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_violation);
}

TEST(ConversationBackend, HalfAMessageBehindTheBoundaryKeepsTheBackend) {
  Rig rig;
  const std::string late = notice("late");
  rig.wire.feed(Party::client, query("select 1"));
  rig.wire.feed(Party::backend, command("SELECT 1") + ready() + late.substr(0, 3));
  EXPECT_TRUE(rig.attached);
  EXPECT_FALSE(rig.conversation.at_boundary());
  rig.wire.feed(Party::backend, late.substr(3));
  EXPECT_FALSE(rig.attached);
  EXPECT_EQ(tags(rig.wire.to_client()), "CZN");
}

TEST(ConversationBackend, EqualParametersCostNothing) {
  const Outcome heard =
      play_all_ways({client(query("select 1")), backend(command("SELECT 1") + ready())},
                    wanting({{"timezone", "UTC"}, {"client_encoding", "UTF8"}}));
  EXPECT_EQ(tags(heard.to_backend), "Q");
}

TEST(ConversationBackend, ParametersAreSetBeforeTheFirstByteAndOnlyOnce) {
  const std::string set = query(
      "SELECT pg_catalog.set_config(E'TimeZone',E'Europe/Rome',false),"
      "pg_catalog.set_config(E'search_path',E'\"$user\", a''b\\\\',false)");
  const Outcome heard =
      play_all_ways({client(query("select 1")),
                     backend(row_description() + row() + command("SELECT 1") +
                             status("TimeZone", "Europe/Rome") + ready()),
                     backend(command("SELECT 1") + ready()), client(query("select 2")),
                     backend(command("SELECT 1") + ready())},
                    wanting({{"TimeZone", "Europe/Rome"}, {"search_path", "\"$user\", a'b\\"}}));
  EXPECT_EQ(heard.to_backend, set + query("select 1") + query("select 2"));
  EXPECT_EQ(tags(heard.to_client), "CZCZ");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationBackend, TheBackendsSpellingIsAdopted) {
  Rig rig(Wanted{{"datestyle", "iso"}});
  rig.wire.feed(Party::client, query("select 1"));
  rig.wire.feed(Party::backend, row_description() + row() + command("SELECT 1") + ready());
  EXPECT_EQ(rig.wire.to_client(), status("DateStyle", "ISO, MDY"));
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  rig.backends.push_back(fresh_backend());
  rig.wire.feed(Party::client, query("select 2"));
  EXPECT_EQ(tags(rig.wire.to_backend()), "QQQ");  // The second backend needs no SET.
}

TEST(ConversationBackend, ARefusedParameterIsFatalAndCostsTheBackend) {
  const Outcome heard =
      play_all_ways({client(query("select 1")), backend(error("22023", "invalid value") + ready())},
                    wanting({{"datestyle", "nonsense"}}));
  EXPECT_EQ(tags(heard.to_client), "E");
  EXPECT_NE(heard.to_client.find("FATAL"), std::string::npos);
  EXPECT_TRUE(heard.attached);
  Rig rig(Wanted{{"datestyle", "nonsense"}});
  rig.wire.feed(Party::client, query("select 1"));
  rig.wire.feed(Party::backend, error("22023", "invalid value") + ready());
  EXPECT_TRUE(rig.wire.ended());
  EXPECT_EQ(rig.wire.fault(), Fault::none);
  EXPECT_FALSE(rig.conversation.at_boundary());
}

TEST(ConversationBackend, AChangedParameterFollowsTheClient) {
  Rig rig;
  rig.backends.push_back(fresh_backend());
  rig.wire.feed(Party::client, query("set timezone = 'Asia/Tokyo'"));
  rig.wire.feed(Party::backend, command("SET") + status("TimeZone", "Asia/Tokyo") + ready());
  EXPECT_FALSE(rig.attached);
  EXPECT_EQ(rig.conversation.pin_reason(), "");
  rig.wire.feed(Party::client, query("select 1"));
  EXPECT_NE(rig.wire.to_backend().find("set_config(E'TimeZone',E'Asia/Tokyo',false)"),
            std::string::npos);
}

TEST(ConversationBackend, WhatOneClientSetIsResetForTheNext) {
  Rig one;
  one.wire.feed(Party::client, query("set timezone = 'Asia/Tokyo'"));
  one.wire.feed(Party::backend, command("SET") + status("TimeZone", "Asia/Tokyo") + ready());
  Rig two;
  two.backends.clear();
  two.backends.push_back(std::move(one.backends.front()));
  two.wire.feed(Party::client, query("select 1"));
  EXPECT_EQ(two.wire.to_backend(), query("RESET \"TimeZone\";"));
}

TEST(ConversationBackend, PortalSuspendedEndsAnExecute) {
  const Outcome heard = play_all_ways(
      {client(parse("", "select 1") + bind_to("", "") + execute() + execute() + sync()),
       backend(parse_complete() + bind_complete() + row() + message('s') + row() +
               command("SELECT 1") + ready())});
  EXPECT_EQ(tags(heard.to_client), "12DsDCZ");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationBackend, CopyOutIsRelayed) {
  const std::string answer = message('H', std::string(3, '\0')) + copy_data("1\n") + copy_done() +
                             command("COPY 1") + ready();
  const Outcome heard = play_all_ways({client(query("copy t to stdout")), backend(answer)});
  EXPECT_EQ(heard.to_client, answer);
  EXPECT_FALSE(heard.attached);
}

}  // namespace
}  // namespace weirpool::test::pg
