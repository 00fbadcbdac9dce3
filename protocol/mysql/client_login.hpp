// We are the server towards a client, without needing a backend of our own for it.
//
//   (learn)  p->c  greeting
//   c->p  SSLRequest, then TLS        optional
//   c->p  handshake response          -> look_up
//   p->c  auth switch   c->p  token   if the client's plugin is none we can check
//   caching_sha2_password: p->c fast ok, or p->c full, then the password inside TLS or under our
//   key (learn: this pool)  p->c  OK      -> done
// Unknown users walk the same path and end like a wrong password.
#pragma once

#include <memory>
#include <string>

#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/credentials.hpp"
#include "protocol/mysql/exchange.hpp"

namespace weirpool::protocol::mysql {

/// The longest packet of a client that is not logged in, payload bytes.
inline constexpr std::size_t kMaxLoginPacket = 64 * 1024;

class ServerSideLogin final : public ClientLogin {
 public:
  ServerSideLogin(const LoginContext& context, std::uint32_t max_statements);

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
    facts,     ///< waiting for learned()
    greet,     ///< greeting to be sent
    response,  ///< SSLRequest or handshake response to come
    start_tls,
    starting_tls,  ///< waiting for tls_established()
    look_up,
    looking_up,  ///< waiting for answer()
    check,       ///< token at hand
    send_switch,
    token,  ///< answer to the auth switch to come
    send_fast_ok,
    send_full,
    secret,  ///< password, key request or ciphertext to come
    send_key,
    pool,        ///< ask for the facts of the client's own pool
    pool_facts,  ///< waiting for learned()
    welcome,     ///< OK to be sent
    done,
    failed,
  };

  Verdict receive(MutableBytes unread);
  void accept(Bytes payload);
  void accept_response(Bytes payload);
  void accept_secret(Bytes payload);
  void check();
  void fail(Fault fault);
  std::string_view greeted_plugin() const;
  Verdict send_greeting();
  Verdict send_packet(Phase next);

  LoginContext context_;
  std::uint32_t max_statements_;
  Phase phase_ = Phase::facts;
  bool tls_ = false;
  bool sha2_ = false;  ///< the plugin that is being checked is caching_sha2_password
  Fault fault_ = Fault::none;
  std::uint8_t sequence_ = 0;  ///< of the next packet of ours
  std::uint8_t collation_ = 0;
  std::uint32_t capabilities_ = 0;
  Scramble scramble_{};
  Identity identity_;
  std::string detail_;
  std::string token_;
  std::shared_ptr<const Facts> facts_;
  std::shared_ptr<const Credentials> credentials_;
  PacketCollector packet_;
  Writer out_;
};

}  // namespace weirpool::protocol::mysql
