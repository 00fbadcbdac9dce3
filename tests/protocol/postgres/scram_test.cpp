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

const std::vector<std::uint8_t> kRfcSalt = *unbase64("W22ZaJ0SNY7soEsUEjb6gQ==");
const std::vector<std::uint8_t> kEndPoint(32, 9);

ScramKeys keys_of(std::string_view password) {
  return scram_keys(pbkdf2_sha256(password, kRfcSalt, kScramIterations));
}

ScramServer server_with(std::string nonce, std::vector<std::uint8_t> end_point = {}) {
  return {kRfcSalt, kScramIterations, std::move(nonce), std::move(end_point)};
}

ScramProver prover(const ScramClient& client, std::string_view password) {
  return scram_prover(pbkdf2_sha256(password, client.salt(), client.iterations()));
}

TEST(Scram, ServerFollowsRfc7677) {
  ScramServer server = server_with(kServerNonce);
  EXPECT_EQ(server.first("n,,n=user,r=" + kClientNonce, false), kServerFirst);
  ASSERT_TRUE(server.last(kFinalBare + kProof));
  EXPECT_FALSE(server.proven_by(keys_of("pen")));
  EXPECT_TRUE(server.proven_by(keys_of("pencil")));
  EXPECT_EQ(server.server_final(), kServerFinal);
  EXPECT_EQ(sha256(server.client_key()), keys_of("pencil").stored_key);
}

TEST(Scram, BothSidesUnderstandEachOther) {
  using Binding = ScramClient::Binding;
  for (const Binding binding : {Binding::none, Binding::not_offered, Binding::end_point}) {
    const bool plus = binding == Binding::end_point;
    ScramServer server = server_with(make_nonce(), plus ? kEndPoint : std::vector<std::uint8_t>());
    ScramClient client(make_nonce(), binding, kEndPoint);
    const auto challenge = server.first(client.first(), plus);
    ASSERT_TRUE(challenge);
    ASSERT_TRUE(client.challenge(*challenge));
    ASSERT_TRUE(server.last(client.prove(prover(client, "secret"))));
    EXPECT_FALSE(server.proven_by(keys_of("other")));
    EXPECT_TRUE(server.proven_by(keys_of("secret")));
    EXPECT_TRUE(client.verify(server.server_final()));
  }
}

TEST(Scram, AnotherCertificateBreaksTheBinding) {
  ScramServer server = server_with("x", kEndPoint);
  const std::vector<std::uint8_t> of_somebody_else(32, 8);
  ScramClient client("abc", ScramClient::Binding::end_point, of_somebody_else);
  ASSERT_TRUE(client.challenge(*server.first(client.first(), true)));
  EXPECT_FALSE(server.last(client.prove(prover(client, "secret"))));
}

TEST(Scram, ADowngradeIsNoticed) {
  // The client could have bound to the channel and was told that it cannot.
  EXPECT_FALSE(server_with("x", kEndPoint).first("y,,n=,r=abc", false));
  EXPECT_TRUE(server_with("x", kEndPoint).first("n,,n=,r=abc", false));
  EXPECT_TRUE(server_with("x").first("y,,n=,r=abc", false));
  for (const char* first : {"n,,n=,r=abc", "y,,n=,r=abc", "p=tls-unique,,n=,r=abc"}) {
    EXPECT_FALSE(server_with("x", kEndPoint).first(first, true)) << first;
  }
}

TEST(Scram, ServerTakesOnlyWhatItOffered) {
  for (const std::string& first :
       {std::string(), std::string("n,,"), std::string("p=tls-server-end-point,,n=,r=abc"),
        std::string("n,a=admin,n=,r=abc"), std::string("n,,m=x,n=,r=abc"), std::string("n,,n=user"),
        std::string("n,,n=,r="), std::string("n,,n=,r=a\x01"), std::string("n,,n=,r=\xC3\xA9"),
        "n,,n=,r=" + std::string(kMaxNonce + 1, 'x')}) {
    EXPECT_FALSE(server_with("x").first(first, false)) << first;
  }
}

TEST(Scram, ServerRejectsTamperedFinals) {
  for (const std::string& last :
       {std::string(), kFinalBare, kFinalBare + ",p=", kFinalBare + ",p=YQ==",
        "c=eSws,r=" + kClientNonce + kServerNonce + kProof, "c=biws,r=other" + kProof,
        "r=" + kClientNonce + kServerNonce + kProof}) {
    ScramServer server = server_with(kServerNonce);
    server.first("n,,n=user,r=" + kClientNonce, false);
    EXPECT_FALSE(server.last(last)) << last;
  }
  ScramServer server = server_with(kServerNonce);
  server.first("n,,n=someone,r=" + kClientNonce, false);  // Signed together with the proof.
  ASSERT_TRUE(server.last(kFinalBare + kProof));
  EXPECT_FALSE(server.proven_by(keys_of("pencil")));
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
  ScramClient client("abc");
  EXPECT_FALSE(client.verify(kServerFinal));  // Before any proof.
  ASSERT_TRUE(client.challenge("r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
  client.prove(prover(client, "pencil"));
  EXPECT_FALSE(client.verify(kServerFinal));
  EXPECT_FALSE(client.verify("e=other-error"));
  EXPECT_FALSE(client.verify(""));
}

std::string verifier_text(const ScramKeys& keys) {
  return "SCRAM-SHA-256$4096:" + base64(kRfcSalt) + "$" + base64(keys.stored_key) + ":" +
         base64(keys.server_key);
}

TEST(Scram, VerifiersAsTheServerKeepsThem) {
  const std::string text = verifier_text(keys_of("pencil"));
  const auto parsed = parse_verifier(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->salt, kRfcSalt);
  EXPECT_EQ(parsed->keys.stored_key, keys_of("pencil").stored_key);
  EXPECT_EQ(parsed->keys.server_key, keys_of("pencil").server_key);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_verifier(std::string_view(text).substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_verifier("plain password"));
  EXPECT_FALSE(parse_verifier("SCRAM-SHA-256$0:YQ==$YQ==:YQ=="));
}

TEST(Scram, APassIsAVerifierWithItsOwnKey) {
  const ScramProver known = scram_prover(pbkdf2_sha256("pencil", kRfcSalt, kScramIterations));
  const std::string verifier = verifier_text(keys_of("pencil"));
  const std::string text = pass_text(verifier, known.client_key);
  const auto parsed = parse_pass(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->client_key, known.client_key);
  EXPECT_EQ(parsed->verifier.salt, kRfcSalt);
  EXPECT_FALSE(parse_pass(verifier));
  EXPECT_FALSE(parse_pass(pass_text(verifier_text(keys_of("other")), known.client_key)));
  EXPECT_FALSE(parse_pass("a password with $ in it"));
  EXPECT_FALSE(parse_verifier(text));
}

}  // namespace
}  // namespace weirpool::protocol::postgres
