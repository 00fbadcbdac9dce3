#include "protocol/postgres/crypto.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::postgres {
namespace {

std::string hex(Bytes bytes) {
  std::string text;
  for (const std::uint8_t b : bytes) {
    text += "0123456789abcdef"[b >> 4];
    text += "0123456789abcdef"[b & 15];
  }
  return text;
}

TEST(Crypto, KnownDigests) {
  EXPECT_EQ(hex(sha256(bytes_of("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, case 2.
  EXPECT_EQ(hex(hmac_sha256(bytes_of("Jefe"), "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(md5_hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
  // RFC 7914, 11.
  EXPECT_EQ(hex(pbkdf2_sha256("passwd", bytes_of("salt"), 1)),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
}

TEST(Crypto, Base64IsCanonical) {
  EXPECT_EQ(base64(bytes_of("a")), "YQ==");
  EXPECT_EQ(base64({}), "");
  EXPECT_EQ(unbase64("YWI=")->size(), 2U);
  EXPECT_TRUE(unbase64("")->empty());
  for (const char* bad : {"YQ", "YQ=", "YR==", "Y Q=", "YQ==\n", "====", "!!!!", "YQ==YQ=="}) {
    EXPECT_FALSE(unbase64(bad)) << bad;
  }
}

TEST(Crypto, Comparison) {
  EXPECT_TRUE(equal_constant_time(bytes_of("abc"), bytes_of("abc")));
  EXPECT_FALSE(equal_constant_time(bytes_of("abc"), bytes_of("abd")));
  EXPECT_FALSE(equal_constant_time(bytes_of("abc"), bytes_of("ab")));
}

TEST(Crypto, RandomIsNotTheSameTwice) {
  Digest a{};
  Digest b{};
  fill_random(a);
  fill_random(b);
  EXPECT_NE(a, b);
}

TEST(Crypto, PasswordsArePrepared) {
  EXPECT_EQ(saslprep("plain"), "plain");
  EXPECT_EQ(saslprep("I\xC2\xADX"), "IX");  // RFC 4013: soft hyphen maps to nothing
  EXPECT_EQ(saslprep("\xC2\xAA"), "a");     // feminine ordinal
  EXPECT_EQ(saslprep("a\xC2\xA0"
                     "b"),
            "a b");                             // no-break space
  EXPECT_EQ(saslprep("\x07"), "\x07");          // prohibited: as it is
  EXPECT_EQ(saslprep("\xFF\xFE"), "\xFF\xFE");  // not UTF-8: as it is
}

}  // namespace
}  // namespace weirpool::protocol::postgres
