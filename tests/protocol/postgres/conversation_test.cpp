#include "protocol/postgres/conversation.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

using postgres::FromBackend;
using postgres::FromClient;
using postgres::Phase;
using postgres::Reply;

// The table, pair by pair, against the rules of the protocol as sentences.

TEST(ConversationTable, ClientTagsInEveryPhase) {
  const std::string known = "QFPBDECSHdcfX";
  for (std::size_t p = 0; p < static_cast<std::size_t>(Phase::count_); ++p) {
    const auto phase = static_cast<Phase>(p);
    for (int tag = 0; tag < 256; ++tag) {
      const FromClient action = client_action(phase, static_cast<std::uint8_t>(tag));
      const char c = static_cast<char>(tag);
      const bool is_known = known.find(c) != known.npos;
      const bool legal =
          phase == Phase::copy_in ? std::string("dcfSHX").find(c) != std::string::npos : is_known;
      EXPECT_EQ(action != FromClient::violation, legal) << p << c;
      EXPECT_EQ(action == FromClient::terminate, c == 'X');
      const bool ignores = phase == Phase::skipping || phase == Phase::refusing;
      if (ignores && legal && c != 'X' && c != 'S') {
        EXPECT_EQ(action, FromClient::skip) << c;
      }
    }
  }
  EXPECT_EQ(client_action(Phase::copy_in, 'S'), FromClient::skip);
  EXPECT_EQ(client_action(Phase::skipping, 'S'), FromClient::sync);
}

TEST(ConversationTable, BackendTagsForEverythingOwed) {
  for (std::size_t r = 0; r < static_cast<std::size_t>(Reply::count_); ++r) {
    const auto owed = static_cast<Reply>(r);
    int legal = 0;
    for (int tag = 0; tag < 256; ++tag) {
      const FromBackend action = backend_action(owed, static_cast<std::uint8_t>(tag));
      legal += action == FromBackend::violation ? 0 : 1;
      switch (static_cast<char>(tag)) {
        case 'N':
        case 'A': EXPECT_EQ(action, FromBackend::notice); break;
        case 'S': EXPECT_EQ(action, FromBackend::parameter); break;
        case 'E': EXPECT_EQ(action, FromBackend::error); break;
        case 'Z':
          EXPECT_EQ(action == FromBackend::ready, owed == Reply::query || owed == Reply::sync ||
                                                      owed == Reply::function ||
                                                      owed == Reply::deallocate);
          break;
        case 'G':
          EXPECT_EQ(action == FromBackend::copy_in, owed == Reply::query || owed == Reply::execute);
          break;
        case 'W':
        case 'R':
        case 'K':
        case 'v': EXPECT_EQ(action, FromBackend::violation); break;
        default: break;
      }
    }
    const bool silent = owed == Reply::none || owed == Reply::parse_made_up ||
                        owed == Reply::close_made_up || owed == Reply::copy_end;
    EXPECT_EQ(legal == 4, silent) << r;
  }
}

/// Every tag, in every phase, as real bytes: what the table calls a violation closes, and nothing
/// breaks the contract of verdicts.
TEST(Conversation, EveryClientTagInEveryPhase) {
  const std::vector<Script> ways{
      {},
      {client(query("begin")), backend(command("BEGIN") + ready('T'))},
      {client(query("copy t from stdin")), backend(copy_in_response())},
      {client(parse("", "oops") + flush()), backend(error("42601", "syntax error"))},
      {client(query("select 1"))}};
  const std::vector<Phase> phases{Phase::relay, Phase::relay, Phase::copy_in, Phase::skipping,
                                  Phase::relay};
  for (std::size_t way = 0; way < ways.size(); ++way) {
    for (int tag = 0; tag < 256; ++tag) {
      Rig rig;
      play(rig.wire, ways[way]);
      rig.wire.feed(Party::client, message(static_cast<char>(tag)));
      EXPECT_EQ(rig.wire.breach(), "") << way << ' ' << tag;
      if (client_action(phases[way], static_cast<std::uint8_t>(tag)) == FromClient::violation) {
        EXPECT_EQ(rig.wire.fault(), Fault::protocol_violation) << way << ' ' << tag;
      }
    }
  }
}

TEST(Conversation, EveryBackendTagForEverythingOwed) {
  const std::vector<std::pair<Reply, std::string>> ways{
      {Reply::query, query("select 1")},
      {Reply::function, message('F', std::string(10, '\0'))},
      {Reply::parse, parse("s", "select 1")},
      {Reply::execute, execute()},
      {Reply::describe_portal, describe('P', "")},
      {Reply::describe_statement, describe('S', "s")},
      {Reply::close, close_of('P', "")},
      {Reply::bind, bind_to("", "s")}};
  for (const auto& [owed, bytes] : ways) {
    for (int tag = 0; tag < 256; ++tag) {
      Rig rig;
      rig.wire.feed(Party::client, query("begin"));
      rig.wire.feed(Party::backend, command("BEGIN") + ready('T'));
      const std::string before = rig.wire.to_client();
      rig.wire.feed(Party::client, bytes);
      rig.wire.feed(Party::backend, message(static_cast<char>(tag), "x"));
      EXPECT_EQ(rig.wire.breach(), "");
      if (backend_action(owed, static_cast<std::uint8_t>(tag)) == FromBackend::violation) {
        EXPECT_EQ(rig.wire.fault(), Fault::backend_violation) << tag;
        EXPECT_EQ(rig.wire.to_client(), before);
      }
    }
  }
}

TEST(Conversation, FaultsAreWrittenForTheirReader) {
  Rig rig;
  protocol::Writer out;
  rig.conversation.write_fault(Fault::shutting_down, "bye", out);
  EXPECT_NE(protocol::text_of(out.view()).find("57P01"), std::string_view::npos);
  out.clear();
  rig.conversation.write_fault(Fault::none, {}, out);
  EXPECT_TRUE(out.empty());
}

TEST(Conversation, ALostBackendTakesUnconfirmedStatementsWithIt) {
  Rig rig;
  rig.wire.feed(Party::client, parse("s", "select 1") + sync());
  rig.conversation.detach();
  EXPECT_EQ(rig.catalog->statements.size(), 0U);
  EXPECT_TRUE(rig.conversation.at_boundary());
  EXPECT_FALSE(rig.conversation.executing());
}

TEST(Conversation, IdleClientsAreSmall) { EXPECT_LE(sizeof(postgres::PostgresConversation), 640U); }

TEST(Conversation, TellsWhatTheLineWantsToKnow) {
  Rig rig({{"statement_timeout", "2s"}, {"transaction_timeout", "500"}});
  EXPECT_EQ(rig.conversation.statement_limit_ms(), 500U);
  EXPECT_EQ(Rig().conversation.statement_limit_ms(), 0U);
  const auto text = [&](const std::string& bytes) {
    return std::string(rig.conversation.request_text(protocol::bytes_of(bytes)));
  };
  EXPECT_EQ(text(query("select 1 /*a='b'*/")), "select 1 /*a='b'*/");
  EXPECT_EQ(text(parse("name", "select 2") + sync()), "select 2");
  EXPECT_EQ(text(query("select 1").substr(0, 9)), "sele");
  EXPECT_EQ(text(parse("name", "select 2").substr(0, 7)), "");
  EXPECT_EQ(text(bind_to("", "name")), "");
  EXPECT_EQ(text("Q"), "");
  EXPECT_TRUE(rig.conversation.says_goodbye(protocol::bytes_of(std::string("X\0\0\0\4", 5))));
  EXPECT_FALSE(rig.conversation.says_goodbye(protocol::bytes_of(sync())));
  EXPECT_FALSE(rig.conversation.says_goodbye({}));
}

TEST(Conversation, AClientMayKeepItsBackendWaiting) {
  Rig rig;
  const auto waits = [&rig] {
    return rig.conversation.executing() && rig.conversation.kept_waiting();
  };
  rig.wire.feed(Party::client, query("select 1"));
  EXPECT_FALSE(waits());
  rig.wire.feed(Party::backend, command("SELECT 1") + ready());
  rig.wire.feed(Party::client, parse("", "select 1") + bind_to("", "") + execute());
  EXPECT_TRUE(waits());
  // Who asks for the answers does not.
  rig.wire.feed(Party::client, flush());
  EXPECT_FALSE(waits());
  rig.wire.feed(Party::client, parse("", "select 2"));
  EXPECT_TRUE(waits());
  rig.wire.feed(Party::client, sync());
  EXPECT_FALSE(waits());
  rig.wire.feed(Party::backend, parse_complete() + bind_complete() + command("SELECT 1") +
                                    parse_complete() + ready());
  rig.wire.feed(Party::client, query("copy t from stdin"));
  EXPECT_FALSE(waits());
  rig.wire.feed(Party::backend, copy_in_response());
  EXPECT_TRUE(waits());
  rig.wire.feed(Party::client, copy_data("x") + copy_done());
  EXPECT_FALSE(waits());
  rig.wire.feed(Party::backend, command("COPY 1") + ready());
  const std::string longer = query("select '" + std::string(9000, 'x') + "'");
  rig.wire.feed(Party::client, longer.substr(0, 6000));
  EXPECT_TRUE(waits());
  rig.wire.feed(Party::client, longer.substr(6000));
  EXPECT_FALSE(waits());
}

TEST(Conversation, WhoHasGoneIsRolledBackOnceNothingElseIsUnderWay) {
  Rig rig;
  const auto words = [&] {
    protocol::Writer out;
    rig.conversation.write_rollback(out);
    return std::string(protocol::text_of(out.view()));
  };
  EXPECT_EQ(words(), "");
  rig.wire.feed(Party::client, query("begin"));
  EXPECT_EQ(words(), "");
  rig.wire.feed(Party::backend, command("BEGIN") + ready('T'));
  EXPECT_EQ(words(), query("ROLLBACK"));
  EXPECT_FALSE(rig.conversation.awaits_client());
  rig.wire.feed(Party::client, parse("", "select 1"));
  EXPECT_TRUE(rig.conversation.awaits_client());
  EXPECT_EQ(words(), "");
  rig.wire.feed(Party::client, sync());
  rig.wire.feed(Party::backend, message('1') + ready('T'));
  rig.wire.feed(Party::client, query("copy t from stdin"));
  rig.wire.feed(Party::backend, copy_in_response());
  EXPECT_TRUE(rig.conversation.awaits_client());
  rig.wire.feed(Party::backend, error("57014", "cancelled") + ready('E'));
  EXPECT_FALSE(rig.conversation.awaits_client());
  rig.wire.feed(Party::client, words());
  rig.wire.feed(Party::backend, command("ROLLBACK") + ready('I'));
  EXPECT_TRUE(rig.conversation.at_boundary());
  EXPECT_EQ(words(), "");
  EXPECT_EQ(rig.wire.breach(), "");
}

}  // namespace
}  // namespace weirpool::test::pg
