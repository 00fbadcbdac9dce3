// We are the client towards a backend.
//
//   b->p  greeting
//   p->b  SSLRequest, then TLS              if wanted and offered; required and not offered: close
//   p->b  handshake response
//   b->p  auth switch   p->b  token         any number of plugins we know, one switch
//   b->p  more data     p->b  password      caching_sha2_password and sha256_password: inside TLS,
//                                           or under the server's RSA key where it is allowed
//                                           mysql_clear_password: see allow_cleartext_password
//   b->p  OK                                compression begins, where both want it
//   p->b  SET session tracking   b->p  OK   -> done
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/mysql/auth_native.hpp"
#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/exchange.hpp"

namespace weirpool::protocol::mysql {

class ClientSideLogin final : public BackendLogin {
 public:
  /// `max_statements`: prepared ones that the backend keeps, with `room` for all of its server's;
  /// `defaults`: Catalog::defaults() now.
  explicit ClientSideLogin(BackendIdentity as, std::size_t max_statements = 1,
                           std::uint32_t defaults = 0,
                           std::shared_ptr<StatementRoom> room = nullptr);
  ~ClientSideLogin() override;

  Verdict step(Party from, MutableBytes unread) override;
  KeyDerivation derivation() const override { return {}; }
  void derived(Bytes /*key*/) override {}  // this protocol hashes cheaply and never says derive
  void tls_established(const TlsFacts& facts) override;
  std::unique_ptr<Codec> take_codec() override;
  std::unique_ptr<BackendState> take_state() override;
  std::string_view error() const override { return error_; }
  bool secret_refused() const override { return secret_refused_; }

 private:
  enum class Phase : std::uint8_t {
    greeting,
    send_tls,
    start_tls,
    starting_tls,  ///< waiting for tls_established()
    send_response,
    authentication,  ///< switch, more data, OK or ERR to come
    send_reply,      ///< reply_ to be sent
    start_codec,
    setup,
    done,
    failed,
  };

  Verdict receive(MutableBytes unread);
  std::uint64_t asked(bool tls) const;
  Verdict set_up(Party from, MutableBytes unread);
  void accept(Bytes payload);
  void accept_greeting(Bytes payload);
  void accept_error(Bytes payload);
  void accept_switch(Bytes payload);
  void accept_more_data(Bytes payload);
  void accept_ok(Bytes payload);
  bool make_token(Bytes challenge);
  void make_native_token();
  bool refuse_to_pass_on();
  bool make_secret();
  void fail(Fault fault, std::string_view why);
  Verdict send(Phase next);
  void write_response();

  BackendIdentity as_;
  std::optional<Sha1Digest> key_;  ///< stands for as_.password; wiped
  bool only_verifier_ = false;     ///< as_.password is none, and nothing stands for it
  std::size_t max_statements_;
  std::uint32_t defaults_;
  std::shared_ptr<StatementRoom> room_;
  Phase phase_ = Phase::greeting;
  bool tls_ = false;
  bool switched_ = false;
  bool key_asked_ = false;
  bool secret_refused_ = false;
  Fault fault_ = Fault::none;
  std::uint8_t sequence_ = 0;  ///< of the next packet, whoever sends it
  std::uint32_t thread_id_ = 0;
  Scramble scramble_{};
  std::string plugin_;
  std::string reply_;  ///< the next thing said in the authentication; wiped
  std::string error_;
  std::shared_ptr<Facts> facts_;
  std::unique_ptr<ServerState> state_;
  std::unique_ptr<Exchange> setup_;
  PacketCollector packet_;
  Writer out_;
};

}  // namespace weirpool::protocol::mysql
