#include "protocol/mysql/credentials.hpp"

#include <gtest/gtest.h>

#include <variant>

namespace weirpool::protocol::mysql {
namespace {

TEST(MysqlCredentials, BothPasswordsOfARotationWork) {
  const Scramble scramble = make_scramble();
  const Credentials credentials({"new", "old"});
  for (const char* password : {"new", "old"}) {
    EXPECT_TRUE(credentials.native(scramble, native_token(native_key(password), scramble)).right);
    EXPECT_TRUE(credentials.sha2(scramble, sha2_token(password, scramble)));
    EXPECT_TRUE(credentials.plain(password).right);
  }
  EXPECT_FALSE(credentials.native(scramble, native_token(native_key("other"), scramble)).right);
  EXPECT_FALSE(credentials.sha2(scramble, sha2_token("other", scramble)));
  EXPECT_FALSE(credentials.plain("other").right);
  EXPECT_FALSE(credentials.plain("").right);
  EXPECT_FALSE(credentials.plain("new").revealed) << "it is no news";
}

TEST(MysqlCredentials, EmptyMatchesEmptyOnly) {
  const Scramble scramble = make_scramble();
  const Credentials some({"secret"});
  EXPECT_FALSE(some.native(scramble, {}).right);
  EXPECT_FALSE(some.sha2(scramble, {}));
  const Credentials none({""});
  EXPECT_TRUE(none.without_password());
  EXPECT_FALSE(some.without_password());
  EXPECT_FALSE(none.native(scramble, {}).right);
  EXPECT_FALSE(none.sha2(scramble, {}));
  EXPECT_FALSE(none.native(scramble, native_token(native_key(""), scramble)).right);
  EXPECT_FALSE(none.sha2(scramble, sha2_token("x", scramble)));
}

constexpr std::string_view kNative = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19";  // "password"
/// "hashcat", see sha256_crypt_test.cpp.
constexpr std::string_view kCrypted =
    "0x24412430303524F9CC98CE08892924F50A213B6BC571A2C11778C5"
    "625479393559393965414D45316477456B484F41316E64484742577A2E3162785353526B7554584647562F";

Credentials::Finding derive(const Credentials& credentials, std::string_view password) {
  const KeyDerivation wish = credentials.derivation(0, password);
  EXPECT_EQ(wish.function, KeyDerivation::Function::sha256_crypt);
  EXPECT_FALSE(wish.worth_keeping);
  const CryptDigest key = sha256_crypt(wish.password, wish.salt, wish.iterations);
  return credentials.derived(0, key, password);
}

TEST(MysqlCredentials, ANativeVerifierChecksTokensAndShowsTheKey) {
  const Scramble scramble = make_scramble();
  const Credentials known({std::string(kNative)});
  EXPECT_TRUE(known.checks_native());
  EXPECT_EQ(known.expensive(), 0U);
  const auto right = known.native(scramble, native_token(native_key("password"), scramble));
  EXPECT_TRUE(right.right);
  ASSERT_TRUE(right.revealed);
  EXPECT_EQ(right.revealed->verifier, kNative);
  EXPECT_EQ(parse_pass(right.revealed->password), native_key("password"));
  const auto wrong = known.native(scramble, native_token(native_key("Password"), scramble));
  EXPECT_FALSE(wrong.right || wrong.revealed);
}

TEST(MysqlCredentials, TheFullPathOpensTheFastOneToAVerifier) {
  const Scramble scramble = make_scramble();
  const Credentials known({std::string(kNative)});
  EXPECT_FALSE(known.sha2(scramble, sha2_token("password", scramble)));
  EXPECT_FALSE(known.plain("Password").right);
  EXPECT_FALSE(known.sha2(scramble, sha2_token("Password", scramble)));
  const auto right = known.plain("password");
  EXPECT_TRUE(right.right);
  ASSERT_TRUE(right.revealed);
  EXPECT_EQ(right.revealed->password, "password");
  EXPECT_TRUE(known.sha2(scramble, sha2_token("password", scramble)));
  EXPECT_FALSE(known.sha2(scramble, sha2_token("Password", scramble)));
}

TEST(MysqlCredentials, ACryptedVerifierIsCheckedByDerivation) {
  const Scramble scramble = make_scramble();
  const Credentials known({std::string(kCrypted)});
  EXPECT_FALSE(known.checks_native());
  EXPECT_EQ(known.expensive(), 1U);
  EXPECT_FALSE(known.plain("hashcat").right);
  EXPECT_FALSE(known.sha2(scramble, sha2_token("hashcat", scramble)));
  EXPECT_FALSE(derive(known, "Hashcat").right);
  EXPECT_FALSE(derive(known, "").right);
  EXPECT_FALSE(known.sha2(scramble, sha2_token("Hashcat", scramble)));
  const auto right = derive(known, "hashcat");
  EXPECT_TRUE(right.right);
  ASSERT_TRUE(right.revealed);
  EXPECT_EQ(right.revealed->verifier, kCrypted);
  EXPECT_EQ(right.revealed->password, "hashcat");
  EXPECT_TRUE(known.sha2(scramble, sha2_token("hashcat", scramble)));
}

TEST(MysqlCredentials, AnEndlessPasswordCostsNoMoreThanAnother) {
  const Credentials known({std::string(kCrypted)});
  EXPECT_EQ(known.derivation(0, std::string(256, 'x')).password.size(), 256U);
  EXPECT_EQ(known.derivation(0, std::string(257, 'x')).password.size(), 0U);
  const CryptDigest key = std::get<CryptVerifier>(*parse_verifier(kCrypted)).digest;
  EXPECT_TRUE(known.derived(0, key, "hashcat").right);
  EXPECT_FALSE(known.derived(0, key, std::string(257, 'x')).right);
  EXPECT_FALSE(known.derived(0, Bytes(key).first(31), "hashcat").right);
}

TEST(MysqlCredentials, NobodyMatchesNothing) {
  const Scramble scramble = make_scramble();
  const auto nobody = Credentials::of_nobody(nullptr);
  EXPECT_FALSE(nobody->native(scramble, {}).right);
  EXPECT_FALSE(nobody->sha2(scramble, {}));
  EXPECT_FALSE(nobody->plain("").right);
  EXPECT_FALSE(nobody->without_password());
}

TEST(MysqlCredentials, NobodyLooksLikeSomebody) {
  for (const std::string& stored :
       {std::string("secret"), std::string(kNative), std::string(kCrypted)}) {
    const Credentials model({stored});
    const auto nobody = Credentials::of_nobody(&model);
    EXPECT_EQ(nobody->checks_native(), model.checks_native());
    ASSERT_EQ(nobody->expensive(), model.expensive());
    if (model.expensive() == 0) continue;
    EXPECT_EQ(nobody->derivation(0, "x").iterations, model.derivation(0, "x").iterations);
    EXPECT_FALSE(derive(*nobody, "hashcat").right);
  }
}

}  // namespace
}  // namespace weirpool::protocol::mysql
