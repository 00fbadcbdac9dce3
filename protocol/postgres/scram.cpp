#include "protocol/postgres/scram.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace weirpool::protocol::postgres {
namespace {

// The three GS2 headers, with an empty authorization identity (RFC 5802, section 7).
constexpr std::string_view kUnboundHeader = "n,,";
constexpr std::string_view kNotOfferedHeader = "y,,";
constexpr std::string_view kBoundHeader = "p=tls-server-end-point,,";

/// What c= holds: the header the client began with, and the channel where it is bound to one.
std::string binding_text(std::string_view header, Bytes channel) {
  std::string text(header);
  text.append(text_of(channel));
  return base64(bytes_of(text));
}

/// Takes "x=value" and its comma off the front of a SCRAM message.
std::optional<std::string_view> attribute(std::string_view& message, char name) {
  if (message.size() < 2 || message[0] != name || message[1] != '=') return std::nullopt;
  const std::size_t comma = message.find(',');
  const std::string_view value = message.substr(2, comma == message.npos ? comma : comma - 2);
  message.remove_prefix(comma == message.npos ? message.size() : comma + 1);
  return value;
}

/// RFC 5802 printable: %x21-2B / %x2D-7E.
bool legal_nonce(std::string_view nonce) {
  return !nonce.empty() && nonce.size() <= kMaxNonce &&
         std::all_of(nonce.begin(), nonce.end(), [](char c) { return c > ' ' && c < 127; });
}

Digest client_signature(const Digest& stored_key, std::string_view auth_message) {
  return hmac_sha256(stored_key, auth_message);
}

Digest exclusive_or(Digest a, Bytes b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<std::uint8_t>(a[i] ^ b[i]);
  return a;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Digest> digest(std::string_view text) {
  const auto raw = unbase64(text);
  Digest out{};
  if (!raw || raw->size() != out.size()) return std::nullopt;
  std::copy(raw->begin(), raw->end(), out.begin());
  return out;
}

/// What both sides sign: client-first-bare, server-first, client-final without its proof.
std::string auth_message(std::string_view first_bare, std::string_view server_first,
                         std::string_view final_bare) {
  std::string text(first_bare);
  text.append(",").append(server_first).append(",").append(final_bare);
  return text;
}

}  // namespace

ScramKeys scram_keys(const Digest& salted) {
  const ScramProver prover = scram_prover(salted);
  return {sha256(prover.client_key), prover.server_key};
}

ScramProver scram_prover(const Digest& salted) {
  return {hmac_sha256(salted, "Client Key"), hmac_sha256(salted, "Server Key")};
}

std::optional<ScramVerifier> parse_verifier(std::string_view text) {
  static constexpr std::string_view kPrefix = "SCRAM-SHA-256$";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const std::size_t colon = text.find(':');
  const std::size_t dollar = text.find('$');
  const std::size_t second = text.rfind(':');
  if (colon == text.npos || dollar == text.npos || colon > dollar || second < dollar) {
    return std::nullopt;
  }
  const auto iterations = number(text.substr(0, colon));
  auto salt = unbase64(text.substr(colon + 1, dollar - colon - 1));
  const auto stored = digest(text.substr(dollar + 1, second - dollar - 1));
  const auto server = digest(text.substr(second + 1));
  if (!iterations || *iterations == 0 || *iterations > kMaxScramIterations || !salt ||
      salt->empty() || salt->size() > kMaxSalt || !stored || !server) {
    return std::nullopt;
  }
  return ScramVerifier{std::move(*salt), *iterations, {*stored, *server}};
}

std::string pass_text(std::string_view verifier, const Digest& client_key) {
  return std::string(verifier) + '$' + base64(client_key);
}

std::optional<ScramPass> parse_pass(std::string_view text) {
  const std::size_t dollar = text.rfind('$');
  if (dollar == text.npos) return std::nullopt;
  auto verifier = parse_verifier(text.substr(0, dollar));
  const auto key = digest(text.substr(dollar + 1));
  if (!verifier || !key || sha256(*key) != verifier->keys.stored_key) return std::nullopt;
  return ScramPass{std::move(*verifier), *key};
}

std::string make_nonce() {
  std::array<std::uint8_t, 18> raw{};
  fill_random(raw);
  return base64(raw);
}

std::optional<std::string> ScramServer::first(std::string_view client_first, bool plus) {
  std::string_view header = plus ? kBoundHeader : kUnboundHeader;
  // y: "I could have bound to the channel, had you offered it".
  if (!plus && end_point_.empty() && client_first.starts_with('y')) header = kNotOfferedHeader;
  if (!client_first.starts_with(header)) return std::nullopt;
  binding_ = binding_text(header, plus ? Bytes(end_point_) : Bytes());
  first_bare_ = client_first.substr(header.size());
  std::string_view rest = first_bare_;
  // A mandatory extension (m=) stands where n= must, so it fails here as RFC 5802 wants.
  const auto user = attribute(rest, 'n');
  const auto nonce = attribute(rest, 'r');
  if (!user || !nonce || !legal_nonce(*nonce)) return std::nullopt;
  nonce_.insert(0, *nonce);
  server_first_ = "r=" + nonce_ + ",s=" + base64(salt_) + ",i=" + std::to_string(iterations_);
  return server_first_;
}

bool ScramServer::last(std::string_view client_final) {
  std::string_view rest = client_final;
  const auto binding = attribute(rest, 'c');
  const auto nonce = attribute(rest, 'r');
  const std::size_t proof_at = client_final.rfind(",p=");
  if (!binding || !nonce || proof_at == client_final.npos) return false;
  const auto proof = digest(client_final.substr(proof_at + 3));
  if (!proof || *binding != binding_ || *nonce != nonce_) return false;
  message_ = auth_message(first_bare_, server_first_, client_final.substr(0, proof_at));
  proof_ = *proof;
  return true;
}

bool ScramServer::proven_by(const ScramKeys& keys) {
  const Digest client_key = exclusive_or(client_signature(keys.stored_key, message_), proof_);
  if (!equal_constant_time(sha256(client_key), keys.stored_key)) return false;
  client_key_ = client_key;
  final_ = "v=" + base64(hmac_sha256(keys.server_key, message_));
  return true;
}

ScramClient::ScramClient(std::string nonce, Binding binding, Bytes end_point)
    : nonce_(std::move(nonce)) {
  switch (binding) {
    case Binding::none: header_ = kUnboundHeader; break;
    case Binding::not_offered: header_ = kNotOfferedHeader; break;
    case Binding::end_point: header_ = kBoundHeader; break;
  }
  binding_ = binding_text(header_, binding == Binding::end_point ? end_point : Bytes());
}

bool ScramClient::challenge(std::string_view server_first) {
  std::string_view rest = server_first;
  const auto nonce = attribute(rest, 'r');
  const auto salt = attribute(rest, 's');
  const auto iterations = attribute(rest, 'i');
  if (!nonce || !salt || !iterations) return false;
  if (!legal_nonce(*nonce) || !nonce->starts_with(nonce_) || nonce->size() == nonce_.size()) {
    return false;
  }
  auto raw = unbase64(*salt);
  const auto count = number(*iterations);
  if (!raw || raw->empty() || raw->size() > kMaxSalt) return false;
  if (!count || *count == 0 || *count > kMaxScramIterations) return false;
  server_first_ = server_first;
  full_nonce_ = *nonce;
  salt_ = std::move(*raw);
  iterations_ = *count;
  return true;
}

std::string ScramClient::prove(const ScramProver& prover) {
  const std::string bare = "c=" + binding_ + ",r=" + full_nonce_;
  const std::string message = auth_message("n=,r=" + nonce_, server_first_, bare);
  signature_ = hmac_sha256(prover.server_key, message);
  proven_ = true;
  const Digest stored_key = sha256(prover.client_key);
  const Digest proof = exclusive_or(client_signature(stored_key, message), prover.client_key);
  return bare + ",p=" + base64(proof);
}

bool ScramClient::verify(std::string_view server_final) const {
  std::string_view rest = server_final;
  const auto signature = attribute(rest, 'v');
  if (!proven_ || !signature) return false;
  const auto raw = digest(*signature);
  return raw && equal_constant_time(*raw, signature_);
}

}  // namespace weirpool::protocol::postgres
