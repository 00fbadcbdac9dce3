#include "protocol/postgres/backend_login.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/postgres/md5.hpp"
#include "protocol/postgres/query_messages.hpp"
#include "protocol/postgres/startup_messages.hpp"

namespace weirpool::protocol::postgres {
namespace {

/// Of a whole login: notices and parameters included. A real one has about 20.
constexpr std::uint32_t kMaxLoginMessages = 1000;

/// Classes of SQLSTATE that speak of the server as a whole: resources, an operator, the system, a
/// bug, the connection. Whatever else ends a login is about this user and this database: no right
/// to connect (42501), a database that takes nobody (55000), a setting of theirs.
bool about_server(std::string_view sqlstate) {
  constexpr std::array<std::string_view, 5> kClasses{"53", "57", "58", "XX", "08"};
  return sqlstate.size() != 5 ||
         std::find(kClasses.begin(), kClasses.end(), sqlstate.substr(0, 2)) != kClasses.end();
}

/// CONNECTION LIMIT of a role or a database has the code of max_connections; the function that says
/// it (the field R, never localized) tells them apart: miscinit.c and postinit.c.
Fault fault_of(const ErrorResponse& error) {
  if (error.sqlstate == "3D000") return Fault::unknown_database;
  if (error.sqlstate == "53300") {
    const bool account =
        error.routine == "InitializeSessionUserId" || error.routine == "CheckMyDatabase";
    return account ? Fault::account_full : Fault::backend_full;
  }
  return about_server(error.sqlstate) ? Fault::backend_unavailable : Fault::backend_refused_login;
}

}  // namespace

PostgresBackendLogin::PostgresBackendLogin(const BackendIdentity& as, const CatalogRef& catalog)
    : as_(as),
      more_(catalog->replication.parameters_of(as.variant)),
      opening_({as.tls_wanted, as.tls_required, as.tls_direct}),
      pass_(parse_pass(as.password)),
      state_(std::make_unique<Backend>(catalog->max_prepared_statements)) {}

PostgresBackendLogin::Step PostgresBackendLogin::fail(Fault fault, std::string_view why) {
  error_ = why;
  phase_ = Phase::ended;
  return Verdict::close(fault);
}

Verdict PostgresBackendLogin::step(Party from, MutableBytes unread) {
  if (from != Party::backend) return Verdict::hold();
  while (true) {
    if (const Step queued = outbox_.next()) return *queued;
    if (const Step verdict = advance(unread)) return *verdict;
  }
}

PostgresBackendLogin::Step PostgresBackendLogin::advance(MutableBytes unread) {
  switch (phase_) {
    case Phase::opening: {
      Step verdict = opening_.advance(unread, outbox_);
      if (opening_.over()) write_startup();
      if (verdict && verdict->kind == Verdict::Kind::close)
        return fail(verdict->fault, opening_.error());
      return verdict;
    }
    case Phase::authentication:
    case Phase::greeting: return on_bytes(unread);
    case Phase::derive:
    case Phase::ended: break;
  }
  return Verdict::hold();
}

void PostgresBackendLogin::write_startup() {
  StartupMessage message;
  message.version = as_.newest_protocol ? kProtocol32 : kProtocol30;
  message.parameters = {{"user", as_.user}, {"database", as_.database}};
  if (!as_.options.empty()) message.parameters.emplace_back("options", as_.options);
  message.parameters.insert(message.parameters.end(), more_.begin(), more_.end());
  // What answers look-ups resolves no name by a path that somebody could have put something into.
  if (as_.answers_look_ups) message.parameters.emplace_back("search_path", "");
  message.serialize(outbox_.out());
  phase_ = Phase::authentication;
}

PostgresBackendLogin::Step PostgresBackendLogin::on_bytes(MutableBytes unread) {
  std::uint64_t total = gather_.total();
  if (!gather_.collecting()) {
    if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
    const Header header = peek_header(unread);
    total = header.total();
    if (!legal_length(header)) return fail(Fault::backend_violation, "illegal message length");
    if (header.tag == 'E') {
      const auto wanted = std::min<std::uint64_t>(total, kMaxNeed);
      if (unread.size() < wanted) return Verdict::need(wanted);
      const auto end = static_cast<std::size_t>(std::min<std::uint64_t>(total, unread.size()));
      return on_error(Bytes(unread).first(end).subspan(kHeaderSize));
    }
    if (header.length > kMaxLoginLength) {
      return fail(Fault::backend_violation, "message too long for a login");
    }
  }
  if (const auto verdict = gather_.collect(unread, total)) return *verdict;
  if (++messages_ > kMaxLoginMessages) {
    return fail(Fault::backend_violation, "too many messages in a login");
  }
  const Bytes message = gather_.message();
  const Step failed = on_message(static_cast<char>(message[0]), message.subspan(kHeaderSize));
  outbox_.skip(gather_.consume());
  return failed;
}

PostgresBackendLogin::Step PostgresBackendLogin::on_message(char tag, Bytes payload) {
  if (tag == 'N') return std::nullopt;  // A notice: nobody is there to read it.
  if (phase_ == Phase::greeting) return on_greeting(tag, payload);
  if (tag == 'v') return on_negotiation(payload);
  if (tag != 'R') return fail(Fault::backend_violation, "unexpected message before authentication");
  return on_authentication(payload);
}

PostgresBackendLogin::Step PostgresBackendLogin::on_negotiation(Bytes payload) {
  const auto message = NegotiateProtocolVersion::parse(payload);
  // It offers less than what was asked for, and no option was asked for.
  const bool legal = message && as_.newest_protocol && !negotiated_ && asked_for_ == 0 &&
                     message->unknown_options.empty() && message->version >= kProtocol30 &&
                     message->version < kProtocol32;
  if (!legal) return fail(Fault::backend_violation, "illegal protocol negotiation");
  negotiated_ = true;
  return std::nullopt;
}

PostgresBackendLogin::Step PostgresBackendLogin::on_authentication(Bytes payload) {
  const auto message = Authentication::parse(payload);
  if (!message) return fail(Fault::backend_violation, "malformed authentication request");
  const bool first = asked_for_++ == 0;
  switch (message->kind) {
    case AuthKind::ok:
      if (sasl_ != Sasl::none && sasl_ != Sasl::verified) {
        return fail(Fault::backend_violation, "server did not prove that it knows the password");
      }
      phase_ = Phase::greeting;
      return std::nullopt;
    case AuthKind::cleartext:
    case AuthKind::md5:
      if (!first) return fail(Fault::backend_violation, "a second request for a password");
      return on_password_request(*message);
    case AuthKind::sasl:
    case AuthKind::sasl_continue:
    case AuthKind::sasl_final: return on_sasl(*message);
  }
  return fail(Fault::backend_refused_login, "server wants an unsupported authentication method");
}

PostgresBackendLogin::Step PostgresBackendLogin::on_password_request(
    const Authentication& message) {
  if (pass_ || parse_verifier(as_.password)) {
    return fail(Fault::backend_refused_login,
                "server wants a password, and only a SCRAM verifier is known");
  }
  const bool hashed = is_md5_verifier(as_.password);
  if (message.kind == AuthKind::cleartext) {
    if (!opening_.encrypted()) {
      return fail(Fault::backend_refused_login, "server wants the password without TLS");
    }
    if (hashed) {
      return fail(Fault::backend_refused_login,
                  "server wants the password, and only its md5 hash is known");
    }
    PasswordMessage{as_.password}.serialize(outbox_.out());
    return std::nullopt;
  }
  const std::string verifier = hashed ? as_.password : md5_verifier(as_.user, as_.password);
  const std::string response = md5_response(verifier, message.data);
  PasswordMessage{response}.serialize(outbox_.out());
  return std::nullopt;
}

PostgresBackendLogin::Step PostgresBackendLogin::on_sasl(const Authentication& message) {
  if (message.kind == AuthKind::sasl && sasl_ == Sasl::none) return on_sasl_offer(message);
  if (message.kind == AuthKind::sasl_continue && sasl_ == Sasl::first_sent) {
    return on_sasl_challenge(message);
  }
  if (message.kind == AuthKind::sasl_final && sasl_ == Sasl::proof_sent) {
    if (!scram_->verify(text_of(message.data))) {
      return fail(Fault::backend_violation, "server does not know the password");
    }
    sasl_ = Sasl::verified;
    return std::nullopt;
  }
  return fail(Fault::backend_violation, "SASL message out of order");
}

PostgresBackendLogin::Step PostgresBackendLogin::on_sasl_offer(const Authentication& message) {
  const auto offers = [&message](std::string_view mechanism) {
    const auto& offered = message.mechanisms;
    return std::find(offered.begin(), offered.end(), mechanism) != offered.end();
  };
  if (!pass_ && (is_md5_verifier(as_.password) || parse_verifier(as_.password))) {
    return fail(Fault::backend_refused_login,
                "server wants SCRAM, only a verifier is known, and no client has proven it yet");
  }
  const Bytes end_point = opening_.facts().end_point;
  auto binding = ScramClient::Binding::none;
  std::string_view mechanism = kScramMechanism;
  if (!end_point.empty()) {
    const bool bound = offers(kScramPlusMechanism);
    binding = bound ? ScramClient::Binding::end_point : ScramClient::Binding::not_offered;
    if (bound) mechanism = kScramPlusMechanism;
  }
  if (!offers(mechanism)) {
    return fail(Fault::backend_refused_login, "server does not offer SCRAM-SHA-256");
  }
  scram_.emplace(make_nonce(), binding, end_point);
  const std::string first = scram_->first();
  SaslInitialResponse{mechanism, first}.serialize(outbox_.out());
  sasl_ = Sasl::first_sent;
  return std::nullopt;
}

PostgresBackendLogin::Step PostgresBackendLogin::on_sasl_challenge(const Authentication& message) {
  if (message.data.size() > kMaxSaslLength || !scram_->challenge(text_of(message.data))) {
    return fail(Fault::backend_violation, "malformed SCRAM challenge");
  }
  if (!pass_) {
    phase_ = Phase::derive;
    outbox_.then(Verdict::derive());
    return std::nullopt;
  }
  const ScramVerifier& known = pass_->verifier;
  if (known.salt != scram_->salt() || known.iterations != scram_->iterations()) {
    return fail(Fault::backend_refused_login,
                "server stores another verifier of the password than the one known here");
  }
  prove({pass_->client_key, known.keys.server_key});
  return std::nullopt;
}

KeyDerivation PostgresBackendLogin::derivation() const {
  return {saslprep(as_.password), scram_->salt(), scram_->iterations()};
}

void PostgresBackendLogin::derived(Bytes key) {
  Digest salted{};
  std::copy_n(key.begin(), std::min(key.size(), salted.size()), salted.begin());
  prove(scram_prover(salted));
}

void PostgresBackendLogin::prove(const ScramProver& prover) {
  write_sasl_response(scram_->prove(prover), outbox_.out());
  sasl_ = Sasl::proof_sent;
  phase_ = Phase::authentication;
}

PostgresBackendLogin::Step PostgresBackendLogin::on_error(Bytes visible) {
  const ErrorResponse error = ErrorResponse::parse(visible);
  const std::string words = error.brief();
  secret_refused_ = error.sqlstate == "28P01";
  return fail(fault_of(error), words);
}

PostgresBackendLogin::Step PostgresBackendLogin::on_greeting(char tag, Bytes payload) {
  switch (tag) {
    case 'S': {
      const auto message = ParameterStatus::parse(payload);
      if (!message) return fail(Fault::backend_violation, "malformed ParameterStatus");
      state_->parameters.report(message->name, message->value);
      return std::nullopt;
    }
    case 'K': {
      const auto message = BackendKeyData::parse(payload);
      if (!message) return fail(Fault::backend_violation, "malformed BackendKeyData");
      state_->process_id = message->process_id;
      state_->cancel_key.assign(message->key.begin(), message->key.end());
      return std::nullopt;
    }
    case 'Z': {
      if (payload.size() != 1 || payload[0] != 'I') {
        return fail(Fault::backend_violation, "login ended inside a transaction");
      }
      auto facts = std::make_shared<Facts>();
      for (const Reported& r : state_->parameters.reported()) {
        facts->parameters.emplace_back(r.name, r.value);
      }
      state_->login_facts = std::move(facts);
      state_->parameters.login_finished();
      phase_ = Phase::ended;
      outbox_.then(Verdict::done());
      return std::nullopt;
    }
    default: return fail(Fault::backend_violation, "unexpected message in the greeting");
  }
}

std::unique_ptr<BackendState> PostgresBackendLogin::take_state() { return std::move(state_); }

}  // namespace weirpool::protocol::postgres
