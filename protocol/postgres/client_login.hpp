// The login of a client: weirpool is the server.
//
//   client                           weirpool
//   SSLRequest                 ->
//                              <-    'S' and TLS, or 'N'       (or TLS from the first byte on)
//   GSSENCRequest              ->
//                              <-    'N'
//   StartupMessage             ->    NegotiateProtocolVersion where more than 3.2 was asked for
//                              <-    what client_proof.hpp shows
//                                    (learn: what would a backend have said?)
//                              <-    AuthenticationOk ParameterStatus* BackendKeyData ReadyForQuery
//
// CancelRequest may stand where StartupMessage does. Unknown users go through the same messages as
// known ones. PostgreSQL documentation, 55.2.1.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/postgres/backend_state.hpp"
#include "protocol/postgres/catalog.hpp"
#include "protocol/postgres/client_proof.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/startup_messages.hpp"

namespace weirpool::protocol::postgres {

class PostgresClientLogin final : public ClientLogin {
 public:
  PostgresClientLogin(const LoginContext& context, CatalogRef catalog)
      : context_(context), catalog_(std::move(catalog)) {}

  Verdict step(Party from, MutableBytes unread) override;
  const Identity& identity() const override { return identity_; }
  void answer(const Account& account) override;
  KeyDerivation derivation() const override { return proof_->derivation(); }
  void derived(Bytes key) override;
  std::optional<Revealed> revealed() const override { return proof_->revealed(); }
  void learned(std::shared_ptr<const BackendFacts> facts, Fault why,
               std::string_view detail) override;
  void tls_established(const TlsFacts& facts) override;
  /// Protocol 3.0 has room for 4 bytes.
  std::size_t cancel_key_size() const override {
    return version_ < kProtocol32 ? 4 : context_.cancel_key.size();
  }
  void write_fault(Fault fault, std::string_view detail, Writer& out) override;
  std::unique_ptr<Conversation> take_conversation() override;

 private:
  enum class Phase : std::uint8_t {
    startup,
    tls,
    look_up,
    proof,
    derive,
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
  void follow(ClientProof::Outcome outcome);
  void greet(const Facts& facts);
  Step close(Fault fault);

  LoginContext context_;
  CatalogRef catalog_;
  Phase phase_ = Phase::startup;
  bool tls_ = false;
  bool asked_tls_ = false;
  bool asked_gss_ = false;
  bool direct_ = false;  ///< TLS was there from the first byte on
  std::vector<std::uint8_t> end_point_;
  std::uint32_t version_ = kProtocol30;
  Identity identity_;
  std::vector<NamedValue> wanted_;        ///< session parameters of the startup message
  std::string replication_;               ///< as the client asked for it; empty: a normal session
  ReplicationStartups::Variant variant_;  ///< of identity_
  Gather gather_;

  std::optional<ClientProof> proof_;
  Outbox outbox_{Party::client};
  std::vector<std::uint8_t> cancel_;
};

}  // namespace weirpool::protocol::postgres
