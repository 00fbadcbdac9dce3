#include "protocol/postgres/reading.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weirpool::protocol::postgres {
namespace {

/// A dot for each first byte, a plus for each other one.
std::string shape(std::string_view text, std::string_view encoding) {
  Trails trails(encoding_of(encoding));
  std::string found;
  for (const char c : text) {
    found += trails.inside() ? '+' : '.';
    trails.pass(c);
  }
  return found;
}

TEST(Reading, TheSecondByteMayLookLikeAnything) {
  for (const char* encoding :
       {"BIG5", "GBK", "UHC", "SJIS", "SHIFT_JIS_2004", "GB18030", "JOHAB"}) {
    EXPECT_EQ(shape("a\x83\\b\x83\\\x83", encoding), "..+..+.") << encoding;
  }
}

TEST(Reading, MostEncodingsKeepAsciiToItself) {
  for (const char* encoding : {"UTF8", "SQL_ASCII", "EUC_JP", "LATIN1", "WIN1252", ""}) {
    EXPECT_EQ(shape("\x83\\\xE3\x81\x82", encoding), ".....") << encoding;
  }
}

TEST(Reading, HalfWidthKanaAreOneByte) { EXPECT_EQ(shape("\xB1\\\xE0\\", "SJIS"), "...+"); }

TEST(Reading, AChineseCharacterMayHaveFourBytes) {
  EXPECT_EQ(shape("\x81\x30\x81\x30\\\x81\\x", "GB18030"), ".+++..+.");
}

TEST(Reading, AKoreanCharacterMayHaveThree) { EXPECT_EQ(shape("\x8F\\\\\\", "JOHAB"), ".++."); }

}  // namespace
}  // namespace weirpool::protocol::postgres
