#include "protocol/postgres/lost_transaction.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/wire_text.hpp"

namespace weirpool::test::pg {
namespace {

namespace postgres = protocol::postgres;
using postgres::LostTransaction;
using Heard = LostTransaction::Heard;
using protocol::Verdict;

struct LostClient {
  explicit LostClient(Heard heard) : lost(heard, catalog, "") {}

  /// The answer to these messages, and what had to be said before.
  std::string ask(std::string bytes) {
    std::string answer;
    while (!lost.over()) {
      const auto step = lost.step(protocol::bytes_of(bytes), out, statements);
      if (step) {
        verdict = *step;
        return answer;
      }
      while (const auto next = out.next()) {
        if (next->kind == Verdict::Kind::skip) bytes.erase(0, next->count);
        if (next->kind == Verdict::Kind::send) answer += protocol::text_of(next->bytes);
      }
    }
    return answer;
  }

  postgres::CatalogRef catalog = std::make_shared<postgres::Catalog>(100);
  postgres::ClientStatements statements;
  postgres::Outbox out{protocol::Party::client};
  LostTransaction lost;
  Verdict verdict;
};

TEST(LostTransaction, SaysWhatIsOwedBeforeAnything) {
  EXPECT_EQ(tags(LostClient(Heard::part_of_query).ask("")), "EZ");
  EXPECT_EQ(tags(LostClient(Heard::part_of_batch).ask("")), "E");
  EXPECT_EQ(tags(LostClient(Heard::part_of_batch).ask(execute() + sync())), "EZ");
  EXPECT_EQ(tags(LostClient(Heard::error_in_batch).ask(execute() + sync())), "Z");
  EXPECT_EQ(LostClient(Heard::nothing).ask(""), "");
  EXPECT_EQ(LostClient(Heard::error).ask(""), "");
}

TEST(LostTransaction, TellsOnceWhatHappenedAndThenThatItIsOver) {
  LostClient client(Heard::nothing);
  EXPECT_NE(client.ask(query("select 1")).find(z("C40001")), std::string::npos);
  EXPECT_NE(client.ask(query("select 1")).find(z("C25P02")), std::string::npos);
  EXPECT_FALSE(client.lost.over());
  EXPECT_EQ(client.ask(query("rollback")), command("ROLLBACK") + ready('I'));
  EXPECT_TRUE(client.lost.over());
}

TEST(LostTransaction, WhatDoesNotEndItFails) {
  for (const char* text : {"", "begin", "rollback to s", "rollback and chain", "commit; select 1",
                           "rollback; insert into t values (1)"}) {
    LostClient client(Heard::error);
    EXPECT_EQ(tags(client.ask(query(text))), "EZ") << text;
    EXPECT_FALSE(client.lost.over()) << text;
  }
}

TEST(LostTransaction, ANamedStatementThatEndsItIsKept) {
  LostClient client(Heard::error);
  EXPECT_EQ(tags(client.ask(parse("S_1", "ROLLBACK") + sync())), "1Z");
  EXPECT_TRUE(client.statements.contains("S_1"));
  EXPECT_EQ(tags(client.ask(parse("S_1", "ROLLBACK") + sync())), "EZ");
  EXPECT_EQ(tags(client.ask(bind_to("", "S_1") + execute() + sync())), "2C");
  EXPECT_TRUE(client.lost.over());
}

TEST(LostTransaction, AStatementThatIsNotThereDoesNotEndIt) {
  LostClient client(Heard::error);
  EXPECT_EQ(tags(client.ask(bind_to("", "S_9") + execute() + sync())), "EZ");
  EXPECT_EQ(tags(client.ask(execute() + sync())), "EZ");
  EXPECT_EQ(tags(client.ask(describe('P', "") + sync())), "EZ");
  EXPECT_FALSE(client.lost.over());
}

TEST(LostTransaction, FunctionCallsFailAndCopyDataIsDropped) {
  LostClient client(Heard::error);
  EXPECT_EQ(tags(client.ask(message('F', "x"))), "EZ");
  EXPECT_EQ(tags(client.ask(copy_data("x") + copy_done() + flush() + sync())), "Z");
}

TEST(LostTransaction, AGoodbyeAndNonsenseAreTakenForWhatTheyAre) {
  LostClient leaving(Heard::error);
  leaving.ask(terminate());
  EXPECT_EQ(leaving.verdict.kind, Verdict::Kind::done);
  LostClient broken(Heard::error);
  broken.ask(message('?'));
  EXPECT_EQ(broken.verdict.fault, protocol::Fault::protocol_violation);
}

TEST(LostTransaction, ALongMessageIsNeverHeld) {
  LostClient client(Heard::error);
  EXPECT_EQ(tags(client.ask(query("select '" + std::string(100'000, 'x') + "'"))), "EZ");
  EXPECT_EQ(tags(client.ask(parse("", "select '" + std::string(100'000, 'x') + "'") + sync())),
            "EZ");
}

}  // namespace
}  // namespace weirpool::test::pg
