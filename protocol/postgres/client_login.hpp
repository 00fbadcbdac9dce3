// The login of a client: weirpool is the server.
//
//   client                           weirpool
//   SSLRequest                 ->
//                              <-    'S' and TLS, or 'N'
//   GSSENCRequest              ->
//                              <-    'N'
//   StartupMessage             ->    NegotiateProtocolVersion where 3.0 is not what was asked for
//                              <-    AuthenticationSASL | AuthenticationMD5Password
//   SASL exchange, or password ->
//                                    (learn: what would a backend have said?)
//                              <-    AuthenticationOk ParameterStatus* BackendKeyData ReadyForQuery
//
// CancelRequest may stand where StartupMessage does. Unknown users go through the same messages as
// known ones. PostgreSQL documentation, 55.2.1.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/postgres/backend_state.hpp"
#include "protocol/postgres/catalog.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/secret.hpp"

namespace weirpool::protocol::postgres {

class PostgresClientLogin final : public ClientLogin {
 public:
  PostgresClientLogin(const LoginContext& context, CatalogRef catalog)
      : context_(context), catalog_(std::move(catalog)) {}

  Verdict step(Party from, MutableBytes unread) override;
  const Identity& identity() const override { return identity_; }
  void answer(std::shared_ptr<const PreparedSecret> secret) override;
  void learned(std::shared_ptr<const BackendFacts> facts, Fault why,
               std::string_view detail) override;
  void tls_established() override;
  void write_fault(Fault fault, std::string_view detail, Writer& out) override;
  std::unique_ptr<Conversation> take_conversation() override;

 private:
  enum class Phase : std::uint8_t {
    startup,
    tls,
    look_up,
    md5,
    sasl_initial,
    sasl_response,
    learn,
    ended,
  };

  /// No value: something has been put into outbox_, or the phase has changed.
  using Step = std::optional<Verdict>;

  bool choose_backends();
  Step advance(MutableBytes unread);
  Step on_startup_bytes(MutableBytes unread);
  Step on_packet(Bytes packet, bool more_behind);
  Step on_ssl_request(bool more_behind);
  Step on_startup(Bytes packet);
  std::optional<Fault> take_parameters(
      const std::vector<std::pair<std::string_view, std::string_view>>& parameters);
  std::optional<Fault> take_parameter(std::string_view name, std::string_view value);
  Step on_password_bytes(MutableBytes unread);
  Step on_md5(Bytes payload);
  Step on_sasl_initial(Bytes payload);
  Step on_sasl_response(Bytes payload);
  void greet(const Facts& facts);
  Step close(Fault fault);

  LoginContext context_;
  CatalogRef catalog_;
  Phase phase_ = Phase::startup;
  bool tls_ = false;
  bool asked_tls_ = false;
  bool asked_gss_ = false;
  Identity identity_;
  std::vector<NamedValue> wanted_;  ///< session parameters of the startup message
  std::string replication_;         ///< as the client asked for it; empty: a normal session
  Gather gather_;

  std::shared_ptr<const Secret> secret_;
  ScramVerifier mock_;
  std::array<std::uint8_t, 4> md5_salt_{};
  std::optional<ScramServer> scram_;

  Outbox outbox_{Party::client};
  std::vector<std::uint8_t> cancel_;
};

}  // namespace weirpool::protocol::postgres
