#include "protocol/mysql/auth_native.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace weirpool::protocol::mysql {
namespace {

std::string hex(Bytes bytes) {
  std::string text;
  char pair[3];
  for (const std::uint8_t byte : bytes) {
    std::snprintf(pair, sizeof pair, "%02X", byte);
    text += pair;
  }
  return text;
}

TEST(MysqlNative, VerifierIsWhatTheServerStores) {
  // SELECT PASSWORD('password') of any MariaDB.
  EXPECT_EQ(hex(native_verifier(native_key("password"))),
            "2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
}

TEST(MysqlNative, TokenMatchesItsPasswordAndScrambleOnly) {
  const Scramble scramble = make_scramble();
  const Sha1Digest token = native_token(native_key("secret"), scramble);
  EXPECT_EQ(native_proof(native_verifier(native_key("secret")), scramble, token),
            native_key("secret"));
  EXPECT_FALSE(native_proof(native_verifier(native_key("other")), scramble, token));
  EXPECT_FALSE(native_proof(native_verifier(native_key("secret")), make_scramble(), token));
  EXPECT_FALSE(
      native_proof(native_verifier(native_key("secret")), scramble, Bytes(token).first(19)));
  EXPECT_FALSE(native_proof(native_verifier(native_key("secret")), scramble, {}));
  Sha1Digest bent = token;
  bent[19] ^= 1;
  EXPECT_FALSE(native_proof(native_verifier(native_key("secret")), scramble, bent));
}

}  // namespace
}  // namespace weirpool::protocol::mysql
