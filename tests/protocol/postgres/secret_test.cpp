#include "protocol/postgres/secret.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/md5.hpp"

namespace weirpool::protocol::postgres {
namespace {

TEST(Secret, PasswordsOfARotationShareOneSalt) {
  const Secret secret("app", {"new", "old"});
  EXPECT_FALSE(secret.uses_md5());
  EXPECT_EQ(secret.scram().keys.size(), 2U);
  EXPECT_EQ(secret.scram().salt, salt_of("app"));
}

TEST(Secret, SaltsTellNothing) {
  EXPECT_EQ(salt_of("a"), salt_of("a"));
  EXPECT_NE(salt_of("a"), salt_of("b"));
  const ScramVerifier mock = mock_verifier("nobody");
  EXPECT_EQ(mock.salt, salt_of("nobody"));
  EXPECT_EQ(mock.iterations, Secret("app", {"x"}).scram().iterations);
}

TEST(Secret, AScramVerifierBringsItsSalt) {
  const Digest salted = pbkdf2_sha256("old", bytes_of("some salt"), 5000);
  const ScramKeys keys = scram_keys(salted);
  const std::string verifier = "SCRAM-SHA-256$5000:" + base64(bytes_of("some salt")) + "$" +
                               base64(keys.stored_key) + ":" + base64(keys.server_key);
  const Secret secret("app", {"new", verifier});
  EXPECT_EQ(secret.scram().iterations, 5000U);
  ASSERT_EQ(secret.scram().keys.size(), 2U);
  EXPECT_EQ(secret.scram().keys[0].stored_key, keys.stored_key);
  EXPECT_EQ(secret.scram().keys[1].stored_key,
            scram_keys(pbkdf2_sha256("new", bytes_of("some salt"), 5000)).stored_key);
}

TEST(Secret, AnMd5VerifierMakesTheLoginMd5) {
  const Secret secret("app", {md5_verifier("app", "old"), "new"});
  EXPECT_TRUE(secret.uses_md5());
  EXPECT_EQ(secret.md5(), (std::vector{md5_verifier("app", "old"), md5_verifier("app", "new")}));
}

}  // namespace
}  // namespace weirpool::protocol::postgres
