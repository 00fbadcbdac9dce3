#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

TEST(ConversationClient, SimpleQueryIsForwardedAndTheBackendReleased) {
  const std::string answer = row_description() + row() + command("SELECT 1") + ready();
  const Outcome heard = play_all_ways({client(query("select 1")), backend(answer)});
  EXPECT_EQ(heard.to_client, answer);
  EXPECT_EQ(heard.to_backend, query("select 1"));
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationClient, SimpleQueryTakesOneForward) {
  Rig rig;
  std::string bytes = query("select 1");
  auto unread = MutableBytes(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size());
  EXPECT_EQ(rig.conversation.step(Party::client, unread).kind, Kind::lease);
  rig.conversation.attach(rig.backend());
  const Verdict verdict = rig.conversation.step(Party::client, unread);
  EXPECT_EQ(verdict.kind, Kind::forward);
  EXPECT_EQ(verdict.count, bytes.size());
}

TEST(ConversationClient, AnExtendedBatchTakesOneForward) {
  Rig rig;
  std::string bytes =
      parse("", "select $1") + bind_to("", "") + describe('P', "") + execute() + sync();
  auto unread = MutableBytes(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size());
  EXPECT_EQ(rig.conversation.step(Party::client, unread).kind, Kind::lease);
  rig.conversation.attach(rig.backend());
  const Verdict verdict = rig.conversation.step(Party::client, unread);
  EXPECT_EQ(verdict.kind, Kind::forward);
  EXPECT_EQ(verdict.count, bytes.size());
}

TEST(ConversationClient, PipelinedQueriesKeepTheBackendUntilAllAreAnswered) {
  Rig rig;
  rig.wire.feed(Party::client, query("select 1") + query("select 2") + query("select 3"));
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  EXPECT_TRUE(rig.attached);
  EXPECT_TRUE(rig.conversation.executing());
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  EXPECT_TRUE(rig.attached);
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  EXPECT_FALSE(rig.attached);
  EXPECT_TRUE(rig.released_clean);
}

TEST(ConversationClient, PipelinedSyncsAreCounted) {
  const std::string batch = parse("", "select 1") + bind_to("", "") + execute() + sync();
  const std::string answer = parse_complete() + bind_complete() + command("SELECT 1") + ready();
  const Outcome heard = play_all_ways({client(batch + batch), backend(answer), backend(answer)});
  EXPECT_EQ(heard.to_client, answer + answer);
  EXPECT_EQ(heard.to_backend, batch + batch);
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationClient, AnOpenTransactionKeepsTheBackend) {
  const Outcome heard =
      play_all_ways({client(query("begin")), backend(command("BEGIN") + ready('T')),
                     client(query("oops")), backend(error("42601", "syntax error") + ready('E'))});
  EXPECT_TRUE(heard.attached);
}

TEST(ConversationClient, AnUnsyncedBatchKeepsTheBackend) {
  Rig rig;
  rig.wire.feed(Party::client, parse("", "select 1") + flush());
  rig.wire.feed(Party::backend, parse_complete());
  EXPECT_TRUE(rig.attached);
  EXPECT_FALSE(rig.conversation.at_boundary());
  rig.wire.feed(Party::client, sync());
  rig.wire.feed(Party::backend, ready());
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationClient, SyncAndCloseWithoutABackendAreAnsweredHere) {
  const Outcome heard = play_all_ways({client(close_of('S', "s1") + sync())});
  EXPECT_EQ(heard.to_client, close_complete() + ready());
  EXPECT_EQ(heard.to_backend, "");
}

TEST(ConversationClient, FunctionCallIsCounted) {
  const std::string call = message('F', std::string(10, '\0'));
  const std::string answer = message('V', be32(0xFFFFFFFF)) + ready();
  const Outcome heard = play_all_ways({client(call), backend(answer)});
  EXPECT_EQ(heard.to_client, answer);
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationClient, TerminateIsDoneAndTellsTheBoundary) {
  Rig idle;
  idle.wire.feed(Party::client, terminate());
  EXPECT_EQ(idle.wire.events(), std::vector{Kind::done});
  Rig open;
  open.wire.feed(Party::client, query("begin"));
  open.wire.feed(Party::backend, command("BEGIN") + ready('T'));
  open.wire.feed(Party::client, terminate());
  EXPECT_EQ(open.wire.count(Kind::done), 1U);
  EXPECT_FALSE(open.conversation.at_boundary());
}

TEST(ConversationClient, WhatIsNoProtocolClosesTheSession) {
  const std::vector<std::string> broken{message('?'),
                                        std::string("Q\0\0\0\3", 5),
                                        std::string("Q\x7F\0\0\0", 5),
                                        message('S', "x"),
                                        message('X', "x"),
                                        message('C', z("Zname")),
                                        std::string("GET / HTTP/1.1\r\n"),
                                        message('p', z("password"))};
  for (const std::string& bytes : broken) {
    Rig rig;
    rig.wire.feed(Party::client, bytes);
    EXPECT_EQ(rig.wire.fault(), Fault::protocol_violation) << bytes;
    EXPECT_EQ(rig.wire.to_backend(), "");
  }
}

TEST(ConversationClient, ABackendIsNotTakenForHalfAMessage) {
  Rig rig;
  const std::string bytes = query("select 1");
  rig.wire.feed(Party::client, std::string_view(bytes).substr(0, bytes.size() - 1));
  EXPECT_EQ(rig.leases, 0U);
}

TEST(ConversationClient, RefusedQueryIsAnsweredAndTheSessionKept) {
  const auto make = [] {
    auto rig = std::make_unique<Rig>();
    rig->refuse_with = Fault::pool_timeout;
    return rig;
  };
  const Outcome heard = play_all_ways({client(query("select 1")), client(query("select 2"))}, make);
  EXPECT_EQ(tags(heard.to_client), "EZEZ");
  EXPECT_EQ(heard.to_backend, "");
  EXPECT_EQ(heard.fault, Fault::none);
}

TEST(ConversationClient, NoRefusalIsFatal) {
  for (const Fault fault : {Fault::pool_timeout, Fault::backend_refused_login,
                            Fault::unknown_database, Fault::backend_unavailable}) {
    Rig rig;
    rig.refuse_with = fault;
    rig.wire.feed(Party::client, query("select 1"));
    const std::string severity = z("SERROR") + z("VERROR");
    EXPECT_NE(rig.wire.to_client().find(severity), std::string::npos);
    EXPECT_NE(rig.wire.to_client().find(std::string(protocol::row_of(fault).sqlstate)),
              std::string::npos);
    EXPECT_EQ(tags(rig.wire.to_client()), "EZ");
  }
}

TEST(ConversationClient, RefusedBatchIsIgnoredUpToItsSync) {
  const auto make = [] {
    auto rig = std::make_unique<Rig>();
    rig->refuse_with = Fault::pool_queue_full;
    return rig;
  };
  const Outcome heard = play_all_ways(
      {client(parse("s", "select 1") + bind_to("", "s") + query("ignored too") + execute()),
       client(flush()), client(sync())},
      make);
  EXPECT_EQ(tags(heard.to_client), "EZ");
  Rig rig;
  rig.refuse_with = Fault::pool_timeout;
  rig.wire.feed(Party::client, parse("s", "select 1") + flush());
  EXPECT_EQ(tags(rig.wire.to_client()), "E");  // A client that waits for an answer gets it.
}

TEST(ConversationClient, ARollbackBehindARefusalStandsInNoLine) {
  Rig rig;
  rig.refuse_with = Fault::pool_overloaded;
  rig.wire.feed(Party::client, query("begin"));
  EXPECT_EQ(tags(rig.wire.to_client()), "EZ");
  const std::size_t asked = rig.leases;
  rig.wire.feed(Party::client, query("ROLLBACK"));
  EXPECT_EQ(tags(rig.wire.to_client()), "EZNCZ");
  EXPECT_EQ(rig.leases, asked);
  rig.wire.feed(Party::client, query("rollback; select 1"));
  EXPECT_EQ(rig.leases, asked + 1);
  // Once it has had a backend again a ROLLBACK is a statement like others.
  rig.refuse_with = Fault::none;
  rig.wire.feed(Party::client, query("select 1"));
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  rig.wire.feed(Party::client, query("ROLLBACK"));
  EXPECT_EQ(rig.leases, asked + 3);
}

TEST(ConversationClient, WhoAsksNothingNeedsNoBackend) {
  const Outcome heard = play_all_ways({client(query("")), client(query(""))});
  EXPECT_EQ(tags(heard.to_client), "IZIZ");
  EXPECT_EQ(heard.to_backend, "");
  Rig rig;
  rig.wire.feed(Party::client, query("") + query(" "));
  EXPECT_EQ(tags(rig.wire.to_client()), "IZ");
  EXPECT_EQ(rig.leases, 1U) << "what is not quite nothing is the server's to judge";
  // Nor is it in the middle of something.
  rig.wire.feed(Party::client, query(""));
  rig.wire.feed(Party::backend, message('I') + ready());
  EXPECT_EQ(tags(rig.wire.to_backend()), "QQ");
}

TEST(ConversationClient, CopyInIsRelayedAndItsEarlySyncNotCounted) {
  const std::string start = parse("", "copy t from stdin") + bind_to("", "") + execute() + sync();
  const Outcome heard = play_all_ways(
      {client(start), backend(parse_complete() + bind_complete() + copy_in_response()),
       client(copy_data("1\n") + copy_data("2\n") + copy_done() + sync()),
       backend(command("COPY 2") + ready())});
  EXPECT_EQ(tags(heard.to_client), "12GCZ");
  EXPECT_EQ(tags(heard.to_backend), "PBESddcS");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationClient, CopyWithoutSyncYetKeepsTheBackend) {
  Rig rig;
  rig.wire.feed(Party::client,
                parse("", "copy t from stdin") + bind_to("", "") + execute() + sync());
  rig.wire.feed(Party::backend, parse_complete() + bind_complete() + copy_in_response());
  rig.wire.feed(Party::client, copy_done());
  rig.wire.feed(Party::backend, command("COPY 0"));
  EXPECT_TRUE(rig.attached);
  rig.wire.feed(Party::client, sync());
  rig.wire.feed(Party::backend, ready());
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationClient, CopyDataSentWithTheQueryIsCountedExactly) {
  const Outcome heard =
      play_all_ways({client(query("copy t from stdin") + copy_data("1\n") + copy_done()),
                     backend(copy_in_response() + command("COPY 1") + ready()),
                     client(query("select 1")), backend(command("SELECT 1") + ready())});
  EXPECT_EQ(tags(heard.to_client), "GCZCZ");
  EXPECT_EQ(tags(heard.to_backend), "QdcQ");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationClient, RowsLeftOverFromAFailedCopyAreDropped) {
  const Outcome heard = play_all_ways(
      {client(query("copy t from stdin")), backend(copy_in_response()), client(copy_data("x\n")),
       backend(error("22P02", "bad row") + ready()), client(copy_data("y\n") + copy_done()),
       client(query("select 1")), backend(command("SELECT 1") + ready())});
  EXPECT_EQ(tags(heard.to_client), "GEZCZ");
  EXPECT_EQ(tags(heard.to_backend), "QdQ");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationClient, CopyFailedInABatchIsIgnoredUpToSync) {
  const Outcome heard = play_all_ways(
      {client(parse("", "copy t from stdin") + bind_to("", "") + execute()),
       backend(parse_complete() + bind_complete()), client(flush()), backend(copy_in_response()),
       client(copy_data("x\n")), backend(error("22P02", "bad row")),
       client(copy_data("y\n") + copy_done() + sync()), backend(ready())});
  EXPECT_EQ(tags(heard.to_client), "12GEZ");
  EXPECT_EQ(tags(heard.to_backend), "PBEHdS");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationClient, QueriesInsideCopyInAreAViolation) {
  Rig rig;
  rig.wire.feed(Party::client, query("copy t from stdin"));
  rig.wire.feed(Party::backend, copy_in_response());
  rig.wire.feed(Party::client, query("select 1"));
  EXPECT_EQ(rig.wire.fault(), Fault::protocol_violation);
  EXPECT_FALSE(rig.conversation.at_boundary());
}

TEST(ConversationClient, TwoCopiesInOneQuery) {
  const Outcome heard = play_all_ways(
      {client(query("copy a from stdin; copy b from stdin")), backend(copy_in_response()),
       client(copy_data("1\n") + copy_done()), backend(command("COPY 1") + copy_in_response()),
       client(copy_data("2\n") + copy_done()), backend(command("COPY 1") + ready())});
  EXPECT_EQ(tags(heard.to_client), "GCGCZ");
  EXPECT_EQ(tags(heard.to_backend), "Qdcdc");
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationClient, LongTextsStreamAndAreStillRead) {
  const std::string text = "select '" + std::string(40000, 'x') + "'; listen somewhere";
  Rig rig;
  rig.wire.feed(Party::client, query(text));
  rig.wire.feed(Party::backend, command("SELECT 1") + command("LISTEN") + ready());
  EXPECT_EQ(rig.wire.breach(), "");
  EXPECT_EQ(rig.wire.to_backend().substr(0, text.size() + 6), query(text));
  EXPECT_EQ(rig.conversation.pin_reason(), "listen");
  EXPECT_TRUE(rig.attached);
  EXPECT_TRUE(rig.conversation.needs_reset());
}

TEST(ConversationClient, TheFirstWordOfALongTextIsRead) {
  Rig rig;
  rig.wire.feed(Party::client, query("load 'x' -- " + std::string(40000, 'x')));
  EXPECT_EQ(rig.conversation.pin_reason(), "load");
}

TEST(ConversationClient, LargeMessagesStreamWithoutBeingHeld) {
  const std::string batch = bind_to("", "", std::string(3000000, 'v')) + execute() + sync();
  Rig rig;
  rig.wire.feed(Party::client, parse("", "insert into t values ($1)"));
  rig.wire.feed(Party::client, batch);
  EXPECT_EQ(rig.wire.breach(), "");
  EXPECT_EQ(tags(rig.wire.to_backend()), "PBES");
}

TEST(ConversationClient, ABackendIsNotReleasedInsideAForward) {
  Rig rig;
  rig.wire.feed(Party::client, query("copy t from stdin"));
  rig.wire.feed(Party::backend, copy_in_response());
  const std::string row_bytes = copy_data(std::string(100, 'x'));
  rig.wire.feed(Party::client, std::string_view(row_bytes).substr(0, 50));
  rig.wire.feed(Party::backend, error("22P02", "bad row") + ready());
  EXPECT_TRUE(rig.attached);
  EXPECT_FALSE(rig.conversation.at_boundary());
  rig.wire.feed(Party::client, std::string_view(row_bytes).substr(50));
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationClient, AFullQueueHoldsTheClientAndAsksForAnswers) {
  Rig rig;
  rig.wire.feed(Party::client, parse("", "select 1"));
  std::string many;
  for (std::size_t i = 0; i < postgres::kMaxExpected + 10; ++i) many += execute();
  rig.wire.feed(Party::client, many + sync());
  EXPECT_EQ(rig.wire.breach(), "");
  EXPECT_EQ(tags(rig.wire.to_backend()).back(), 'H');
  std::string answers = parse_complete();
  for (std::size_t i = 0; i < postgres::kMaxExpected - 1; ++i) answers += command("SELECT 0");
  rig.wire.feed(Party::backend, answers);
  EXPECT_EQ(tags(rig.wire.to_backend()).back(), 'S');
  std::string rest;
  for (int i = 0; i < 11; ++i) rest += command("SELECT 0");
  rig.wire.feed(Party::backend, rest + ready());
  EXPECT_FALSE(rig.attached);
}

}  // namespace
}  // namespace weirpool::test::pg
