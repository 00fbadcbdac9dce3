#include "protocol/reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weirpool::protocol {
namespace {

using namespace std::string_view_literals;

TEST(Reader, NumbersOfBothByteOrders) {
  Reader in(bytes_of("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F"sv));
  EXPECT_EQ(in.u8(), 1);
  EXPECT_EQ(in.be16(), 0x0203);
  EXPECT_EQ(in.be32(), 0x04050607U);
  EXPECT_EQ(in.le16(), 0x0908);
  EXPECT_EQ(in.le24(), 0x0C0B0AU);
  EXPECT_EQ(in.remaining(), 3U);
}

TEST(Reader, LittleEndianWideNumbers) {
  Reader in(bytes_of("\x01\x02\x03\x84\x01\0\0\0\0\0\0\x80"sv));
  EXPECT_EQ(in.le32(), 0x84030201U);
  EXPECT_EQ(in.le64(), 0x8000000000000001ULL);
  EXPECT_FALSE(in.finish());
}

TEST(Reader, LengthEncodedNumbers) {
  Reader in(bytes_of("\xFA\xFC\x01\x02\xFD\x01\x02\x03\xFE\x01\0\0\0\0\0\0\0"sv));
  EXPECT_EQ(in.lenenc(), 0xFAU);
  EXPECT_EQ(in.lenenc(), 0x0201U);
  EXPECT_EQ(in.lenenc(), 0x030201U);
  EXPECT_EQ(in.lenenc(), 1U);
  EXPECT_FALSE(in.finish());
}

TEST(Reader, NullAndErrorAreNoLengths) {
  for (const std::string_view bytes : {"\xFB"sv, "\xFF"sv}) {
    Reader in(bytes_of(bytes));
    in.lenenc();
    EXPECT_EQ(in.finish(), make_error_code(WireError::malformed));
  }
}

TEST(Reader, LengthEncodedTextStopsAtTheEnd) {
  Reader fits(
      bytes_of("\x03"
               "abc"sv));
  EXPECT_EQ(fits.lenenc_text(), "abc");
  Reader lies(
      bytes_of("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
               "abc"sv));
  EXPECT_EQ(lies.lenenc_text(), "");
  EXPECT_EQ(lies.finish(), make_error_code(WireError::truncated));
}

TEST(Reader, TextEndsWithAZeroByte) {
  Reader in(bytes_of("ab\0\0c"sv));
  EXPECT_EQ(in.cstr(), "ab");
  EXPECT_EQ(in.cstr(), "");
  EXPECT_EQ(in.cstr(), "");
  EXPECT_EQ(in.finish(), make_error_code(WireError::truncated));
}

TEST(Reader, TheFirstErrorSticks) {
  Reader in(bytes_of("\x01"sv));
  EXPECT_EQ(in.be32(), 0U);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0);
  in.fail(WireError::malformed);
  EXPECT_EQ(in.finish(), make_error_code(WireError::truncated));
  EXPECT_EQ(in.remaining(), 0U);
}

TEST(Reader, BytesLeftOverAreAnError) {
  Reader in(bytes_of("abc"sv));
  in.skip(1);
  EXPECT_EQ(in.finish(), make_error_code(WireError::trailing));
  EXPECT_EQ(text_of(in.rest()), "bc");
  EXPECT_FALSE(in.finish());
}

}  // namespace
}  // namespace weirpool::protocol
