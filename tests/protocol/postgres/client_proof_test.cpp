#include "protocol/postgres/client_proof.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/md5.hpp"
#include "tests/protocol/postgres/wire_text.hpp"

namespace weirpool::test::pg {
namespace {

namespace postgres = protocol::postgres;
using protocol::Account;
using protocol::Proof;
using ProofOutcome = postgres::ClientProof::Outcome;

const std::string kTextSalt = "0123456789abcdef";

std::string text_verifier_of(const std::string& word) {
  const auto keys =
      postgres::scram_keys(postgres::pbkdf2_sha256(word, protocol::bytes_of(kTextSalt), 4096));
  return "SCRAM-SHA-256$4096:" + postgres::base64(protocol::bytes_of(kTextSalt)) + "$" +
         postgres::base64(keys.stored_key) + ":" + postgres::base64(keys.server_key);
}

std::shared_ptr<const postgres::Secret> secret(std::vector<std::string> passwords) {
  return std::make_shared<const postgres::Secret>("app", std::move(passwords));
}

/// One whole exchange of a client that believes in `word`.
struct Exchange {
  Exchange(const Account& account, const std::string& word,
           std::vector<std::uint8_t> end_point = {})
      : proof("app", account, end_point), bound(end_point) {
    outcome = proof.begin(out);
    settle();
    if (outcome == ProofOutcome::next) say(word);
  }

  std::string heard() const { return std::string(protocol::text_of(out.view())); }

  void settle() {
    while (outcome == ProofOutcome::derive) {
      const protocol::KeyDerivation d = proof.derivation();
      kept = d.worth_keeping;
      ++derivations;
      outcome = proof.derived(postgres::pbkdf2_sha256(d.password, d.salt, d.iterations), out);
    }
  }
  void send(const std::string& payload) {
    outcome = proof.on_message(protocol::bytes_of(payload), out);
    settle();
  }
  void say(const std::string& word) {
    const std::string request = heard();
    if (request == auth(3)) return send(z(word));
    if (request.starts_with(auth(5, "salt").substr(0, 9))) {
      return send(z(postgres::md5_response(postgres::md5_verifier("app", word),
                                           protocol::bytes_of(request.substr(9)))));
    }
    const auto binding = bound.empty() ? postgres::ScramClient::Binding::none
                                       : postgres::ScramClient::Binding::end_point;
    postgres::ScramClient client("abcdef", binding, bound);
    const std::string mechanism = bound.empty() ? "SCRAM-SHA-256" : "SCRAM-SHA-256-PLUS";
    send(z(mechanism) + be32(static_cast<std::uint32_t>(client.first().size())) + client.first());
    if (outcome != ProofOutcome::next) return;
    const std::string challenge = heard();
    ASSERT_TRUE(client.challenge(challenge.substr(challenge.rfind("r=abcdef"))));
    send(client.prove(
        postgres::scram_prover(postgres::pbkdf2_sha256(word, client.salt(), client.iterations()))));
  }

  postgres::ClientProof proof;
  std::vector<std::uint8_t> bound;
  protocol::Writer out;
  ProofOutcome outcome = ProofOutcome::illegal;
  int derivations = 0;
  bool kept = true;
};

TEST(ClientProof, EveryMethodAcceptsWhatIsStoredAndNothingElse) {
  const std::string md5 = postgres::md5_verifier("app", "right");
  const std::vector<std::pair<Proof, std::string>> possible{
      {Proof::by_secret, "right"},
      {Proof::by_secret, md5},
      {Proof::cleartext, md5},
      {Proof::cleartext, "right"},
      {Proof::md5, "right"},
      {Proof::md5, md5},
      {Proof::scram, "right"},
      {Proof::md5, text_verifier_of("right")},
      {Proof::by_secret, text_verifier_of("right")},
      {Proof::cleartext, text_verifier_of("right")},
      {Proof::scram, text_verifier_of("right")}};
  for (const auto& [proof, stored] : possible) {
    const Account account{secret({stored}), nullptr, proof};
    EXPECT_EQ(Exchange(account, "right").outcome, ProofOutcome::proven)
        << static_cast<int>(proof) << stored;
    EXPECT_EQ(Exchange(account, "wrong").outcome, ProofOutcome::denied)
        << static_cast<int>(proof) << stored;
  }
}

TEST(ClientProof, AnMd5HashCanNeverProveScram) {
  const Account account{secret({postgres::md5_verifier("app", "right")}), nullptr, Proof::scram};
  EXPECT_EQ(Exchange(account, "right").outcome, ProofOutcome::denied);
}

TEST(ClientProof, AStoredHashIsNoPassword) {
  // Who has read the hash must not come in with it.
  const std::string md5 = postgres::md5_verifier("app", "right");
  EXPECT_EQ(Exchange({secret({md5}), nullptr, Proof::cleartext}, md5).outcome,
            ProofOutcome::denied);
  const std::string scram = text_verifier_of("right");
  EXPECT_EQ(Exchange({secret({scram}), nullptr, Proof::cleartext}, scram).outcome,
            ProofOutcome::denied);
  EXPECT_EQ(Exchange({secret({scram}), nullptr, Proof::scram}, scram).outcome,
            ProofOutcome::denied);
}

TEST(ClientProof, NothingIsAskedOfWhomSomebodyVouchesFor) {
  EXPECT_EQ(Exchange({secret({"x"}), nullptr, Proof::none}, "").outcome, ProofOutcome::proven);
  EXPECT_EQ(Exchange({nullptr, nullptr, Proof::none}, "").outcome, ProofOutcome::denied);
}

TEST(ClientProof, AnUnknownUserGoesThroughTheSame) {
  for (const std::string& stored :
       {std::string("right"), text_verifier_of("right"), postgres::md5_verifier("app", "right")}) {
    for (const Proof proof : {Proof::by_secret, Proof::cleartext, Proof::scram}) {
      const Account known{secret({stored}), nullptr, proof};
      const Account unknown{nullptr, known.secret, proof};
      const Exchange wrong(known, "wrong");
      const Exchange nobody(unknown, "wrong");
      EXPECT_EQ(nobody.outcome, ProofOutcome::denied);
      EXPECT_EQ(tags(wrong.heard()), tags(nobody.heard())) << stored;
      EXPECT_EQ(wrong.heard().size(), nobody.heard().size()) << stored;
      const bool as_long = proof != Proof::cleartext || wrong.derivations == nobody.derivations;
      EXPECT_TRUE(as_long) << stored;
    }
  }
}

TEST(ClientProof, ALoginRevealsWhatAVerifierStandsFor) {
  const std::string scram = text_verifier_of("right");
  const auto by_scram = Exchange({secret({scram})}, "right").proof.revealed();
  ASSERT_TRUE(by_scram);
  EXPECT_EQ(by_scram->verifier, scram);
  const auto pass = postgres::parse_pass(by_scram->password);
  ASSERT_TRUE(pass);
  EXPECT_EQ(postgres::sha256(pass->client_key), pass->verifier.keys.stored_key);
  const auto by_word = Exchange({secret({scram}), nullptr, Proof::cleartext}, "right");
  EXPECT_EQ(by_word.proof.revealed()->password, "right");
  EXPECT_FALSE(by_word.kept);
  EXPECT_FALSE(Exchange({secret({scram})}, "wrong").proof.revealed());
  EXPECT_FALSE(Exchange({secret({"right"})}, "right").proof.revealed());
}

TEST(ClientProof, ChannelBindingWorksAndIsTakenOnlyWhereOffered) {
  const Account account{secret({"right"})};
  EXPECT_EQ(Exchange(account, "right", std::vector<std::uint8_t>(32, 5)).outcome,
            ProofOutcome::proven);
  postgres::ClientProof plain("app", account, {});
  protocol::Writer out;
  plain.begin(out);
  const std::string first = "p=tls-server-end-point,,n=,r=abc";
  const std::string message =
      z("SCRAM-SHA-256-PLUS") + be32(static_cast<std::uint32_t>(first.size())) + first;
  EXPECT_EQ(plain.on_message(protocol::bytes_of(message), out), ProofOutcome::illegal);
}

TEST(ClientProof, MalformedMessagesAreIllegal) {
  for (const Proof proof : {Proof::cleartext, Proof::md5}) {
    postgres::ClientProof one("app", {secret({"right"}), nullptr, proof}, {});
    protocol::Writer out;
    one.begin(out);
    EXPECT_EQ(one.on_message(protocol::bytes_of("no zero byte"), out), ProofOutcome::illegal);
  }
  postgres::ClientProof empty("app", {secret({"right"}), nullptr, Proof::cleartext}, {});
  protocol::Writer out;
  empty.begin(out);
  EXPECT_EQ(empty.on_message(protocol::bytes_of(std::string(1, '\0')), out), ProofOutcome::illegal);
}

TEST(ClientProof, LongPasswordsAreForMethodsThatSendThem) {
  postgres::ClientProof scram("app", {secret({"x"})}, {});
  postgres::ClientProof word("app", {secret({"x"}), nullptr, Proof::cleartext}, {});
  protocol::Writer out;
  scram.begin(out);
  word.begin(out);
  EXPECT_EQ(scram.longest_message(), postgres::kMaxSaslLength);
  EXPECT_GE(word.longest_message(), (64U << 10) + 5);
}

}  // namespace
}  // namespace weirpool::test::pg
