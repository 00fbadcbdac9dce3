#include "protocol/sha256_crypt.hpp"

#include <gtest/gtest.h>

#include <string>

#include "protocol/bytes.hpp"

namespace weirpool::protocol {
namespace {

struct CryptRow {
  std::string password;
  std::string salt;
  std::uint32_t rounds;
  std::string_view digest;
};

// The inputs of the paper's appendix, and passwords of no length and of whole digests, through
// crypt(3). Its salts end after 16 bytes.
TEST(Sha256Crypt, IsWhatTheSystemMakes) {
  for (const CryptRow& row : std::vector<CryptRow>{
           {"Hello world!", "saltstring", 5000, "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
           {"Hello world!", "saltstringsaltst", 10000,
            "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"},
           {"a very much longer text to encrypt.  This one even stretches over morethan one line.",
            "anotherlongsalts", 1400, "Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1"},
           {"", "s", 1000, "cdjvTno7yp4OJ1Yyxn95LrCQTyxHsv3TK6lXb48P4L1"},
           {std::string(64, 'x'), "0123456789abcdef", 1000,
            "XEK1QPtjlT78eDFCEhwfolVQFGRl8ajCI1B6O0uXbH7"},
       }) {
    const auto expected = parse_crypt_digest(row.digest);
    ASSERT_TRUE(expected);
    EXPECT_EQ(sha256_crypt(row.password, bytes_of(row.salt), row.rounds), *expected) << row.salt;
  }
}

// What a MySQL server has stored for "hashcat" (the example of that program's mode 7401).
TEST(Sha256Crypt, TakesTwentyBytesOfSalt) {
  const std::string salt =
      "\xF9\xCC\x98\xCE\x08\x89\x29\x24\xF5\x0A\x21\x3B\x6B\xC5\x71\xA2\xC1\x17\x78\xC5";
  EXPECT_EQ(sha256_crypt("hashcat", bytes_of(salt), 5000),
            parse_crypt_digest("bTy95Y99eAME1dwEkHOA1ndHGBWz.1bxSSRkuTXFGV/"));
}

TEST(Sha256Crypt, OtherTextIsNoDigest) {
  EXPECT_TRUE(parse_crypt_digest("5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"));
  EXPECT_FALSE(parse_crypt_digest(""));
  EXPECT_FALSE(parse_crypt_digest("5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc"));
  EXPECT_FALSE(parse_crypt_digest("5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc55"));
  EXPECT_FALSE(parse_crypt_digest("5B8vYYiY+CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"));
  EXPECT_FALSE(parse_crypt_digest("5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEcz")) << "257 bits";
}

}  // namespace
}  // namespace weirpool::protocol
