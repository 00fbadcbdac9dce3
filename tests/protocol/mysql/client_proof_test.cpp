// Which way a proof takes, by plugin, encryption and what the client says. Whole logins are played
// in client_login_test.cpp.
#include "protocol/mysql/client_proof.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weirpool::protocol::mysql {
namespace {

using Turn = ClientProof::Turn;

std::shared_ptr<const Credentials> knowing(const std::string& password) {
  return std::make_shared<Credentials>(std::vector<std::string>{password});
}

constexpr Scramble kScramble{'s', 'c', 'r', 'a', 'm', 'b', 'l', 'e', '-', 'o',
                             'f', '-', 't', 'h', 'e', '-', 'w', 'a', 'y', '!'};

ClientProof begun(bool tls, std::string_view greeted = kSha2Plugin) {
  ClientProof proof;
  proof.begin(tls, true, greeted, kScramble);
  return proof;
}

std::string written(ClientProof& proof) {
  Writer out;
  proof.write(out);
  return std::string(text_of(out.view()));
}

TEST(MysqlClientProof, PluginsThatCannotBeCheckedHereAreSwitched) {
  struct Row {
    std::string_view named;
    std::string_view greeted;
    bool tls;
    std::string_view asked;
  };
  const std::vector<Row> rows{
      {"dialog", kSha2Plugin, true, kSha2Plugin},
      {"", kNativePlugin, false, kNativePlugin},
      {kClearPlugin, kSha2Plugin, false, kSha2Plugin},
      {kClearPlugin, "unheard_of", false, kNativePlugin},
  };
  for (const Row& row : rows) {
    ClientProof proof = begun(row.tls, row.greeted);
    proof.handshake(row.named, bytes_of("whatever it said"));
    ASSERT_EQ(proof.turn(), Turn::weirpool) << row.named;
    const std::string asked = written(proof);
    EXPECT_NE(asked.find(row.asked), std::string::npos) << row.named;
    EXPECT_EQ(proof.turn(), Turn::client);
    EXPECT_FALSE(proof.with_password());
  }
}

TEST(MysqlClientProof, AChangeOfUserWithoutATokenIsAskedByItsPlugin) {
  for (const std::string_view plugin : {kNativePlugin, kSha2Plugin, kSha256Plugin, kClearPlugin}) {
    ClientProof proof = begun(true);
    proof.change_user(plugin, {});
    EXPECT_EQ(proof.turn(), Turn::weirpool);
    const std::string asked = written(proof);
    EXPECT_NE(asked.find(plugin), std::string::npos);
    EXPECT_NE(asked.find(text_of(kScramble)), std::string::npos) << "the challenge stays";
  }
  ClientProof unknown = begun(true);
  unknown.change_user("dialog", bytes_of("token"));
  EXPECT_NE(written(unknown).find(kSha2Plugin), std::string::npos);
}

TEST(MysqlClientProof, AChangeOfUserWithATokenIsCheckedAtOnce) {
  ClientProof proof = begun(false);
  proof.change_user(kNativePlugin, native_token(native_key("secret"), kScramble));
  ASSERT_EQ(proof.turn(), Turn::look_up);
  proof.answer(knowing("secret"), nullptr);
  EXPECT_EQ(proof.turn(), Turn::proven);
}

TEST(MysqlClientProof, NoPasswordProvesAnEmptyOneByEveryPlugin) {
  const std::string zero(1, '\0');
  for (const std::string_view plugin : {kNativePlugin, kSha2Plugin, kSha256Plugin, kClearPlugin}) {
    for (const bool right : {true, false}) {
      ClientProof proof = begun(true, plugin);
      proof.change_user(plugin, {});
      written(proof);
      proof.accept(plugin == kNativePlugin ? Bytes() : bytes_of(zero));
      ASSERT_EQ(proof.turn(), Turn::look_up);
      proof.answer(knowing(right ? "" : "secret"), nullptr);
      EXPECT_EQ(proof.turn(), right ? Turn::proven : Turn::denied) << plugin;
    }
  }
}

TEST(MysqlClientProof, NobodyEndsLikeAWrongPassword) {
  const std::string guess("guess\0", 6);
  for (const std::shared_ptr<const Credentials>& known : {knowing("secret"), knowing("")}) {
    for (const bool exists : {true, false}) {
      ClientProof proof = begun(true);
      proof.change_user(kClearPlugin, {});
      written(proof);
      proof.accept(bytes_of(guess));
      proof.answer(exists ? known : nullptr, nullptr);
      EXPECT_EQ(proof.turn(), Turn::denied);
      EXPECT_TRUE(proof.with_password());
    }
  }
}

TEST(MysqlClientProof, TheKeyIsShownOnRequestAndTakesTheSecret) {
  for (const std::string_view plugin : {kSha2Plugin, kSha256Plugin}) {
    ClientProof proof = begun(false);
    proof.change_user(plugin, {});
    const std::string asked = written(proof);
    const bool full = plugin == kSha2Plugin;
    proof.accept(bytes_of(full ? std::string(32, 'x') : std::string("\1")));
    proof.answer(knowing("secret"), nullptr);
    ASSERT_EQ(proof.turn(), Turn::weirpool);
    if (full) {
      EXPECT_EQ(written(proof), "\1\4");
      proof.accept(bytes_of("\2"));
    }
    const std::string key = written(proof).substr(1);
    EXPECT_EQ(key, RsaKey::of_process().public_pem());
    proof.accept(rsa_encrypt_password(key, "secret", kScramble));
    EXPECT_EQ(proof.turn(), Turn::proven);
  }
}

constexpr std::string_view kNative = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19";  // "password"
/// "hashcat", see sha256_crypt_test.cpp.
constexpr std::string_view kCrypted =
    "0x24412430303524F9CC98CE08892924F50A213B6BC571A2C11778C5"
    "625479393559393965414D45316477456B484F41316E64484742577A2E3162785353526B7554584647562F";

void derive(ClientProof& proof) {
  const KeyDerivation wish = proof.derivation();
  proof.derived(sha256_crypt(wish.password, wish.salt, wish.iterations));
}

TEST(MysqlClientProof, WhoseVerifierIsOfAnotherPluginIsSwitchedToIt) {
  for (const bool exists : {true, false}) {
    const auto known = knowing(std::string(kCrypted));
    ClientProof proof = begun(true, kNativePlugin);
    proof.handshake(kNativePlugin, native_token(native_key("hashcat"), kScramble));
    proof.answer(exists ? known : nullptr, known.get());
    ASSERT_EQ(proof.turn(), Turn::weirpool);
    EXPECT_NE(written(proof).find(kSha2Plugin), std::string::npos);
    proof.accept(sha2_token("hashcat", kScramble));
    ASSERT_EQ(proof.turn(), Turn::weirpool) << "not looked up again";
    EXPECT_EQ(written(proof), "\1\4");
    proof.accept(bytes_of(std::string_view("hashcat\0", 8)));
    ASSERT_EQ(proof.turn(), Turn::derive);
    derive(proof);
    ASSERT_EQ(proof.turn(), exists ? Turn::proven : Turn::denied);
    EXPECT_EQ(proof.revealed().has_value(), exists);
    if (exists) {
      EXPECT_EQ(proof.revealed()->password, "hashcat");
    }
  }
}

TEST(MysqlClientProof, WhoCannotBeSwitchedIsDenied) {
  ClientProof proof;
  proof.begin(true, false, kNativePlugin, kScramble);
  proof.handshake(kNativePlugin, native_token(native_key("hashcat"), kScramble));
  proof.answer(knowing(std::string(kCrypted)), nullptr);
  EXPECT_EQ(proof.turn(), Turn::denied);
}

TEST(MysqlClientProof, EveryVerifierOfARotationIsTried) {
  const auto both = std::make_shared<Credentials>(
      std::vector<std::string>{std::string(kCrypted), std::string(kNative)});
  for (const std::string password : {"hashcat", "password", "other"}) {
    ClientProof proof = begun(true);
    proof.change_user(kClearPlugin, bytes_of(password + '\0'));
    proof.answer(both, nullptr);
    if (password != "password") {
      ASSERT_EQ(proof.turn(), Turn::derive) << password;
      derive(proof);
    }
    EXPECT_EQ(proof.turn(), password == "other" ? Turn::denied : Turn::proven) << password;
    EXPECT_EQ(proof.revealed().has_value(), password != "other");
  }
}

TEST(MysqlClientProof, ANativeProofIsGoodForABackend) {
  ClientProof proof = begun(false, kNativePlugin);
  proof.handshake(kNativePlugin, native_token(native_key("password"), kScramble));
  proof.answer(knowing(std::string(kNative)), nullptr);
  ASSERT_EQ(proof.turn(), Turn::proven);
  ASSERT_TRUE(proof.revealed());
  EXPECT_EQ(parse_pass(proof.revealed()->password), native_key("password"));
}

TEST(MysqlClientProof, ASecretInTheClearHasAnEnd) {
  ClientProof proof = begun(true);
  proof.change_user(kClearPlugin, {});
  written(proof);
  proof.accept(bytes_of("secret"));
  proof.answer(knowing("secret"), nullptr);
  EXPECT_EQ(proof.turn(), Turn::violation);
}

}  // namespace
}  // namespace weirpool::protocol::mysql
