// Walks every pair of the two tables.
#include "protocol/mysql/conversation_table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weirpool::protocol::mysql {
namespace {

char letter(PacketMeaning meaning) { return "-OETCDRPF"[static_cast<int>(meaning)]; }

TEST(MysqlConversationTable, EveryPhaseAndByte) {
  //                                    empty 00 FB FE FEfull FF other
  const std::array<std::string, 12> wanted{"-------", "-O---E-", "-O-O-E-", "TTTT-ET",
                                           "-OF--EC", "-----ED", "-RRORER", "-P---E-",
                                           "-----ED", "---O-ED", "-------", "-R-O-E-"};
  for (std::size_t phase = 0; phase < wanted.size(); ++phase) {
    std::string row;
    for (std::size_t byte = 0; byte < static_cast<std::size_t>(ByteClass::count_); ++byte) {
      row += letter(meaning_of(static_cast<ReplyPhase>(phase), static_cast<ByteClass>(byte)));
    }
    EXPECT_EQ(row, wanted[phase]) << phase;
  }
}

TEST(MysqlConversationTable, ClassesOfTheFirstByte) {
  EXPECT_EQ(class_of(0, 0), ByteClass::empty);
  EXPECT_EQ(class_of(1, 0x00), ByteClass::x00);
  EXPECT_EQ(class_of(1, 0xFB), ByteClass::xfb);
  EXPECT_EQ(class_of(kMaxPayload - 1, 0xFE), ByteClass::xfe);
  EXPECT_EQ(class_of(kMaxPayload, 0xFE), ByteClass::xfe_full);
  EXPECT_EQ(class_of(9, 0xFF), ByteClass::xff);
  EXPECT_EQ(class_of(9, 0x01), ByteClass::other);
}

TEST(MysqlConversationTable, EveryCommandByteHasOneRow) {
  std::set<std::uint8_t> seen;
  for (const CommandRow& row : command_table) EXPECT_TRUE(seen.insert(row.command).second);
  for (int byte = 0; byte < 256; ++byte) {
    const CommandRow& row = row_of_command(static_cast<std::uint8_t>(byte));
    const bool known = seen.contains(static_cast<std::uint8_t>(byte));
    EXPECT_EQ(row.handling == Handling::unknown, !known) << byte;
    const bool silent = row.handling == Handling::statement_silent ||
                        row.handling == Handling::quit || row.handling == Handling::kill ||
                        row.handling == Handling::reset || row.handling == Handling::log_in ||
                        !known;
    EXPECT_EQ(row.reply == ReplyPhase::idle, silent) << byte;
  }
}

}  // namespace
}  // namespace weirpool::protocol::mysql
