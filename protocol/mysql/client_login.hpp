// We are the server towards a client, without needing a backend of our own for it.
//
//   (learn)  p->c  greeting
//   c->p  SSLRequest, then TLS        optional
//   c->p  handshake response
//   the proof of the password, see ClientProof   -> look_up
//   (learn: this pool)  p->c  OK                 -> done
//
// The same for a client of a conversation that sends COM_CHANGE_USER:
//   c->p  COM_CHANGE_USER   the proof   (learn)  p->c  OK   -> done
// Unknown users walk the same path and end like a wrong password.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/client_proof.hpp"
#include "protocol/mysql/conversation.hpp"
#include "protocol/mysql/exchange.hpp"

namespace weirpool::protocol::mysql {

/// The longest packet of a client that is not logged in, payload bytes: an access token of 64 KiB
/// in the place of a password, and what stands around it.
inline constexpr std::size_t kMaxLoginPacket = 68 * 1024;

class ServerSideLogin final : public ClientLogin {
 public:
  ServerSideLogin(const LoginContext& context, std::shared_ptr<Catalog> catalog);
  /// The client of a conversation wants to be somebody else; its command is the first thing unread.
  explicit ServerSideLogin(const ConversationStart& again);

  Verdict step(Party from, MutableBytes unread) override;
  const Identity& identity() const override { return identity_; }
  void answer(const Account& account) override;
  KeyDerivation derivation() const override { return proof_.derivation(); }
  void derived(Bytes key) override { proof_.derived(key); }
  std::optional<Revealed> revealed() const override { return proof_.revealed(); }
  void learned(std::shared_ptr<const BackendFacts> facts, Fault why,
               std::string_view detail) override;
  void tls_established(const TlsFacts& facts) override;
  void write_fault(Fault fault, std::string_view detail, Writer& out) override;
  std::unique_ptr<Codec> take_codec() override;
  std::unique_ptr<Conversation> take_conversation() override;

 private:
  enum class Phase : std::uint8_t {
    facts,     ///< waiting for learned()
    greet,     ///< greeting to be sent
    response,  ///< SSLRequest or handshake response to come
    start_tls,
    starting_tls,  ///< waiting for tls_established()
    change_user,   ///< COM_CHANGE_USER to come
    proof,         ///< see ClientProof
    pool,          ///< ask for the facts of the client's own pool
    pool_facts,    ///< waiting for learned()
    welcome,       ///< OK to be sent
    done,
    failed,
  };

  Verdict receive(MutableBytes unread);
  void accept(Bytes payload);
  void accept_response(Bytes payload);
  void accept_change(Bytes payload);
  void identify(std::string_view user, std::string_view database, Bytes attributes);
  Verdict prove(MutableBytes unread);
  std::uint64_t offered() const;
  void fail(Fault fault);
  Verdict send_greeting();
  Verdict welcome();
  Verdict send_packet(std::size_t at);

  LoginContext context_;
  std::shared_ptr<Catalog> catalog_;
  Phase phase_ = Phase::facts;
  bool tls_ = false;
  bool again_ = false;  ///< a login in the middle of a session
  Fault fault_ = Fault::none;
  std::uint8_t sequence_ = 0;  ///< of the next packet of ours
  std::uint16_t collation_ = 0;
  std::uint8_t zstd_level_ = 0;
  std::uint64_t capabilities_ = 0;
  Scramble scramble_{};
  Identity identity_;
  std::string detail_;
  ClientProof proof_;
  std::shared_ptr<const Facts> facts_;
  PacketCollector packet_;
  Writer out_;
};

}  // namespace weirpool::protocol::mysql
