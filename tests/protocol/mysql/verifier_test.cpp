#include "protocol/mysql/verifier.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::mysql {
namespace {

// SELECT PASSWORD('password') of any MariaDB.
const std::string kNativeText = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19";
const std::string kSaltText(20, 'x');
const std::string kCryptText =
    "$A$005$" + kSaltText + "bTy95Y99eAME1dwEkHOA1ndHGBWz.1bxSSRkuTXFGV/";

std::string in_hex(std::string_view text) {
  std::string hex = "0x";
  for (const char c : text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) / 16];
    hex += kDigits[static_cast<unsigned char>(c) % 16];
  }
  return hex;
}

TEST(MysqlVerifier, OfBothPluginsIsRead) {
  const auto native = parse_verifier(kNativeText);
  ASSERT_TRUE(native);
  EXPECT_EQ(std::get<Sha1Digest>(*native), native_verifier(native_key("password")));
  for (const std::string& text : {kCryptText, in_hex(kCryptText)}) {
    const auto crypted = parse_verifier(text);
    ASSERT_TRUE(crypted) << text;
    const auto& verifier = std::get<CryptVerifier>(*crypted);
    EXPECT_EQ(verifier.rounds, 5000U);
    EXPECT_EQ(text_of(verifier.salt), kSaltText);
    EXPECT_EQ(verifier.digest, parse_crypt_digest(kCryptText.substr(27)));
  }
  const auto costly = parse_verifier("$A$01f$" + kCryptText.substr(7));
  ASSERT_TRUE(costly);
  EXPECT_EQ(std::get<CryptVerifier>(*costly).rounds, 31000U);
}

TEST(MysqlVerifier, EverythingElseIsAPassword) {
  for (const std::string& whole : {kNativeText, kCryptText, in_hex(kCryptText)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(parse_verifier(whole.substr(0, size))) << size;
    }
    EXPECT_FALSE(parse_verifier(whole + "0"));
  }
  EXPECT_FALSE(parse_verifier("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E1G"));
  EXPECT_FALSE(parse_verifier("$A$000$" + kCryptText.substr(7)));
  EXPECT_FALSE(parse_verifier("$A$0x5$" + kCryptText.substr(7)));
  EXPECT_FALSE(parse_verifier("0x" + kNativeText));
}

TEST(MysqlVerifier, AKeyPassesWithItsVerifierOnly) {
  const std::string pass = pass_text(kNativeText, native_key("password"));
  EXPECT_EQ(parse_pass(pass), native_key("password"));
  EXPECT_FALSE(parse_verifier(pass));
  EXPECT_FALSE(parse_pass(kNativeText));
  EXPECT_FALSE(parse_pass(kCryptText));
  EXPECT_FALSE(parse_pass(pass_text(kNativeText, native_key("other"))));
  EXPECT_FALSE(parse_pass(pass.substr(0, pass.size() - 1)));
}

}  // namespace
}  // namespace weirpool::protocol::mysql
