#include "protocol/mysql/command_messages.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/wire_text.hpp"

namespace weirpool::test::mysql {
namespace {

using protocol::bytes_of;

TEST(MysqlMessages, OkWithEverything) {
  const std::string changes = variable("a", "b") + schema("s");
  const std::string text =
      ok_payload({.status = 3, .insert_id = 300, .warnings = 7, .info = "in", .changes = changes});
  const auto ok = OkPacket::parse(bytes_of(text));
  ASSERT_TRUE(ok);
  EXPECT_EQ(ok->last_insert_id, 300u);
  EXPECT_EQ(ok->status, 3 | status::state_changed);
  EXPECT_EQ(ok->warnings, 7);
  EXPECT_EQ(ok->info, "in");
  EXPECT_EQ(protocol::text_of(ok->changes), changes);
  EXPECT_EQ(text.substr(ok->info_end), lenenc(changes));
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto cut = OkPacket::parse(bytes_of(text.substr(0, n)));
    // Info and changes may be absent altogether, but not in part.
    const bool absent = n == ok->status_at + 4 || n == ok->info_end;
    EXPECT_EQ(cut.has_value(), absent) << n;
  }
  EXPECT_FALSE(OkPacket::parse(bytes_of(text + "x")));
  EXPECT_FALSE(OkPacket::parse(bytes_of("\x01")));
}

TEST(MysqlMessages, ErrWithAndWithoutState) {
  const auto err = ErrPacket::parse(bytes_of("\xFF\x15\x04#28000Access denied"));
  ASSERT_TRUE(err);
  EXPECT_EQ(err->describe(), "1045 (28000): Access denied");
  const auto early = ErrPacket::parse(bytes_of("\xFF\x10\x04Too many connections"));
  ASSERT_TRUE(early);
  EXPECT_EQ(early->describe(), "1040: Too many connections");
  EXPECT_FALSE(ErrPacket::parse(bytes_of("\xFF\x10")));
  EXPECT_FALSE(ErrPacket::parse(bytes_of("\x01..")));
}

TEST(MysqlMessages, FaultPackets) {
  Writer out;
  write_fault_packet(out, 4, protocol::Fault::too_many_clients, "9 of 9");
  EXPECT_EQ(text_of(out), packet(4, "\xFF\x10\x04#08004too many connections: 9 of 9"));
  Writer early;
  write_fault_packet(early, 0, protocol::Fault::too_many_clients, "", false);
  EXPECT_EQ(text_of(early), packet(0, "\xFF\x10\x04too many connections"));
}

TEST(MysqlMessages, EofHasWarningsInFront) {
  Writer out;
  write_eof(out, 0x0102, 0x0304);
  EXPECT_EQ(text_of(out), "\xFE\x04\x03\x02\x01");
}

TEST(MysqlMessages, ChangesOfEveryType) {
  const std::string text = change(0, lenenc("a") + lenenc("1") + lenenc("b") + lenenc("2")) +
                           schema("s") + state_changed() + change(3, "gtid") +
                           change(4, lenenc("BEGIN;")) + change(5, lenenc("T_______")) +
                           change(77, "new") + change(0, "");
  ChangeReader reader(bytes_of(text));
  SessionChange change;
  std::string seen;
  while (reader.next(change)) {
    seen += std::to_string(static_cast<int>(change.type));
    seen.append(change.name).append("=").append(change.value).append(" ");
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(seen, "0a=1 0b=2 1=s 2=1 3= 4=BEGIN; 5=T_______ 255= 255= ");
}

TEST(MysqlMessages, TruncatedChangesEndInError) {
  const std::string text = variable("name", "value");
  for (std::size_t n = 1; n < text.size(); ++n) {
    ChangeReader reader(bytes_of(std::string_view(text).substr(0, n)));
    SessionChange change;
    while (reader.next(change)) {
    }
    EXPECT_FALSE(reader.ok()) << n;
  }
}

TEST(MysqlPrepareOk, HasAStatement) {
  Writer out;
  out.u8(0);
  out.le32(1);
  out.le16(2);
  out.le16(3);
  out.zeros(3);
  std::vector<std::uint8_t> payload(out.view().begin(), out.view().end());
  const auto ok = PrepareOk::parse(payload);
  ASSERT_TRUE(ok);
  EXPECT_EQ(ok->statement, 1U);
  EXPECT_EQ(ok->parameters, 3U);
  payload[kStatementAt] = 0;
  EXPECT_FALSE(PrepareOk::parse(payload));
}

}  // namespace
}  // namespace weirpool::test::mysql
