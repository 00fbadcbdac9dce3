#include "protocol/mysql/query_attributes.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/protocol/mysql/wire_text.hpp"

namespace weirpool::test::mysql {
namespace {

std::optional<std::size_t> begins(std::string_view payload) {
  return sql_behind_attributes(protocol::bytes_of(payload));
}

/// Ten attributes, of every way to be encoded; the last one is NULL.
std::string attributes() {
  Writer out;
  out.lenenc(10);
  out.lenenc(1);
  out.le16(0x0200);
  out.u8(1);
  for (const unsigned type : {1U, 2U, 3U, 8U, 5U, 12U, 11U, 254U, 6U, 253U}) {
    out.le16(static_cast<std::uint16_t>(type));
    out.lenenc_text("name" + std::to_string(type));
  }
  out.zeros(1 + 2 + 4 + 8 + 8);
  out.u8(4);
  out.zeros(4);
  out.u8(0);
  out.lenenc_text(std::string(300, '\''));
  return text_of(out);
}

TEST(MysqlQueryAttributes, SqlBeginsBehindThem) {
  EXPECT_EQ(begins(std::string("\0\1select 1", 10)), 2u);
  EXPECT_EQ(begins(std::string("\0\1", 2)), 2u);
  EXPECT_EQ(begins(attributes() + "select 1"), attributes().size());
}

TEST(MysqlQueryAttributes, WhatIsCutOrMalformedIsNotKnown) {
  const std::string whole = attributes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(begins(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(begins(std::string("\0\2select 1", 10))) << "more than one set";
  EXPECT_FALSE(begins("\1\1")) << "no types";
  EXPECT_FALSE(begins(std::string("\1\1\0\0\x03\0", 6))) << "types of an earlier execution";
  EXPECT_FALSE(begins("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1")) << "more than there can be";
}

}  // namespace
}  // namespace weirpool::test::mysql
