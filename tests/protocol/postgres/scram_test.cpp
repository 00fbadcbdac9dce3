#include "protocol/postgres/scram.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::postgres {
namespace {

// RFC 7677, 3: user "user", password "pencil".
const std::string kClientNonce = "rOprNGfwEbeRWgbNEkqO";
const std::string kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string kServerFirst =
    "r=" + kClientNonce + kServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const std::string kFinalBare = "c=biws,r=" + kClientNonce + kServerNonce;
const std::string kProof = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const std::string kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramVerifier verifier(std::vector<std::string> passwords) {
  ScramVerifier v;
  v.salt = *unbase64("W22ZaJ0SNY7soEsUEjb6gQ==");
  for (const std::string& password : passwords) {
    v.keys.push_back(scram_keys(pbkdf2_sha256(password, v.salt, v.iterations)));
  }
  return v;
}

Digest salted(const ScramClient& client, std::string_view password) {
  return pbkdf2_sha256(password, client.salt(), client.iterations());
}

TEST(Scram, ServerFollowsRfc7677) {
  const ScramVerifier v = verifier({"pencil"});
  ScramServer server(v, true, kServerNonce);
  EXPECT_EQ(server.first("n,,n=user,r=" + kClientNonce), kServerFirst);
  EXPECT_EQ(server.last(kFinalBare + kProof), ScramServer::Outcome::proven);
  EXPECT_EQ(server.server_final(), kServerFinal);
}

/// One whole exchange; the proof is made with `password`.
ScramServer::Outcome exchange(const ScramVerifier& v, bool real, std::string_view password,
                              bool* verified = nullptr) {
  ScramServer server(v, real, make_nonce());
  ScramClient client(make_nonce());
  const auto challenge = server.first(client.first());
  EXPECT_TRUE(challenge);
  EXPECT_TRUE(client.challenge(*challenge));
  const auto outcome = server.last(client.prove(salted(client, password)));
  if (verified != nullptr) *verified = client.verify(server.server_final());
  return outcome;
}

TEST(Scram, BothSidesUnderstandEachOther) {
  const ScramVerifier v = verifier({"new", "old"});
  bool verified = false;
  EXPECT_EQ(exchange(v, true, "new", &verified), ScramServer::Outcome::proven);
  EXPECT_TRUE(verified);
  EXPECT_EQ(exchange(v, true, "old", &verified), ScramServer::Outcome::proven);
  EXPECT_TRUE(verified);
  EXPECT_EQ(exchange(v, true, "wrong"), ScramServer::Outcome::denied);
  EXPECT_EQ(exchange(v, false, "new"), ScramServer::Outcome::denied);
}

TEST(Scram, ServerTakesOnlyWhatItOffered) {
  const ScramVerifier v = verifier({"pencil"});
  EXPECT_TRUE(ScramServer(v, true, "x").first("y,,n=,r=abc"));
  for (const std::string& first :
       {std::string(), std::string("n,,"), std::string("p=tls-server-end-point,,n=,r=abc"),
        std::string("n,a=admin,n=,r=abc"), std::string("n,,m=x,n=,r=abc"), std::string("n,,n=user"),
        std::string("n,,n=,r="), std::string("n,,n=,r=a\x01"), std::string("n,,n=,r=\xC3\xA9"),
        "n,,n=,r=" + std::string(kMaxNonce + 1, 'x')}) {
    EXPECT_FALSE(ScramServer(v, true, "x").first(first)) << first;
  }
}

TEST(Scram, ServerRejectsTamperedFinals) {
  const ScramVerifier v = verifier({"pencil"});
  for (const std::string& last :
       {std::string(), kFinalBare, kFinalBare + ",p=", kFinalBare + ",p=YQ==",
        "c=eSws,r=" + kClientNonce + kServerNonce + kProof, "c=biws,r=other" + kProof,
        "r=" + kClientNonce + kServerNonce + kProof}) {
    ScramServer server(v, true, kServerNonce);
    server.first("n,,n=user,r=" + kClientNonce);
    EXPECT_EQ(server.last(last), ScramServer::Outcome::malformed) << last;
  }
  ScramServer server(v, true, kServerNonce);
  server.first("n,,n=someone,r=" + kClientNonce);  // Signed together with the proof.
  EXPECT_EQ(server.last(kFinalBare + kProof), ScramServer::Outcome::denied);
}

TEST(Scram, ClientBoundsTheChallenge) {
  const std::string salt = ",s=W22ZaJ0SNY7soEsUEjb6gQ==";
  EXPECT_TRUE(ScramClient("abc").challenge("r=abcdef" + salt + ",i=1000000"));
  for (const std::string& challenge :
       {std::string(), std::string("r=abcdef"), "r=abc" + salt + ",i=4096",
        "r=abXdef" + salt + ",i=4096", "r=abcdef" + salt + ",i=0", "r=abcdef" + salt + ",i=1000001",
        "r=abcdef" + salt + ",i=99999999999", "r=abcdef" + salt + ",i=-1",
        "r=abcdef" + salt + ",i=4096x", std::string("r=abcdef,s=,i=4096"),
        std::string("r=abcdef,s=!!!!,i=4096"), "r=abc\x01" + salt + ",i=4096",
        "r=abc" + std::string(kMaxNonce, 'x') + salt + ",i=4096",
        "r=abcdef,s=" + base64(bytes_of(std::string(kMaxSalt + 1, 's'))) + ",i=4096",
        "m=x,r=abcdef" + salt + ",i=4096"}) {
    EXPECT_FALSE(ScramClient("abc").challenge(challenge)) << challenge;
  }
}

TEST(Scram, ClientVerifiesTheServer) {
  const ScramVerifier v = verifier({"pencil"});
  ScramClient client("abc");
  EXPECT_FALSE(client.verify(kServerFinal));  // Before any proof.
  ASSERT_TRUE(client.challenge("r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
  client.prove(salted(client, "pencil"));
  EXPECT_FALSE(client.verify(kServerFinal));
  EXPECT_FALSE(client.verify("e=other-error"));
  EXPECT_FALSE(client.verify(""));
}

TEST(Scram, VerifiersAsTheServerKeepsThem) {
  const ScramVerifier v = verifier({"pencil"});
  const std::string text = "SCRAM-SHA-256$4096:" + base64(v.salt) + "$" +
                           base64(v.keys[0].stored_key) + ":" + base64(v.keys[0].server_key);
  const auto parsed = parse_verifier(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->salt, v.salt);
  EXPECT_EQ(parsed->keys[0].stored_key, v.keys[0].stored_key);
  EXPECT_EQ(parsed->keys[0].server_key, v.keys[0].server_key);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_verifier(std::string_view(text).substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_verifier("plain password"));
  EXPECT_FALSE(parse_verifier("SCRAM-SHA-256$0:YQ==$YQ==:YQ=="));
}

}  // namespace
}  // namespace weirpool::protocol::postgres
