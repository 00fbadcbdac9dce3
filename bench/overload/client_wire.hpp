// One connection of a client, as bytes: the login of the program's own backend side, then one
// simple query after another.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/engine.hpp"

namespace weirpool::bench {

enum class Dialect : std::uint8_t { postgresql, mysql };

struct Account {
  Dialect dialect = Dialect::postgresql;
  std::string user;
  std::string password;
  std::string database;
};

class ClientWire {
 public:
  enum class State : std::uint8_t {
    login,
    start_tls,  ///< tls_started() follows
    idle,
    waiting,  ///< for the answer to a query
    answered,
    refused,  ///< by an error; the connection goes on
    broken,
  };

  ClientWire(const Account& account, bool tls);

  /// Takes what it understands from the front of `unread`; `out` is to be sent.
  State step(std::string& unread, std::string& out);
  void tls_started() { login_->tls_established({}); }
  void query(std::string_view text, std::string& out);
  /// Why the login has failed, if it has been told.
  std::string error() const { return login_ ? std::string(login_->error()) : std::string(); }

 private:
  State log_in(std::string& unread, std::string& out);
  bool postgres_answer(std::string& unread);
  bool mysql_answer(std::string& unread);

  Dialect dialect_;
  std::unique_ptr<protocol::BackendLogin> login_;
  State state_ = State::login;
  bool error_ = false;
  std::uint64_t packets_ = 0;  ///< MySQL: of this answer
};

}  // namespace weirpool::bench
