// The part of a login in which a client proves that it knows its password, by whatever plugin it
// names. Payloads only: framing and sequence ids belong to the login around it.
//
//   any plugin weirpool cannot check here   p->c  auth switch   c->p  token
//   ... or not for this user                the same, once the user has been looked up
//   mysql_native_password   c->p  token
//   caching_sha2_password   c->p  token     p->c  fast ok, or p->c  full, then the secret
//   sha256_password         the secret itself, or c->p  key request
//   mysql_clear_password    c->p  password\0                      inside TLS only
//   secret                  c->p  password\0 inside TLS; otherwise c->p  key request, p->c  our
//   key,
//                           c->p  the password under our key
//
// There is one challenge for the whole connection, its later changes of user included: some client
// libraries answer the one of the greeting whatever a switch says, others the latest they have
// heard.
//
// A user that does not exist walks the same path and ends like a wrong password. A password in the
// clear is neither asked for nor looked at outside TLS.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/mysql/credentials.hpp"
#include "protocol/mysql/handshake_messages.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::mysql {

class ClientProof {
 public:
  ~ClientProof();

  /// Who has the next turn.
  enum class Turn : std::uint8_t {
    client,    ///< accept() its next packet
    weirpool,  ///< write() the next packet
    look_up,   ///< answer() with what is known about the user
    derive,    ///< derived() with what derivation() asks for
    proven,
    denied,
    violation,
  };

  /// `tls`: the client's bytes are encrypted. `switches`: it can be asked to use another plugin.
  /// `greeted`: the plugin the greeting named, which any client is switched to that named one we do
  /// not know. `scramble`: the challenge in the greeting.
  void begin(bool tls, bool switches, std::string_view greeted, const Scramble& scramble) {
    tls_ = tls;
    switches_ = switches;
    scramble_ = scramble;
    greeted_ = plugin_of(greeted) == Plugin::caching_sha2 ? Plugin::caching_sha2 : Plugin::native;
  }

  /// A handshake response: the plugin it names, and its token.
  void handshake(std::string_view plugin, Bytes token);
  /// COM_CHANGE_USER: the same, and without a token the client waits for the challenge.
  void change_user(std::string_view plugin, Bytes token);

  Turn turn() const;
  void accept(Bytes payload);
  /// `credentials` null: there is no such user; whom it is to look like, may be null too.
  void answer(std::shared_ptr<const Credentials> credentials, const Credentials* like);
  KeyDerivation derivation() const { return credentials_->derivation(candidate_, claimed_); }
  void derived(Bytes key);
  void write(Writer& out);
  /// For "using password: YES": the client has given one.
  bool with_password() const { return with_password_; }
  const std::optional<Revealed>& revealed() const { return revealed_; }

 private:
  enum class Plugin : std::uint8_t { native, caching_sha2, sha256, clear, unknown };
  enum class Stage : std::uint8_t {
    send_switch,
    token,    ///< answer to the switch to come
    look_up,  ///< token at hand
    send_fast_ok,
    send_full,
    secret,  ///< password, key request or ciphertext to come
    send_key,
    derive,
    proven,
    denied,
    violation,
  };

  static Plugin plugin_of(std::string_view name);
  static std::string_view name_of(Plugin plugin);
  bool checkable(Plugin plugin) const;
  void take_token(Bytes token);
  void take_secret(Bytes payload);
  void check_token(Bytes token);
  void check_password(std::string password);
  void conclude(Credentials::Finding finding);

  bool tls_ = false;
  bool switches_ = false;
  bool with_password_ = false;
  Plugin greeted_ = Plugin::caching_sha2;
  Plugin plugin_ = Plugin::native;
  Stage stage_ = Stage::token;
  Scramble scramble_{};
  std::string token_;    ///< of the proof at hand; wiped when it has been looked at
  std::string claimed_;  ///< the password that keys are derived from; wiped
  std::size_t candidate_ = 0;
  std::optional<Revealed> revealed_;
  std::shared_ptr<const Credentials> credentials_;
};

}  // namespace weirpool::protocol::mysql
