#include "protocol/postgres/client_login.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/postgres/auth_messages.hpp"
#include "protocol/postgres/conversation.hpp"
#include "protocol/postgres/query_messages.hpp"
#include "protocol/postgres/startup_messages.hpp"

namespace weirpool::protocol::postgres {
namespace {

constexpr std::size_t kMaxIdentifier = 255;  // bytes; the database server keeps 63
constexpr std::size_t kMaxApplication = 64;  // bytes, as Identity promises

/// What the database server makes of an application_name: until version 15 question marks, then
/// escapes (pg_clean_ascii).
std::string as_ascii(std::string_view text, bool escapes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte < 127) {
      out += c;
    } else if (!escapes) {
      out += '?';
    } else {
      out.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
  return out;
}

/// "15.4" and "18beta1" are 15 and 18.
int major_version(std::string_view server_version) {
  int major = 0;
  std::from_chars(server_version.data(), server_version.data() + server_version.size(), major);
  return major;
}

}  // namespace

Verdict PostgresClientLogin::step(Party from, MutableBytes unread) {
  if (from != Party::client) return Verdict::hold();
  while (true) {
    if (const Step queued = outbox_.next()) {
      const bool replicates = queued->kind == Verdict::Kind::learn && !replication_.empty();
      return replicates && !choose_backends() ? Verdict::close(Fault::too_many_clients) : *queued;
    }
    if (const Step verdict = advance(unread)) return *verdict;
  }
}

/// Whoever this is has been proven, so it may have backends of its own kind.
bool PostgresClientLogin::choose_backends() {
  std::vector<NamedValue> parameters = catalog_->profiles.of(wanted_)->entries();
  parameters.emplace_back("replication", replication_);
  variant_ = catalog_->replication.variant_of(std::move(parameters));
  if (variant_) identity_.variant = *variant_;
  return variant_ != nullptr;
}

PostgresClientLogin::Step PostgresClientLogin::close(Fault fault) {
  phase_ = Phase::ended;
  return Verdict::close(fault);
}

PostgresClientLogin::Step PostgresClientLogin::advance(MutableBytes unread) {
  switch (phase_) {
    case Phase::startup: return on_startup_bytes(unread);
    case Phase::proof: return on_password_bytes(unread);
    case Phase::tls:
    case Phase::look_up:
    case Phase::derive:
    case Phase::learn:
    case Phase::ended: break;
  }
  return Verdict::hold();
}

PostgresClientLogin::Step PostgresClientLogin::on_startup_bytes(MutableBytes unread) {
  std::uint64_t total = gather_.total();
  if (!gather_.collecting()) {
    const bool first = !tls_ && !asked_tls_ && !asked_gss_;
    if (first && context_.tls_available && !unread.empty() && unread[0] == kTlsHandshakeByte) {
      direct_ = true;
      phase_ = Phase::tls;
      return Verdict::start_tls();
    }
    if (unread.size() < 8) return Verdict::need(8);
    total = std::uint64_t{unread[0]} << 24 | std::uint64_t{unread[1]} << 16 |
            std::uint64_t{unread[2]} << 8 | unread[3];
    if (total < kMinStartupLength) return close(Fault::protocol_violation);
    if (total > kMaxStartupLength) return close(Fault::message_too_large);
  }
  if (const auto verdict = gather_.collect(unread, total)) return *verdict;
  return on_packet(gather_.message(), unread.size() > total);
}

PostgresClientLogin::Step PostgresClientLogin::on_packet(Bytes packet, bool more_behind) {
  switch (startup_code(packet)) {
    case kSslCode:
      if (packet.size() != 8) return close(Fault::protocol_violation);
      return on_ssl_request(more_behind);
    case kGssCode:
      if (packet.size() != 8 || tls_ || std::exchange(asked_gss_, true)) {
        return close(Fault::protocol_violation);
      }
      outbox_.out().u8('N');
      outbox_.skip(gather_.consume());
      return std::nullopt;
    case kCancelCode: {
      const auto request = CancelRequest::parse(packet);
      if (!request) return close(Fault::protocol_violation);
      cancel_.assign(request->id_and_key.begin(), request->id_and_key.end());
      phase_ = Phase::ended;
      return Verdict::cancel(cancel_);
    }
    default: return on_startup(packet);
  }
}

PostgresClientLogin::Step PostgresClientLogin::on_ssl_request(bool more_behind) {
  if (tls_ || std::exchange(asked_tls_, true)) return close(Fault::protocol_violation);
  outbox_.skip(gather_.consume());
  if (!context_.tls_available) {
    outbox_.out().u8('N');
    return std::nullopt;
  }
  // Plaintext behind the request would be taken for the first bytes inside TLS: no words for that.
  if (more_behind) return close(Fault::none);
  outbox_.out().u8('S');
  outbox_.then(Verdict::start_tls());
  phase_ = Phase::tls;
  return std::nullopt;
}

void PostgresClientLogin::tls_established(const TlsFacts& facts) {
  tls_ = true;
  end_point_ = facts.end_point;
  phase_ = Phase::startup;
  // Without it, TLS of another protocol could be led here by somebody in between (ALPACA).
  if (!direct_ || facts.application == kApplicationProtocol) return;
  phase_ = Phase::ended;
  outbox_.then(Verdict::close(Fault::none));
}

PostgresClientLogin::Step PostgresClientLogin::on_startup(Bytes packet) {
  const auto message = StartupMessage::parse(packet);
  if (startup_code(packet) >> 16 != 3) return close(Fault::unsupported);
  if (!message) return close(Fault::protocol_violation);
  if (context_.tls_required && !tls_) return close(Fault::tls_required);
  if (const auto fault = take_parameters(message->parameters)) return close(*fault);
  version_ = std::min(message->version, kProtocol32);
  NegotiateProtocolVersion negotiate;
  negotiate.version = version_;
  for (const auto& [name, value] : message->parameters) {
    if (name.starts_with("_pq_.")) negotiate.unknown_options.push_back(name);
  }
  if (message->version != version_ || !negotiate.unknown_options.empty()) {
    negotiate.serialize(outbox_.out());
  }
  outbox_.skip(gather_.consume());
  outbox_.then(Verdict::look_up());
  phase_ = Phase::look_up;
  return std::nullopt;
}

std::optional<Fault> PostgresClientLogin::take_parameters(
    const std::vector<std::pair<std::string_view, std::string_view>>& parameters) {
  std::vector<NamedValue> options;
  for (const auto& [name, value] : parameters) {
    if (name == "user") {
      identity_.user = value;
    } else if (name == "database") {
      identity_.database = value;
    } else if (name == "replication") {
      // Values that mean false are a normal session.
      if (value == "false" || value == "off" || value == "no" || value == "0") continue;
      replication_ = value;
      identity_.whole_server = value != "database";
    } else if (name == "options") {
      if (!parse_options(value, options)) return Fault::unsupported;
    } else if (!name.starts_with("_pq_.")) {
      if (const auto fault = take_parameter(name, value)) return fault;
    }
  }
  for (const auto& [name, value] : options) {
    if (const auto fault = take_parameter(name, value)) return fault;
  }
  // The database server says 28000 here too.
  if (identity_.user.empty()) return Fault::login_denied;
  if (identity_.database.empty()) identity_.database = identity_.user;
  if (identity_.user.size() > kMaxIdentifier || identity_.database.size() > kMaxIdentifier) {
    return Fault::login_denied;
  }
  return std::nullopt;
}

std::optional<Fault> PostgresClientLogin::take_parameter(std::string_view name,
                                                         std::string_view value) {
  if (!legal_setting_name(name)) return Fault::unsupported;
  const std::string lower = lower_case(name);
  if (lower == "application_name") {
    wanted_.emplace_back(lower, value);
    identity_.application = as_ascii(value, false).substr(0, kMaxApplication);
    return std::nullopt;
  }
  wanted_.emplace_back(lower, value);
  if (wanted_.size() > kMaxParameters) return Fault::message_too_large;
  return std::nullopt;
}

void PostgresClientLogin::answer(const Account& account) {
  proof_.emplace(identity_.user, account, end_point_);
  follow(proof_->begin(outbox_.out()));
}

void PostgresClientLogin::derived(Bytes key) { follow(proof_->derived(key, outbox_.out())); }

void PostgresClientLogin::follow(ClientProof::Outcome outcome) {
  switch (outcome) {
    case ClientProof::Outcome::next: phase_ = Phase::proof; return;
    case ClientProof::Outcome::derive:
      phase_ = Phase::derive;
      outbox_.then(Verdict::derive());
      return;
    case ClientProof::Outcome::proven:
      phase_ = Phase::learn;
      outbox_.then(Verdict::learn());
      return;
    case ClientProof::Outcome::denied: outbox_.then(Verdict::close(Fault::login_denied)); break;
    case ClientProof::Outcome::illegal:
      outbox_.then(Verdict::close(Fault::protocol_violation));
      break;
  }
  phase_ = Phase::ended;
}

PostgresClientLogin::Step PostgresClientLogin::on_password_bytes(MutableBytes unread) {
  std::uint64_t total = gather_.total();
  if (!gather_.collecting()) {
    if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
    const Header header = peek_header(unread);
    // A client without a password says goodbye here, and comes back with one.
    if (header.tag == 'X' && header.length == 4) return close(Fault::none);
    if (header.tag != 'p' || header.length < 4) return close(Fault::protocol_violation);
    if (header.length > proof_->longest_message()) return close(Fault::message_too_large);
    total = header.total();
  }
  if (const auto verdict = gather_.collect(unread, total)) return *verdict;
  const Bytes payload = gather_.message().subspan(kHeaderSize);
  const ClientProof::Outcome outcome = proof_->on_message(payload, outbox_.out());
  outbox_.skip(gather_.consume());
  follow(outcome);
  return std::nullopt;
}

void PostgresClientLogin::learned(std::shared_ptr<const BackendFacts> facts, Fault why,
                                  std::string_view) {
  phase_ = Phase::ended;
  write_auth_ok(outbox_.out());
  if (facts == nullptr) {
    outbox_.then(Verdict::close(why));
    return;
  }
  greet(static_cast<const Facts&>(*facts));
  outbox_.then(Verdict::done());
}

void PostgresClientLogin::greet(const Facts& facts) {
  const auto version =
      std::find_if(facts.parameters.begin(), facts.parameters.end(),
                   [](const NamedValue& known) { return known.first == "server_version"; });
  const bool escapes = version != facts.parameters.end() && major_version(version->second) >= 16;
  for (auto& [name, value] : wanted_) {
    if (name == "application_name") value = as_ascii(value, escapes);
  }
  const ProfileRef profile = catalog_->profiles.of(wanted_);
  for (const auto& [name, value] : facts.parameters) {
    const std::string lower = lower_case(name);
    const std::string* wanted = follows_client(lower) ? profile->find(lower) : nullptr;
    ParameterStatus{name, wanted == nullptr ? std::string_view(value) : *wanted}.serialize(
        outbox_.out());
  }
  const Bytes key = Bytes(context_.cancel_key).first(cancel_key_size());
  BackendKeyData{context_.connection_id, key}.serialize(outbox_.out());
  write_ready('I', outbox_.out());
}

void PostgresClientLogin::write_fault(Fault fault, std::string_view detail, Writer& out) {
  std::string message;
  if (fault == Fault::none) return;
  if (fault == Fault::login_denied && identity_.user.empty()) {
    ErrorResponse error;
    error.severity = "FATAL";
    error.sqlstate = "28000";
    error.message = "no user name specified in startup packet";
    error.serialize(out);
    return;
  }
  if (fault == Fault::login_denied) {
    message = "password authentication failed for user \"" + identity_.user + '"';
  } else if (fault == Fault::unknown_database) {
    message = "database \"" + identity_.database + "\" does not exist";
  }
  write_error(fault, message, detail, out);
}

std::unique_ptr<Conversation> PostgresClientLogin::take_conversation() {
  if (!replication_.empty()) {
    return std::make_unique<ReplicationConversation>(identity_.whole_server, std::move(variant_));
  }
  return std::make_unique<PostgresConversation>(catalog_,
                                                catalog_->profiles.of(std::move(wanted_)));
}

}  // namespace weirpool::protocol::postgres
