#include "protocol/postgres/console.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/wire_text.hpp"
#include "tests/support/wire_script.hpp"

namespace weirpool::test::pg {
namespace {

using protocol::console::Answer;
using protocol::console::Type;

/// A console whose answers the test makes: one column, the statement itself as the only cell.
class ConsoleRig {
 public:
  ConsoleRig() = default;

  static Answer echo(const std::string& text) {
    if (text == "fail") return Answer::failed("08P01", "no");
    Answer answer = Answer::done(text == "begin" ? "BEGIN" : text == "commit" ? "COMMIT" : "SHOW");
    if (text.starts_with("verb")) return answer;
    answer.table.columns = {{"c", Type::text}};
    answer.table.rows = {{text}, {"2"}, {"3"}};
    if (text == "notice") answer.notice = "hint";
    return answer;
  }

  std::string play(const std::string& bytes) {
    const std::size_t before = wire.to_client().size();
    wire.feed(Party::client, bytes);
    return wire.to_client().substr(before);
  }

  std::vector<protocol::console::Request> asked;
  protocol::postgres::PostgresConsole console{"ann"};
  Wire wire{console, [this](const Verdict& verdict, Wire&) {
              if (verdict.kind != Kind::look_up) return;
              asked.push_back(console.request());
              Answer answer = echo(console.request().text);
              if (console.request().describe) answer.table.rows.clear();
              console.answer(std::move(answer));
            }};
};

std::string parse_bind(const std::string& text) {
  return parse("", text) + message('B', z("") + z("") + std::string(6, '\0'));
}
std::string execute_rows(std::uint32_t rows) { return message('E', z("") + be32(rows)); }

TEST(ConsoleEngineTest, SimpleStatementsAreAnsweredInOrder) {
  ConsoleRig rig;
  EXPECT_EQ(tags(rig.play(query("SHOW POOLS"))), "TDDDCZ");
  EXPECT_EQ(tags(rig.play(query("a; verb; b"))), "TDDDCCTDDDCZ");
  ASSERT_EQ(rig.asked.size(), 4U);
  EXPECT_EQ(rig.asked[0].text, "SHOW POOLS");
  EXPECT_EQ(rig.asked[0].user, "ann");
  EXPECT_FALSE(rig.asked[0].describe);
}

TEST(ConsoleEngineTest, AnEmptyQueryIsOne) {
  ConsoleRig rig;
  for (const char* nothing : {"", ";", " -- x"}) EXPECT_EQ(tags(rig.play(query(nothing))), "IZ");
  EXPECT_TRUE(rig.asked.empty());
}

TEST(ConsoleEngineTest, AnErrorEndsTheQueryAndNothingElse) {
  ConsoleRig rig;
  EXPECT_EQ(tags(rig.play(query("a; fail; b"))), "TDDDCEZ");
  EXPECT_EQ(tags(rig.play(query("notice"))), "NTDDDCZ");
}

TEST(ConsoleEngineTest, TheExtendedProtocolAsDriversUseIt) {
  ConsoleRig rig;
  EXPECT_EQ(tags(rig.play(parse("s", "x") + describe('S', "s") + sync())), "1tTZ");
  EXPECT_TRUE(rig.asked.back().describe);
  const std::string bind = message('B', z("") + z("s") + std::string(6, '\0'));
  EXPECT_EQ(tags(rig.play(bind + describe('P', "") + execute() + sync())), "2TDDDCZ");
  EXPECT_EQ(tags(rig.play(close_of('S', "s") + sync())), "3Z");
  EXPECT_EQ(tags(rig.play(bind + sync())), "EZ") << "closed";
  EXPECT_EQ(tags(rig.play(parse_bind("verb") + describe('P', "") + execute() + sync())), "12nCZ");
  EXPECT_EQ(tags(rig.play(parse("", "") + describe('S', "") +
                          message('B', z("") + z("") + std::string(6, '\0')) + execute() + sync())),
            "1tn2IZ");
}

TEST(ConsoleEngineTest, APortalIsReadInParts) {
  ConsoleRig rig;
  EXPECT_EQ(tags(rig.play(parse_bind("x") + execute_rows(2) + execute_rows(2) + sync())),
            "12DDsDCZ");
  EXPECT_EQ(rig.asked.size(), 1U) << "executed once";
}

TEST(ConsoleEngineTest, PortalsLiveAsLongAsTheTransaction) {
  ConsoleRig rig;
  EXPECT_EQ(tags(rig.play(parse_bind("x") + sync() + execute() + sync())), "12ZEZ");
  const std::string begun = rig.play(query("begin"));
  EXPECT_TRUE(begun.ends_with(ready('T')));
  EXPECT_EQ(tags(rig.play(parse_bind("x") + execute_rows(1) + sync() + execute_rows(1) + sync())),
            "12DsZDsZ");
  EXPECT_TRUE(rig.play(query("commit")).ends_with(ready('I')));
}

TEST(ConsoleEngineTest, AnErrorSkipsToTheNextSync) {
  ConsoleRig rig;
  EXPECT_EQ(tags(rig.play(parse_bind("fail") + execute() + parse_bind("x") + execute() + sync())),
            "12EZ");
  EXPECT_EQ(tags(rig.play(parse("", "a; b") + sync())), "EZ");
  EXPECT_EQ(tags(rig.play(parse("s", "a") + parse("s", "b") + sync())), "1EZ");
  EXPECT_EQ(tags(rig.play(bind_to("", "s") + sync())), "EZ") << "takes no parameters";
  EXPECT_EQ(tags(rig.play(execute() + sync())), "EZ");
  EXPECT_EQ(tags(rig.play(describe('P', "no") + sync() + describe('S', "no") + sync())), "EZEZ");
  EXPECT_EQ(tags(rig.play(message('B', "garbage") + sync())), "EZ");
}

TEST(ConsoleEngineTest, FormatsMustBeKnownAndFitTheColumns) {
  ConsoleRig rig;
  const auto bind_as = [](const std::string& formats) {
    return message('B', z("") + z("") + std::string(4, '\0') + formats);
  };
  const std::string two = std::string{0, 2, 0, 0, 0, 0};
  EXPECT_EQ(tags(rig.play(parse("", "x") + bind_as(two) + execute() + sync())), "12EZ");
  EXPECT_EQ(tags(rig.play(parse("", "x") + bind_as(two) + describe('P', "") + sync())), "12EZ");
  const std::string strange = std::string{0, 1, 0, 9};
  EXPECT_EQ(tags(rig.play(parse("", "x") + bind_as(strange) + sync())), "1EZ");
}

TEST(ConsoleEngineTest, NamesAreBounded) {
  ConsoleRig rig;
  for (std::size_t i = 0; i < protocol::postgres::kMaxConsoleNames; ++i) {
    EXPECT_EQ(tags(rig.play(parse("s" + std::to_string(i), "x"))), "1");
  }
  EXPECT_EQ(tags(rig.play(parse("one more", "x") + sync())), "EZ");
}

TEST(ConsoleEngineTest, WhatIsNoMessageCloses) {
  const std::string long_query = query(std::string(protocol::console::kMaxText, 'x'));
  for (const std::string& bytes :
       {message('p', z("secret")), message('Q', "no zero"), message('Q'),
        message('Q', z("a") + "b"), std::string("Q\0\0\0\1", 5), long_query}) {
    ConsoleRig rig;
    rig.play(bytes);
    EXPECT_TRUE(rig.wire.ended());
    EXPECT_NE(rig.wire.fault(), Fault::none);
  }
  ConsoleRig rig;
  rig.play(terminate());
  EXPECT_TRUE(rig.wire.ended());
  EXPECT_EQ(rig.wire.fault(), Fault::none);
}

TEST(ConsoleEngineTest, LeftoversOfCopyAndFlushMeanNothing) {
  ConsoleRig rig;
  EXPECT_EQ(rig.play(copy_data("x") + copy_done() + flush()), "");
  EXPECT_EQ(tags(rig.play(message('F', "abc"))), "EZ");
}

TEST(ConsoleEngineTest, EverySplitGivesTheSameAnswer) {
  const std::string script = query("a;b") + parse_bind("x") + describe('P', "") + execute_rows(2) +
                             execute() + sync() + query("fail") + terminate();
  ConsoleRig whole;
  const std::string expected = whole.play(script);
  for (std::size_t cut = 1; cut < script.size(); ++cut) {
    ConsoleRig rig;
    std::string heard = rig.play(script.substr(0, cut));
    heard += rig.play(script.substr(cut));
    EXPECT_EQ(heard, expected) << cut;
  }
  ConsoleRig slow;
  std::string heard;
  for (const char byte : script) heard += slow.play(std::string(1, byte));
  EXPECT_EQ(heard, expected);
}

TEST(ConsoleEngineTest, AStatementLongerThanAChunkIsCollected) {
  ConsoleRig rig;
  const std::string text = "x" + std::string(8000, ' ') + "y";
  EXPECT_EQ(tags(rig.play(query(text))), "TDDDCZ");
  EXPECT_EQ(rig.asked.back().text, text);
}

TEST(ConsoleEngineTest, FaultsAndFacts) {
  ConsoleRig rig;
  protocol::Writer out;
  rig.console.write_fault(Fault::none, {}, out);
  EXPECT_TRUE(out.empty());
  rig.console.write_fault(Fault::killed, {}, out);
  EXPECT_NE(protocol::text_of(out.view()).find("57P01"), std::string_view::npos);
  const auto facts = protocol::postgres::console_facts();
  EXPECT_EQ(facts->parameters.size(), 7U);
  EXPECT_EQ(facts->parameters[0].second, "1.25.2/bouncer");
}

}  // namespace
}  // namespace weirpool::test::pg
