// The command phase as scripts: what reaches the backend, what the client hears, when a backend is
// given back.
#include "protocol/mysql/conversation.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

TEST(MysqlConversation, OneStatementLeasesForwardsAndReleases) {
  Rig rig;
  rig.client(query("select 1"));
  EXPECT_EQ(rig.leases(), 1u);
  EXPECT_TRUE(rig.conversation.executing());
  EXPECT_EQ(rig.wire.to_backend(), query("select 1"));
  rig.server(rows_reply());
  EXPECT_EQ(rig.wire.to_client(), rows_reply());
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_FALSE(rig.wire.ended());
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlConversation, EveryCutOfEveryLineGivesTheSame) {
  const Script script{client(query("select 1") + command(com::ping)), backend(rows_reply()),
                      client(query("update t")), backend(ok(1, {.info = "Rows matched: 1"}))};
  std::vector<std::size_t> lengths;
  Rig whole;
  for (const Line& line : script) lengths.push_back(line.make(whole.wire).size());
  play(whole.wire, script);
  for_every_cut(lengths, [&](Cut cut) {
    Rig rig;
    play(rig.wire, script, cut);
    EXPECT_EQ(rig.wire.to_client(), whole.wire.to_client()) << cut.line << ':' << cut.at;
    EXPECT_EQ(rig.wire.to_backend(), whole.wire.to_backend());
    EXPECT_EQ(rig.releases(), 2u);
    EXPECT_EQ(rig.wire.breach(), "");
  });
}

TEST(MysqlConversation, RefusalAnswersAndKeepsTheSession) {
  Rig rig;
  rig.refusal = Fault::pool_timeout;
  rig.client(query("select 1"));
  EXPECT_NE(rig.wire.to_client().find("no database connection became free"), std::string::npos);
  EXPECT_EQ(rig.wire.to_client()[3], '\1');
  rig.refusal = Fault::none;
  rig.client(query("select 2"));
  EXPECT_EQ(rig.wire.to_backend(), query("select 2"));
}

TEST(MysqlConversation, LostBackendIsToldOnce) {
  Rig rig;
  rig.client(query("select 1"));
  EXPECT_EQ(rig.conversation.backend_lost(false).fault, Fault::outcome_unknown);
  Rig told;
  told.client(query("create temporary table t (a int)"));
  told.server(ok(1));
  told.client(query("select 1"));
  told.server(err(1, 1053));
  EXPECT_EQ(told.conversation.backend_lost(false).fault, Fault::none);
}

TEST(MysqlConversation, FaultContinuesTheSequenceOfTheReply) {
  Rig rig;
  rig.client(query("select 1"));
  rig.server(count(1, 1) + definition(2));
  Writer out;
  rig.conversation.write_fault(Fault::backend_lost, "", out);
  EXPECT_EQ(out.view()[3], 3);
  rig.conversation.detach();
  Writer after;
  rig.conversation.write_fault(Fault::backend_lost, "", after);
  EXPECT_EQ(after.view()[3], 3);
  Rig idle;
  Writer alone;
  idle.conversation.write_fault(Fault::shutting_down, "", alone);
  EXPECT_EQ(alone.view()[3], 1);
}

TEST(MysqlConversation, ARollbackBehindARefusalStandsInNoLine) {
  Rig rig;
  rig.refusal = Fault::pool_overloaded;
  rig.client(query("begin"));
  EXPECT_EQ(rig.leases(), 1U);
  const std::size_t heard = rig.wire.to_client().size();
  rig.client(query("ROLLBACK"));
  EXPECT_EQ(rig.leases(), 1U);
  EXPECT_EQ(rig.wire.to_client().substr(heard), ok(1));
  rig.client(query("rollback and chain"));
  EXPECT_EQ(rig.leases(), 2U);
  // Once it has had a backend again a ROLLBACK is a statement like others.
  rig.refusal = Fault::none;
  rig.client(query("select 1"));
  rig.server(ok(1));
  rig.client(query("ROLLBACK"));
  EXPECT_EQ(rig.leases(), 4U);
}

// Drivers that know no autocommit end everything, and their pools once more.
TEST(MysqlConversation, WithoutAutocommitTheEndOfNoTransactionStandsInNoLine) {
  Rig rig;
  rig.client(query("set autocommit=0"));
  rig.server(ok(1, {.status = 0, .changes = variable("autocommit", "OFF") + state_changed()}));
  EXPECT_EQ(rig.leases(), 1U);
  const std::size_t heard = rig.wire.to_client().size();
  for (const char* sql : {"COMMIT", "rollback", "commit work;"}) rig.client(query(sql));
  EXPECT_EQ(rig.leases(), 1U);
  const std::string done = ok(1, {.status = 0});
  EXPECT_EQ(rig.wire.to_client().substr(heard), done + done + done);
  rig.client(query("commit and chain"));
  EXPECT_EQ(rig.leases(), 2U);
}

TEST(MysqlConversation, WithAutocommitTheServerIsAskedToEndNoTransaction) {
  Rig rig;
  rig.client(query("COMMIT"));
  EXPECT_EQ(rig.leases(), 1U);
}

TEST(MysqlConversation, WhereSomethingMayFollowTheEndTheServerIsAsked) {
  Rig rig;
  rig.client(query("set autocommit=0"));
  rig.server(ok(1, {.status = 0,
                    .changes = variable("autocommit", "OFF") +
                               variable("completion_type", "CHAIN") + state_changed()}));
  rig.client(query("COMMIT"));
  EXPECT_EQ(rig.leases(), 2U);
}

TEST(MysqlConversation, SaysGoodbyeOnlyWithQuit) {
  Rig rig;
  const auto says = [&](const std::string& bytes) {
    return rig.conversation.says_goodbye(protocol::bytes_of(bytes));
  };
  EXPECT_TRUE(says(command(com::quit, "")));
  EXPECT_FALSE(says(command(com::ping, "")));
  EXPECT_FALSE(says(query("select 1")));
  EXPECT_FALSE(says(""));
  EXPECT_EQ(rig.conversation.statement_limit_ms(), 0U);
}

TEST(MysqlConversation, WhoHasGoneIsRolledBackOnceNothingElseIsUnderWay) {
  for (const std::uint32_t more : {0U, static_cast<std::uint32_t>(cap::query_attributes)}) {
    Rig rig(start(kModern | more));
    const auto said = [more](const std::string& sql) {
      return query((more == 0 ? std::string() : std::string("\0\1", 2)) + sql);
    };
    const auto words = [&] {
      Writer out;
      rig.conversation.write_rollback(out);
      return std::string(protocol::text_of(out.view()));
    };
    EXPECT_EQ(words(), "");
    rig.client(said("begin"));
    EXPECT_EQ(words(), "");
    rig.server(ok(1, {.status = status::in_trans}));
    EXPECT_EQ(words(), said("ROLLBACK"));
    EXPECT_FALSE(rig.conversation.awaits_client());
    rig.client(words());
    EXPECT_EQ(rig.wire.to_backend(), said("begin") + said("ROLLBACK"));
    rig.server(ok(1));
    EXPECT_TRUE(rig.conversation.at_boundary());
    EXPECT_EQ(words(), "");
    EXPECT_EQ(rig.wire.breach(), "");
  }
}

}  // namespace
}  // namespace weirpool::test::mysql
