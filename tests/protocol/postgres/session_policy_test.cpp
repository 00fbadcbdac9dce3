#include "protocol/postgres/session_policy.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

using postgres::SessionPolicy;

const std::string kNever = query("refused by weirpool");
const std::string kSyntax = error("42601", "syntax error at or near \"refused\"");
constexpr postgres::Effects kNone = 0;

Rig with(const SessionPolicy& policy) { return Rig({}, 100, policy); }

TEST(SessionPolicy, OnlyWhatIsRefusedHasARefusal) {
  const SessionPolicy policy{kNone, postgres::kPinListen | postgres::kRoles, kNone, false};
  EXPECT_EQ(postgres::refusal_of(policy, postgres::kPinTemporary | postgres::kSettings), "");
  EXPECT_NE(postgres::refusal_of(policy, postgres::kPinListen).find("listen"), std::string::npos);
  EXPECT_NE(postgres::refusal_of(policy, postgres::kRoles).find("role"), std::string::npos);
}

TEST(SessionPolicy, ARefusedQueryFailsInItsPlace) {
  const SessionPolicy policy{kNone, postgres::kPinListen, kNone, false};
  const Outcome heard = play_all_ways(
      {client(query("begin") + query("listen x") + query("rollback")),
       backend(command("BEGIN") + ready('T') + kSyntax + ready('E') + command("ROLLBACK") +
               ready())},
      [&] { return std::make_unique<Rig>(std::vector<postgres::NamedValue>{}, 100, policy); });
  EXPECT_EQ(heard.to_backend, query("begin") + kNever + query("rollback"));
  EXPECT_EQ(tags(heard.to_client), "CZEZCZ");
  EXPECT_NE(heard.to_client.find("0A000"), std::string::npos);
  EXPECT_EQ(heard.to_client.find("42601"), std::string::npos);
  EXPECT_FALSE(heard.attached);
}

TEST(SessionPolicy, ARefusedParseEndsItsBatch) {
  const SessionPolicy policy{kNone, postgres::kPinListen, kNone, false};
  for (const char* name : {"", "s"}) {
    const Outcome heard = play_all_ways(
        {client(parse(name, "listen x") + bind_to("", name) + execute() + sync()),
         backend(kSyntax + ready())},
        [&] { return std::make_unique<Rig>(std::vector<postgres::NamedValue>{}, 100, policy); });
    EXPECT_EQ(heard.to_backend.substr(0, heard.to_backend.find('B')),
              parse("", "refused by weirpool"));
    EXPECT_EQ(tags(heard.to_client), "EZ");
    EXPECT_NE(heard.to_client.find("0A000"), std::string::npos);
    EXPECT_FALSE(heard.attached);
  }
}

TEST(SessionPolicy, WhatIsAllowedNeitherPinsNorIsAskedAbout) {
  auto rig = with({kNone, kNone, postgres::kPinListen | postgres::kAllParameters, false});
  rig.wire.feed(Party::client, query("listen x"));
  rig.wire.feed(Party::backend, command("LISTEN") + ready());
  EXPECT_FALSE(rig.attached);
  rig.wire.feed(Party::client, query("set work_mem = 1"));
  rig.wire.feed(Party::backend, command("SET") + ready());
  EXPECT_FALSE(rig.attached);
  EXPECT_TRUE(rig.released_clean);
}

TEST(SessionPolicy, ParametersMayPin) {
  auto rig = with({postgres::kAllParameters, kNone, kNone, false});
  rig.wire.feed(Party::client, query("set work_mem = 1"));
  rig.wire.feed(Party::backend, command("SET") + ready());
  EXPECT_TRUE(rig.attached);
  EXPECT_EQ(rig.conversation.pin_reason(), "set_parameter");
}

TEST(SessionPolicy, TheWaryResetAlways) {
  auto rig = with({kNone, kNone, kNone, true});
  rig.wire.feed(Party::client, query("select 1"));
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  EXPECT_EQ(rig.releases, 1U);
  EXPECT_FALSE(rig.released_clean);
  EXPECT_EQ(rig.backend().left_behind, 0U);  // so that it is DISCARD ALL
  rig.wire.feed(Party::client, query("select setseed(0)"));
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  rig.conversation.detach();
  EXPECT_EQ(rig.backend().left_behind, postgres::kPins & ~postgres::kPinLoad);
}

TEST(SessionPolicy, SoMayADatabase) {
  for (const bool always : {false, true}) {
    Rig rig;
    rig.conversation.place(protocol::Pooling::session, "shop", always);
    rig.wire.feed(Party::client, query("create temp table t ()"));
    rig.wire.feed(Party::backend, command("CREATE TABLE") + ready());
    EXPECT_TRUE(rig.conversation.needs_reset());
    rig.conversation.detach();
    EXPECT_EQ(rig.backend().left_behind == 0, always);
  }
  Rig rig;
  rig.conversation.place(protocol::Pooling::transaction, "shop", true);
  rig.wire.feed(Party::client, query("select 1"));
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  EXPECT_EQ(rig.releases, 1U);
  EXPECT_FALSE(rig.released_clean);
}

}  // namespace
}  // namespace weirpool::test::pg
