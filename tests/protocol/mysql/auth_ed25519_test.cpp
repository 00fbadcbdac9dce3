#include "protocol/mysql/auth_ed25519.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <memory>
#include <string>

namespace weirpool::protocol::mysql {
namespace {

/// Where the password happens to be as long as a private key, the plugin is Ed25519 itself.
Ed25519Signature by_openssl(const std::string& seed, Bytes message) {
  Ed25519Signature signature{};
  std::size_t size = signature.size();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(seed).data(), seed.size()),
      EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()), 1);
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()),
            1);
  return signature;
}

TEST(MysqlEd25519, IsEd25519ForPasswordsOfThirtyTwoBytes) {
  for (char fill = 'a'; fill <= 'z'; ++fill) {
    const std::string password(32, fill);
    const std::string challenge(kEd25519Challenge, static_cast<char>(fill + 100));
    EXPECT_EQ(ed25519_sign(password, bytes_of(challenge)),
              by_openssl(password, bytes_of(challenge)));
  }
}

TEST(MysqlEd25519, EveryByteOfBothCounts) {
  const std::string challenge(kEd25519Challenge, '\x42');
  const Ed25519Signature signature = ed25519_sign("foo", bytes_of(challenge));
  EXPECT_EQ(signature, ed25519_sign("foo", bytes_of(challenge)));
  EXPECT_NE(signature, ed25519_sign("foo ", bytes_of(challenge)));
  std::string other = challenge;
  other.back() = '\0';
  EXPECT_NE(signature, ed25519_sign("foo", bytes_of(other)));
}

}  // namespace
}  // namespace weirpool::protocol::mysql
