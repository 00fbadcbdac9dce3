#include "protocol/postgres/client_proof.hpp"

#include <algorithm>
#include <utility>

#include "protocol/postgres/auth_messages.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/md5.hpp"

namespace weirpool::protocol::postgres {
namespace {

/// Hashed first, so that neither length nor content shows in the time it takes.
bool same(std::string_view a, std::string_view b) {
  return equal_constant_time(sha256(bytes_of(a)), sha256(bytes_of(b)));
}

Digest digest_of(Bytes key) {
  Digest digest{};
  std::copy_n(key.begin(), std::min(key.size(), digest.size()), digest.begin());
  return digest;
}

}  // namespace

ClientProof::ClientProof(std::string user, const Account& account,
                         std::vector<std::uint8_t> end_point)
    : user_(std::move(user)),
      secret_(std::static_pointer_cast<const Secret>(account.secret)),
      mock_(user_, static_cast<const Secret*>(account.like.get())),
      proof_(choose(account.proof)),
      end_point_(std::move(end_point)) {}

Proof ClientProof::choose(Proof asked) const {
  const Proof best = secret_ ? secret_->best() : mock_.best;
  if (asked == Proof::by_secret) return best;
  // As the database server does: md5 is what is asked for, SCRAM where only that can be checked.
  if (asked == Proof::md5 && best == Proof::scram) {
    return secret_ && !secret_->plain().empty() ? Proof::md5 : Proof::scram;
  }
  return asked;
}

const std::vector<std::uint8_t>& ClientProof::salt() const {
  return secret_ ? secret_->salt() : mock_.salt;
}

std::uint32_t ClientProof::iterations() const {
  return secret_ ? secret_->iterations() : mock_.iterations;
}

ClientProof::Outcome ClientProof::begin(Writer& out) {
  switch (proof_) {
    case Proof::none: return secret_ ? Outcome::proven : Outcome::denied;
    case Proof::cleartext:
      step_ = Step::cleartext;
      write_auth_cleartext(out);
      break;
    case Proof::md5:
      step_ = Step::md5;
      fill_random(md5_salt_);
      write_auth_md5(md5_salt_, out);
      break;
    case Proof::by_secret:
    case Proof::scram:
      step_ = Step::sasl_initial;
      scram_.emplace(salt(), iterations(), make_nonce(), end_point_);
      write_auth_sasl(!end_point_.empty(), out);
      break;
  }
  return Outcome::next;
}

std::uint32_t ClientProof::longest_message() const {
  return step_ == Step::cleartext || step_ == Step::md5 ? kMaxLoginLength : kMaxSaslLength;
}

ClientProof::Outcome ClientProof::on_message(Bytes payload, Writer& out) {
  switch (step_) {
    case Step::cleartext: return on_cleartext(payload);
    case Step::md5: return on_md5(payload);
    case Step::sasl_initial: return on_sasl_initial(payload, out);
    case Step::sasl_response: break;
  }
  return on_sasl_response(payload, out);
}

ClientProof::Outcome ClientProof::on_cleartext(Bytes payload) {
  const auto message = PasswordMessage::parse(payload);
  // The database server refuses an empty password too: some of its own methods let one pass.
  if (!message || message->password.empty()) return Outcome::illegal;
  claimed_ = message->password;
  if (!secret_) return mock_.derives ? Outcome::derive : Outcome::denied;
  for (const std::string& password : secret_->plain()) {
    if (same(password, claimed_)) return Outcome::proven;
  }
  for (const std::string& verifier : secret_->md5()) {
    if (!same(verifier, md5_verifier(user_, claimed_))) continue;
    revealed_ = Revealed{verifier, claimed_};
    return Outcome::proven;
  }
  return secret_->scram().empty() ? Outcome::denied : Outcome::derive;
}

ClientProof::Outcome ClientProof::on_md5(Bytes payload) {
  const auto message = PasswordMessage::parse(payload);
  if (!message) return Outcome::illegal;
  if (!secret_) return Outcome::denied;
  std::vector<std::string> verifiers = secret_->md5();
  for (const std::string& password : secret_->plain()) {
    verifiers.push_back(md5_verifier(user_, password));
  }
  bool proven = false;
  for (const std::string& verifier : verifiers) {
    proven |= same(md5_response(verifier, md5_salt_), message->password);
  }
  return proven ? Outcome::proven : Outcome::denied;
}

ClientProof::Outcome ClientProof::on_sasl_initial(Bytes payload, Writer& out) {
  const auto message = SaslInitialResponse::parse(payload);
  if (!message) return Outcome::illegal;
  const bool plus = message->mechanism == kScramPlusMechanism;
  if (plus ? end_point_.empty() : message->mechanism != kScramMechanism) return Outcome::illegal;
  const auto challenge = scram_->first(message->data, plus);
  if (!challenge) return Outcome::illegal;
  write_auth_sasl_data(AuthKind::sasl_continue, *challenge, out);
  step_ = Step::sasl_response;
  return Outcome::next;
}

ClientProof::Outcome ClientProof::on_sasl_response(Bytes payload, Writer& out) {
  if (!scram_->last(text_of(payload))) return Outcome::illegal;
  if (!secret_) return try_keys(mock_.keys, out);
  for (const Secret::Scram& one : secret_->scram()) {
    if (try_keys(one.verifier.keys, out) != Outcome::proven) continue;
    revealed_ = Revealed{one.text, pass_text(one.text, scram_->client_key())};
    return Outcome::proven;
  }
  candidate_ = 0;
  return next_candidate();
}

ClientProof::Outcome ClientProof::next_candidate() {
  return candidate_ < secret_->plain().size() ? Outcome::derive : Outcome::denied;
}

ClientProof::Outcome ClientProof::try_keys(const ScramKeys& keys, Writer& out) {
  if (!scram_->proven_by(keys)) return Outcome::denied;
  write_auth_sasl_data(AuthKind::sasl_final, scram_->server_final(), out);
  return Outcome::proven;
}

KeyDerivation ClientProof::derivation() const {
  if (step_ == Step::cleartext) return {saslprep(claimed_), salt(), iterations(), false};
  return {saslprep(secret_->plain()[candidate_]), salt(), iterations()};
}

ClientProof::Outcome ClientProof::derived(Bytes key, Writer& out) {
  const ScramKeys keys = scram_keys(digest_of(key));
  if (step_ != Step::cleartext) {
    if (try_keys(keys, out) == Outcome::proven) return Outcome::proven;
    ++candidate_;
    return next_candidate();
  }
  if (!secret_) return Outcome::denied;
  for (const Secret::Scram& one : secret_->scram()) {
    if (!equal_constant_time(keys.stored_key, one.verifier.keys.stored_key)) continue;
    revealed_ = Revealed{one.text, claimed_};
    return Outcome::proven;
  }
  return Outcome::denied;
}

}  // namespace weirpool::protocol::postgres
