#include "protocol/postgres/secret.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/md5.hpp"

namespace weirpool::protocol::postgres {
namespace {

const std::string kSalt = base64(bytes_of("some salt"));

std::string verifier_of(const std::string& password, std::uint32_t iterations) {
  const ScramKeys keys = scram_keys(pbkdf2_sha256(password, bytes_of("some salt"), iterations));
  return "SCRAM-SHA-256$" + std::to_string(iterations) + ":" + kSalt + "$" +
         base64(keys.stored_key) + ":" + base64(keys.server_key);
}

TEST(Secret, PasswordsOfARotationShareOneSalt) {
  const Secret secret("app", {"new", "old"});
  EXPECT_EQ(secret.best(), Proof::scram);
  EXPECT_EQ(secret.plain(), (std::vector<std::string>{"new", "old"}));
  EXPECT_EQ(secret.salt().size(), 16U);
  EXPECT_EQ(secret.salt(), Secret("app", {"other"}).salt());
  EXPECT_NE(secret.salt(), Secret("bob", {"new"}).salt());
}

TEST(Secret, AScramVerifierBringsItsSalt) {
  const Secret secret("app", {"new", verifier_of("old", 5000)});
  EXPECT_EQ(secret.iterations(), 5000U);
  EXPECT_EQ(base64(secret.salt()), kSalt);
  ASSERT_EQ(secret.scram().size(), 1U);
  EXPECT_EQ(secret.scram()[0].text, verifier_of("old", 5000));
  EXPECT_EQ(secret.plain(), std::vector<std::string>{"new"});
}

TEST(Secret, AnMd5VerifierMakesTheLoginMd5) {
  const Secret secret("app", {md5_verifier("app", "old"), "new"});
  EXPECT_EQ(secret.best(), Proof::md5);
  EXPECT_EQ(secret.md5(), std::vector{md5_verifier("app", "old")});
}

TEST(Secret, AMockLooksLikeWhomItTakesAfter) {
  const Mock plain("nobody", nullptr);
  EXPECT_EQ(plain.salt, Secret("nobody", {"x"}).salt());
  EXPECT_EQ(plain.iterations, Secret("app", {"x"}).iterations());
  EXPECT_EQ(plain.best, Proof::scram);
  EXPECT_FALSE(plain.derives);
  const Secret verifier("app", {verifier_of("x", 5000)});
  const Mock scram("nobody", &verifier);
  EXPECT_EQ(scram.iterations, 5000U);
  EXPECT_EQ(scram.salt.size(), verifier.salt().size());
  EXPECT_NE(scram.salt, verifier.salt());
  EXPECT_EQ(scram.salt, Mock("nobody", &verifier).salt);
  EXPECT_TRUE(scram.derives);
  const Secret hashed("app", {md5_verifier("app", "x")});
  EXPECT_EQ(Mock("nobody", &hashed).best, Proof::md5);
}

TEST(Secret, AMockSaltCanBeLongerThanADigest) {
  const std::string salt(200, 's');
  const ScramKeys keys{};
  const Secret odd("app", {"SCRAM-SHA-256$4096:" + base64(bytes_of(salt)) + "$" +
                           base64(keys.stored_key) + ":" + base64(keys.server_key)});
  ASSERT_EQ(odd.salt().size(), 200U);
  EXPECT_EQ(Mock("nobody", &odd).salt.size(), 200U);
}

}  // namespace
}  // namespace weirpool::protocol::postgres
