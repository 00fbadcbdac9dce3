#include "protocol/mysql/auth_caching_sha2.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::mysql {
namespace {

TEST(MysqlCachingSha2, TokenMatchesItsPasswordAndScrambleOnly) {
  const Scramble scramble = make_scramble();
  const Sha256Digest token = sha2_token("secret", scramble);
  EXPECT_TRUE(sha2_matches(sha2_verifier("secret"), scramble, token));
  EXPECT_FALSE(sha2_matches(sha2_verifier("other"), scramble, token));
  EXPECT_FALSE(sha2_matches(sha2_verifier("secret"), make_scramble(), token));
  EXPECT_FALSE(sha2_matches(sha2_verifier("secret"), scramble, Bytes(token).first(31)));
}

TEST(MysqlCachingSha2, PasswordTravelsUnderTheKeyOfTheProcess) {
  const Scramble scramble = make_scramble();
  const RsaKey& key = RsaKey::of_process();
  EXPECT_TRUE(key.public_pem().starts_with("-----BEGIN PUBLIC KEY-----"));
  EXPECT_EQ(&key, &RsaKey::of_process());
  const std::string password = "a longer password than one scramble";
  const auto cipher = rsa_encrypt_password(key.public_pem(), password, scramble);
  ASSERT_EQ(cipher.size(), 256u);
  EXPECT_EQ(key.decrypt_password(cipher, scramble), password);
  EXPECT_NE(key.decrypt_password(cipher, make_scramble()), password);
}

TEST(MysqlCachingSha2, BadKeysAndCiphersGiveNothing) {
  const Scramble scramble = make_scramble();
  EXPECT_TRUE(rsa_encrypt_password("no key", "secret", scramble).empty());
  const RsaKey& key = RsaKey::of_process();
  EXPECT_TRUE(rsa_encrypt_password(key.public_pem(), std::string(400, 'x'), scramble).empty());
  EXPECT_EQ(key.decrypt_password(bytes_of("short"), scramble), "");
  EXPECT_EQ(key.decrypt_password({}, scramble), "");
  const std::vector<std::uint8_t> random(256, 0x5A);
  EXPECT_EQ(key.decrypt_password(random, scramble), "");
}

}  // namespace
}  // namespace weirpool::protocol::mysql
