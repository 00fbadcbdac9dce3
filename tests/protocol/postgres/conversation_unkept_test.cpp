// Statements that only the backend has: too long, or too many, to be kept for the client.
#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

const std::string kAnswer = bind_complete() + command("SELECT 1") + ready();

std::string very_long(const std::string& front) {
  return front + std::string(postgres::kMaxParse, 'x') + "'";
}

std::string told(bool exists) {
  return row_description() + row_of({exists ? "t" : "f"}) + command("SELECT 1") + ready();
}

bool asks_for_statements(const Rig& rig) {
  const std::string& heard = rig.wire.to_backend();
  const std::size_t at = heard.rfind("pg_prepared_statements");
  return at != heard.npos && heard.find("NOT from_sql", at) != heard.npos &&
         tags(heard).ends_with("Q");
}

/// The client has one, which keeps it at its backend.
std::unique_ptr<Rig> with_long_statement() {
  auto rig = std::make_unique<Rig>();
  rig->wire.feed(Party::client, parse("s", very_long("select '")) + sync());
  rig->wire.feed(Party::backend, parse_complete() + ready());
  EXPECT_TRUE(asks_for_statements(*rig));
  rig->wire.feed(Party::backend, told(true));
  EXPECT_EQ(rig->conversation.pin_reason(), "long_statement");
  return rig;
}

TEST(ConversationUnkept, OneTooLongToBeKeptKeepsItsBackendUntilItIsBound) {
  const std::string text = very_long("listen x -- ");
  Rig rig;
  rig.wire.feed(Party::client, parse("", text) + describe('S', "") + sync());
  rig.wire.feed(Party::backend, parse_complete() + parameter_description() + no_data() + ready());
  EXPECT_TRUE(rig.attached);
  EXPECT_EQ(rig.conversation.pin_reason(), "long_statement");
  EXPECT_TRUE(rig.conversation.at_boundary());
  EXPECT_FALSE(rig.conversation.needs_reset());
  rig.wire.feed(Party::client, bind_to("", "") + execute() + sync());
  EXPECT_EQ(tags(rig.wire.to_backend()), "PDSBES");
  rig.wire.feed(Party::backend, bind_complete() + command("LISTEN") + ready());
  EXPECT_EQ(rig.conversation.pin_reason(), "listen") << "its effects are those of executing it";
}

TEST(ConversationUnkept, OneTooLongToBeKeptMayBeReplaced) {
  const std::string text = very_long("select '");
  for (const auto& [next, answer] : {std::pair{query("select 1"), command("SELECT 1") + ready()},
                                     {parse("", "select 1") + sync(), parse_complete() + ready()},
                                     {close_of('S', "") + sync(), close_complete() + ready()}}) {
    Rig rig;
    rig.wire.feed(Party::client, parse("", text) + sync());
    rig.wire.feed(Party::backend, parse_complete() + ready());
    EXPECT_TRUE(rig.attached);
    rig.wire.feed(Party::client, next);
    rig.wire.feed(Party::backend, answer);
    EXPECT_FALSE(rig.attached) << tags(next);
  }
  Rig fails;
  fails.wire.feed(Party::client, parse("", text) + sync());
  fails.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  EXPECT_FALSE(fails.attached);
}

TEST(ConversationUnkept, UnnamedOnesPass) {
  const std::string text = very_long("select '");
  Rig passes;
  passes.wire.feed(Party::client, parse("", text) + bind_to("", "") + execute() + sync());
  EXPECT_EQ(passes.wire.breach(), "");
  EXPECT_EQ(tags(passes.wire.to_backend()), "PBES");
  passes.wire.feed(Party::backend, parse_complete() + kAnswer);
  passes.wire.feed(Party::client, bind_to("", "") + sync());
  EXPECT_EQ(tags(passes.wire.to_backend()), "PBESCBS");  // Gone with its transaction.
}

TEST(ConversationUnkept, ANamedOneIsTheBackendsUnderItsOwnName) {
  const std::string text = very_long("select '");
  Rig rig;
  rig.wire.set_window(5000);
  const std::string batch =
      parse("s", text) + describe('S', "s") + bind_to("", "s") + execute() + sync();
  rig.wire.feed(Party::client, batch);
  EXPECT_EQ(rig.wire.to_backend(), batch);
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(ConversationUnkept, ItKeepsItsClientUntilItIsClosed) {
  const auto rig = with_long_statement();
  EXPECT_TRUE(rig->attached);
  rig->wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  rig->wire.feed(Party::backend, kAnswer);
  EXPECT_TRUE(rig->attached);
  rig->wire.feed(Party::client, close_of('S', "s") + sync());
  rig->wire.feed(Party::backend, close_complete() + ready());
  ASSERT_TRUE(asks_for_statements(*rig));
  rig->wire.feed(Party::backend, told(false));
  EXPECT_FALSE(rig->attached);
  EXPECT_TRUE(rig->released_clean);
  EXPECT_EQ(tags(rig->wire.to_client()), "1Z2CZ3Z");
}

TEST(ConversationUnkept, ItMayFail) {
  Rig rig;
  rig.wire.feed(Party::client, parse("s", very_long("selec '")) + sync());
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  rig.wire.feed(Party::backend, told(false));
  EXPECT_FALSE(rig.attached);
  EXPECT_EQ(tags(rig.wire.to_client()), "EZ");
}

TEST(ConversationUnkept, DeallocateEndsIt) {
  for (const std::string text : {"deallocate s", "deallocate all", "discard all"}) {
    const auto rig = with_long_statement();
    rig->wire.feed(Party::client, query(text));
    rig->wire.feed(Party::backend, command("DEALLOCATE") + ready());
    ASSERT_TRUE(asks_for_statements(*rig)) << text;
    rig->wire.feed(Party::backend, told(false));
    EXPECT_FALSE(rig->attached) << text;
  }
}

TEST(ConversationUnkept, MeanwhileTheServerSaysWhichNamesAreTaken) {
  const auto rig = with_long_statement();
  const std::size_t before = rig->wire.to_backend().size();
  rig->wire.feed(Party::client, parse("t", "select 1") + parse("s", "select 1") + sync());
  EXPECT_EQ(rig->wire.to_backend().substr(before),
            parse("t", "select 1") + parse("s", "select 1") + sync());
  rig->wire.feed(Party::backend, parse_complete() + error("42P05", "taken") + ready());
  EXPECT_EQ(tags(rig->wire.to_client()), "1Z1EZ");
}

TEST(ConversationUnkept, ANameOfAKeptOneIsTaken) {
  Rig rig;
  rig.wire.feed(Party::client, parse("s", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::client, parse("s", very_long("select '")) + sync());
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  EXPECT_EQ(tags(rig.wire.to_client()), "1ZEZ");
  EXPECT_NE(rig.wire.to_client().find("42P05"), std::string::npos);
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationUnkept, WeirpoolsOwnNamesAreNotForClients) {
  Rig rig;
  rig.wire.feed(Party::client, parse("weirpool_1", very_long("select '")) + sync());
  EXPECT_EQ(tags(rig.wire.to_backend()), "PS");
  EXPECT_LT(rig.wire.to_backend().size(), 100U);
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  EXPECT_NE(rig.wire.to_client().find("54000"), std::string::npos);
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationUnkept, WhereTextsAreRefusedNoneIsTooLongToBeRead) {
  postgres::SessionPolicy policy;
  policy.refused = postgres::kPinListen;
  Rig rig({}, 100, policy);
  rig.wire.feed(Party::client, parse("s", very_long("select '")) + sync());
  rig.wire.feed(Party::backend, error("42601", "syntax error") + ready());
  EXPECT_NE(rig.wire.to_client().find("54000"), std::string::npos);
  EXPECT_FALSE(rig.attached);
}

TEST(ConversationUnkept, WhatItsClientLeavesIsDropped) {
  const auto rig = with_long_statement();
  EXPECT_TRUE(rig->conversation.needs_reset());
  rig->conversation.detach();
  EXPECT_EQ(rig->backend().left_behind, postgres::kPinLongStatement);
}

TEST(ConversationUnkept, OneThatChangesTheSessionKeepsItsBackendToTheEnd) {
  for (const std::string front : {"listen x -- '", "set work_mem = '1' -- '", "discard all -- '"}) {
    Rig rig;
    rig.wire.feed(Party::client, parse("s", very_long(front)) + sync());
    rig.wire.feed(Party::backend, parse_complete() + ready());
    rig.wire.feed(Party::backend, told(true));
    rig.conversation.detach();
    EXPECT_NE(rig.backend().left_behind & postgres::kPinLoad, 0U) << front;
  }
}

TEST(ConversationUnkept, BeforeItMayTellSequencesTheyAreForgotten) {
  Rig rig;
  rig.wire.feed(Party::client, parse("s", very_long("select lastval(), '")) + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::backend, told(true));
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, bind_to("", "s") + execute() + sync());
  EXPECT_EQ(rig.wire.to_backend().substr(before), query("DISCARD SEQUENCES"));
  rig.wire.feed(Party::backend, command("DISCARD SEQUENCES") + ready());
  EXPECT_TRUE(tags(rig.wire.to_backend()).ends_with("QBES"));
}

TEST(ConversationUnkept, TextsBeyondWhatIsKeptAreTheBackends) {
  const std::string text = "select '" + std::string(1000000, 'x') + "'";
  Rig rig;
  for (int i = 0; i < 8; ++i) {
    const std::string name = "s" + std::to_string(i);
    rig.wire.feed(Party::client, parse(name, text + name) + sync());
    rig.wire.feed(Party::backend, parse_complete() + ready());
  }
  EXPECT_FALSE(rig.attached);
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, parse("more", text) + sync());
  EXPECT_EQ(rig.wire.to_backend().substr(before), parse("more", text) + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::backend, told(true));
  EXPECT_EQ(rig.conversation.pin_reason(), "long_statement");
}

TEST(ConversationUnkept, NamesBeyondWhatIsKeptAreTheBackends) {
  Rig rig({}, 1);
  for (int i = 0; i < 16; ++i) {
    rig.wire.feed(Party::client, parse("s" + std::to_string(i), "select 1") + sync());
    if (i == 0) rig.wire.feed(Party::backend, parse_complete());
    rig.wire.feed(Party::backend, ready());
  }
  EXPECT_FALSE(rig.attached);
  const std::size_t before = rig.wire.to_backend().size();
  rig.wire.feed(Party::client, parse("more", "select 1") + sync());
  EXPECT_EQ(rig.wire.to_backend().substr(before), parse("more", "select 1") + sync());
  rig.wire.feed(Party::backend, parse_complete() + ready());
  rig.wire.feed(Party::backend, told(true));
  EXPECT_EQ(rig.conversation.pin_reason(), "long_statement");
  // Room again, for the next one.
  rig.wire.feed(Party::client, close_of('S', "s3") + close_of('S', "more") + sync());
  rig.wire.feed(Party::backend, close_complete() + ready());
  rig.wire.feed(Party::backend, told(false));
  EXPECT_FALSE(rig.attached);
  rig.wire.feed(Party::client, parse("more", "select 1") + sync());
  rig.wire.feed(Party::backend, ready());
  EXPECT_TRUE(tags(rig.wire.to_client()).ends_with("33Z1Z")) << tags(rig.wire.to_client());
  EXPECT_EQ(rig.wire.breach(), "");
}

}  // namespace
}  // namespace weirpool::test::pg
