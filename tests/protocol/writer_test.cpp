#include "protocol/writer.hpp"

#include <gtest/gtest.h>

#include "protocol/reader.hpp"

namespace weirpool::protocol {
namespace {

using namespace std::string_view_literals;

TEST(Writer, NumbersOfBothByteOrders) {
  Writer out;
  out.u8(1);
  out.be16(0x0203);
  out.be32(0x04050607);
  out.le16(0x0908);
  out.le24(0x0C0B0A);
  out.le32(0x100F0E0D);
  out.le64(0x1817161514131211ULL);
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(out.view()[i], i + 1) << i;
}

TEST(Writer, LengthEncodedNumbersReadBack) {
  for (const std::uint64_t value :
       {0ULL, 0xFAULL, 0xFBULL, 0xFCULL, 0xFFFFULL, 0x10000ULL, 0xFFFFFFULL, 0x1000000ULL, ~0ULL}) {
    Writer out;
    out.lenenc(value);
    Reader in(out.view());
    EXPECT_EQ(in.lenenc(), value);
    EXPECT_FALSE(in.finish());
  }
}

TEST(Writer, Texts) {
  Writer out;
  out.cstr("ab");
  out.lenenc_text("cd");
  out.text("ef");
  out.zeros(2);
  EXPECT_EQ(text_of(out.view()),
            "ab\0\x02"
            "cdef\0\0"sv);
}

TEST(Writer, LengthsArePatchedAfterwards) {
  Writer out;
  out.zeros(7);
  out.patch_be32(0, 0x01020304);
  out.patch_le24(4, 0x070605);
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(out.view()[i], i + 1) << i;
}

TEST(Writer, GivesItsBytesAway) {
  Writer out;
  out.text("abc");
  EXPECT_EQ(out.take().size(), 3U);
  EXPECT_TRUE(out.empty());
  out.text("abc");
  out.release();
  EXPECT_EQ(out.size(), 0U);
}

}  // namespace
}  // namespace weirpool::protocol
