// The login to a backend: weirpool is the client.
//
//   weirpool                         backend
//   (TLS, see tls_opening.hpp)
//   StartupMessage             ->
//                              <-    NegotiateProtocolVersion?
//                              <-    AuthenticationSASL | MD5Password | CleartextPassword | Ok
//   SASL exchange, or password ->
//                              <-    AuthenticationOk ParameterStatus* BackendKeyData?
//                              <-    ReadyForQuery
//
// PostgreSQL documentation, 55.2.1.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/engine.hpp"
#include "protocol/postgres/auth_messages.hpp"
#include "protocol/postgres/backend_state.hpp"
#include "protocol/postgres/catalog.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/scram.hpp"
#include "protocol/postgres/tls_opening.hpp"

namespace weirpool::protocol::postgres {

class PostgresBackendLogin final : public BackendLogin {
 public:
  PostgresBackendLogin(const BackendIdentity& as, const CatalogRef& catalog);

  Verdict step(Party from, MutableBytes unread) override;
  KeyDerivation derivation() const override;
  void derived(Bytes key) override;
  void tls_established(const TlsFacts& facts) override { opening_.established(facts); }
  std::unique_ptr<BackendState> take_state() override;
  std::string_view error() const override { return error_; }
  bool secret_refused() const override { return secret_refused_; }

 private:
  enum class Phase : std::uint8_t {
    opening,
    authentication,  ///< before AuthenticationOk
    derive,
    greeting,  ///< after it, until ReadyForQuery
    ended,
  };
  enum class Sasl : std::uint8_t { none, first_sent, proof_sent, verified };

  /// No value: something has been put into outbox_, or the phase has changed.
  using Step = std::optional<Verdict>;

  Step advance(MutableBytes unread);
  Step on_bytes(MutableBytes unread);
  Step on_message(char tag, Bytes payload);
  Step on_authentication(Bytes payload);
  Step on_negotiation(Bytes payload);
  Step on_password_request(const Authentication& message);
  Step on_sasl(const Authentication& message);
  Step on_sasl_offer(const Authentication& message);
  Step on_sasl_challenge(const Authentication& message);
  void prove(const ScramProver& prover);
  Step on_error(Bytes visible);
  Step on_greeting(char tag, Bytes payload);
  void write_startup();
  Step fail(Fault fault, std::string_view why);

  BackendIdentity as_;
  std::vector<NamedValue> more_;  ///< further startup parameters
  TlsOpening opening_;
  std::optional<ScramPass> pass_;  ///< what as_.password is, if it is one
  Phase phase_ = Phase::opening;
  Sasl sasl_ = Sasl::none;
  bool negotiated_ = false;
  std::uint32_t asked_for_ = 0;  ///< authentication requests so far
  Gather gather_;
  std::optional<ScramClient> scram_;
  Outbox outbox_{Party::backend};
  std::string error_;
  bool secret_refused_ = false;
  std::uint32_t messages_ = 0;
  std::unique_ptr<Backend> state_;
};

}  // namespace weirpool::protocol::postgres
