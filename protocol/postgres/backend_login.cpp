#include "protocol/postgres/backend_login.hpp"

#include <algorithm>
#include <utility>

#include "protocol/postgres/md5.hpp"
#include "protocol/postgres/query_messages.hpp"
#include "protocol/postgres/startup_messages.hpp"

namespace weirpool::protocol::postgres {
namespace {

/// Of a whole login: notices and parameters included. A real one has about 20.
constexpr std::uint32_t kMaxLoginMessages = 1000;
constexpr std::size_t kMaxErrorText = 512;  // bytes kept for the log

}  // namespace

PostgresBackendLogin::PostgresBackendLogin(const BackendIdentity& as, CatalogRef catalog)
    : as_(as),
      more_(catalog->replication.parameters_of(as.variant)),
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
    case Phase::begin:
      if (as_.tls_wanted) {
        write_ssl_request(outbox_.out());
        phase_ = Phase::ssl_answer;
      } else {
        write_startup();
      }
      return std::nullopt;
    case Phase::ssl_answer: return on_ssl_answer(unread);
    case Phase::authentication:
    case Phase::greeting: return on_bytes(unread);
    case Phase::tls:
    case Phase::derive:
    case Phase::ended: break;
  }
  return Verdict::hold();
}

void PostgresBackendLogin::write_startup() {
  StartupMessage message;
  message.version = kProtocol30;
  message.parameters = {{"user", as_.user}, {"database", as_.database}};
  if (!as_.options.empty()) message.parameters.emplace_back("options", as_.options);
  message.parameters.insert(message.parameters.end(), more_.begin(), more_.end());
  message.serialize(outbox_.out());
  phase_ = Phase::authentication;
}

PostgresBackendLogin::Step PostgresBackendLogin::on_ssl_answer(MutableBytes unread) {
  if (unread.empty()) return Verdict::need(1);
  const char answer = static_cast<char>(unread[0]);
  if (answer != 'S' && answer != 'N') {
    // Whatever stands here has not been authenticated: it is not repeated to anybody.
    return fail(Fault::backend_unavailable, "unexpected answer to SSLRequest");
  }
  // Bytes behind the answer would be taken for the first ones inside TLS, or for the beginning of
  // a login that nobody has asked for yet.
  if (unread.size() > 1) return fail(Fault::backend_violation, "data behind the SSL answer");
  outbox_.skip(1);
  if (answer == 'S') {
    phase_ = Phase::tls;
    outbox_.then(Verdict::start_tls());
    return std::nullopt;
  }
  if (as_.tls_required) return fail(Fault::backend_unavailable, "server does not support TLS");
  write_startup();
  return std::nullopt;
}

void PostgresBackendLogin::tls_established() {
  tls_ = true;
  write_startup();
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
  if (tag != 'R') return fail(Fault::backend_violation, "unexpected message before authentication");
  return on_authentication(payload);
}

PostgresBackendLogin::Step PostgresBackendLogin::on_authentication(Bytes payload) {
  const auto message = Authentication::parse(payload);
  if (!message) return fail(Fault::backend_violation, "malformed authentication request");
  switch (message->kind) {
    case AuthKind::ok:
      if (sasl_ != Sasl::none && sasl_ != Sasl::verified) {
        return fail(Fault::backend_violation, "server did not prove that it knows the password");
      }
      phase_ = Phase::greeting;
      return std::nullopt;
    case AuthKind::cleartext:
      if (!tls_) {
        return fail(Fault::backend_refused_login, "server wants the password without TLS");
      }
      PasswordMessage{as_.password}.serialize(outbox_.out());
      return std::nullopt;
    case AuthKind::md5: {
      const std::string verifier =
          is_md5_verifier(as_.password) ? as_.password : md5_verifier(as_.user, as_.password);
      const std::string response = md5_response(verifier, message->data);
      PasswordMessage{response}.serialize(outbox_.out());
      return std::nullopt;
    }
    case AuthKind::sasl:
    case AuthKind::sasl_continue:
    case AuthKind::sasl_final: return on_sasl(*message);
  }
  return fail(Fault::backend_refused_login, "server wants an unsupported authentication method");
}

PostgresBackendLogin::Step PostgresBackendLogin::on_sasl(const Authentication& message) {
  if (message.kind == AuthKind::sasl && sasl_ == Sasl::none) {
    const auto& offered = message.mechanisms;
    if (std::find(offered.begin(), offered.end(), kScramMechanism) == offered.end()) {
      return fail(Fault::backend_refused_login, "server does not offer SCRAM-SHA-256");
    }
    scram_.emplace(make_nonce());
    const std::string first = scram_->first();
    SaslInitialResponse{kScramMechanism, first}.serialize(outbox_.out());
    sasl_ = Sasl::first_sent;
    return std::nullopt;
  }
  if (message.kind == AuthKind::sasl_continue && sasl_ == Sasl::first_sent) {
    if (message.data.size() > kMaxSaslLength || !scram_->challenge(text_of(message.data))) {
      return fail(Fault::backend_violation, "malformed SCRAM challenge");
    }
    derivation_ = {saslprep(as_.password), scram_->salt(), scram_->iterations()};
    phase_ = Phase::derive;
    outbox_.then(Verdict::look_up());
    return std::nullopt;
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

void PostgresBackendLogin::derived(Bytes key) {
  Digest salted{};
  std::copy_n(key.begin(), std::min(key.size(), salted.size()), salted.begin());
  write_sasl_response(scram_->prove(salted), outbox_.out());
  sasl_ = Sasl::proof_sent;
  phase_ = Phase::authentication;
}

PostgresBackendLogin::Step PostgresBackendLogin::on_error(Bytes visible) {
  const ErrorResponse error = ErrorResponse::parse(visible);
  std::string words(error.sqlstate);
  words.append(": ").append(error.message.substr(0, kMaxErrorText));
  Fault fault = Fault::backend_unavailable;
  if (error.sqlstate == "3D000") fault = Fault::unknown_database;
  if (error.sqlstate == "53300") fault = Fault::backend_full;
  if (error.sqlstate.starts_with("28")) fault = Fault::backend_refused_login;
  return fail(fault, words);
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
