#include "protocol/postgres/console_messages.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/wire_text.hpp"

namespace weirpool::protocol::postgres {
namespace {

using namespace test::pg;  // NOLINT(google-build-using-namespace)
using console::Type;

std::string text_in(const Writer& out) { return std::string(text_of(out.view())); }

std::string number(std::uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

TEST(ConsoleMessagesTest, BindIsReadToItsEnd) {
  const std::string payload = z("p") + z("s") + number(1) + number(1) + number(2) + be32(1) + "v" +
                              be32(0xFFFFFFFF) + number(2) + number(0) + number(1);
  const auto bind = BindMessage::parse(bytes_of(payload));
  ASSERT_TRUE(bind);
  EXPECT_EQ(bind->portal, "p");
  EXPECT_EQ(bind->statement, "s");
  EXPECT_EQ(bind->parameters, 2);
  EXPECT_EQ(bind->result_formats, (std::vector<std::uint16_t>{0, 1}));
  for (std::size_t cut = 0; cut < payload.size(); ++cut) {
    EXPECT_FALSE(BindMessage::parse(bytes_of(payload.substr(0, cut)))) << cut;
  }
  EXPECT_FALSE(BindMessage::parse(bytes_of(payload + "x")));
  const std::string lies = z("") + z("") + number(0) + number(1) + be32(1000000) + number(0);
  EXPECT_FALSE(BindMessage::parse(bytes_of(lies)));
}

TEST(ConsoleMessagesTest, ExecuteIsReadToItsEnd) {
  const std::string payload = z("p") + be32(7);
  const auto execute = ExecuteMessage::parse(bytes_of(payload));
  ASSERT_TRUE(execute);
  EXPECT_EQ(execute->portal, "p");
  EXPECT_EQ(execute->max_rows, 7U);
  EXPECT_FALSE(ExecuteMessage::parse(bytes_of(payload.substr(0, 5))));
}

TEST(ConsoleMessagesTest, ColumnsCarryTheirTypes) {
  Writer out;
  write_row_description(
      {{"a", Type::text}, {"b", Type::int4}, {"c", Type::int8}, {"d", Type::numeric}}, {}, out);
  const auto column = [](std::string_view name, std::uint32_t oid, std::uint16_t size) {
    return z(name) + be32(0) + number(0) + be32(oid) + number(size) + be32(0xFFFFFFFF) + number(0);
  };
  EXPECT_EQ(text_in(out), message('T', number(4) + column("a", 25, 0xFFFF) + column("b", 23, 4) +
                                           column("c", 20, 8) + column("d", 1700, 0xFFFF)));
}

TEST(ConsoleMessagesTest, RowsInText) {
  Writer out;
  write_data_row({{"a", Type::text}, {"b", Type::int4}}, {"x", std::nullopt}, {}, out);
  EXPECT_EQ(text_in(out), message('D', number(2) + be32(1) + "x" + be32(0xFFFFFFFF)));
}

TEST(ConsoleMessagesTest, RowsInBinary) {
  Writer out;
  write_data_row({{"a", Type::int4}, {"b", Type::int8}, {"c", Type::text}, {"d", Type::int4}},
                 {"258", "-1", "t", "no number"}, {kBinaryFormat}, out);
  EXPECT_EQ(text_in(out),
            message('D', number(4) + be32(4) + be32(258) + be32(8) + std::string(8, '\xFF') +
                             be32(1) + "t" + be32(0xFFFFFFFF)));
}

TEST(ConsoleMessagesTest, NumericInBinaryIsToBaseTenThousand) {
  const auto numeric = [](const std::string& cell) {
    Writer out;
    write_data_row({{"n", Type::numeric}}, {cell}, {kBinaryFormat}, out);
    return text_in(out);
  };
  const auto expected = [](const std::string& value) {
    return message('D', number(1) + be32(static_cast<std::uint32_t>(value.size())) + value);
  };
  EXPECT_EQ(numeric("0"), expected(number(0) + number(0) + number(0) + number(0)));
  EXPECT_EQ(numeric("7"), expected(number(1) + number(0) + number(0) + number(0) + number(7)));
  EXPECT_EQ(numeric("120003456"), expected(number(3) + number(2) + number(0) + number(0) +
                                           number(1) + number(2000) + number(3456)));
  EXPECT_EQ(numeric("-10000"),
            expected(number(2) + number(1) + number(0x4000) + number(0) + number(1) + number(0)));
}

TEST(ConsoleMessagesTest, TheShortOnes) {
  Writer out;
  write_command_complete("SHOW", out);
  write_no_parameters(out);
  write_notice("hint", "more", out);
  EXPECT_EQ(text_in(out),
            command("SHOW") + message('t', number(0)) +
                message('N', "S" + z("NOTICE") + "V" + z("NOTICE") + "C" + z("00000") + "M" +
                                 z("hint") + "D" + z("more") + std::string(1, '\0')));
}

}  // namespace
}  // namespace weirpool::protocol::postgres
