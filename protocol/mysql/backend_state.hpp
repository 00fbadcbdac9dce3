// What weirpool knows about one backend connection through all its leases, and about its server.
#pragma once

#include <memory>
#include <string>

#include "protocol/engine.hpp"
#include "protocol/mysql/handshake_messages.hpp"
#include "protocol/mysql/prepared.hpp"
#include "protocol/mysql/session_state.hpp"

namespace weirpool::protocol::mysql {

/// The greeting of a server, for the greetings of weirpool's clients.
class Facts final : public BackendFacts {
 public:
  std::string version;
  std::string plugin;           ///< the server's default authentication plugin
  std::uint16_t collation = 0;  ///< default of the server, usable as a client's
  std::uint16_t status = 0;
  std::uint64_t capabilities = 0;
  bool ansi_quotes = false;  ///< the server's own sql_mode has ANSI_QUOTES

  bool mariadb() const { return version.find("MariaDB") != std::string::npos; }
};

class ServerState final : public BackendState {
 public:
  /// `max_statements`: prepared ones that are kept.
  ServerState(std::shared_ptr<const Facts> facts, std::uint32_t variant, std::string database,
              std::uint32_t thread_id, std::size_t max_statements = 1);

  std::shared_ptr<const BackendFacts> facts() const override { return facts_; }
  void write_goodbye(Writer& out) const override;
  /// KILL needs a login of its own, so there is no cancel message.
  bool write_cancel(Writer& out) const override;
  std::uint64_t remote_id() const override { return thread_id_; }

  const Facts& server() const { return *facts_; }
  const std::string& login_schema() const { return login_schema_; }
  bool login_multi_statements() const { return login_.multi_statements; }
  /// The schema of the login cannot be had back by any command.
  bool schema_stuck() const { return login_schema_.empty() && !session.schema.empty(); }
  /// What a client has left here can only be got rid of by closing.
  bool beyond_reset() const { return keeps_statements || took_role || schema_stuck(); }

  /// Appends a COM_QUERY of weirpool's own, as this connection wants it.
  void write_query(Writer& out, std::string_view sql) const;
  /// Appends COM_RESET_CONNECTION and what restores the state after login; returns the number of
  /// replies to come. Reset does not change the schema.
  unsigned write_reset(Writer& out) const;
  /// Appends what every backend starts with: session tracking, and settings that a reset would lose
  /// although the handshake made them. Returns the number of replies to come.
  unsigned write_setup(Writer& out) const;
  /// The replies of write_reset() have come.
  void was_reset();

  /// The server says what one of this session's variables is now.
  void note_variable(std::string_view name, std::string_view value) {
    if (name == "sql_mode") ansi_quotes = has_ansi_quotes(value);
  }

  SessionState session;        ///< as it is on the server now
  std::uint16_t status = 0;    ///< of the last reply
  std::uint32_t defaults = 0;  ///< Catalog::defaults() when it logged in, or was reset since
  BackendStatements statements;
  /// As it is now: "x" is an identifier. By the server's default too, which may be another one than
  /// when the clients of this backend logged in.
  bool ansi_quotes = false;
  /// Its bytes travel in compressed frames. They have numbers of their own, which a server's
  /// packets take over in the midst of a reply: the ids of its packets mean nothing.
  bool compressed = false;
  /// MariaDB: a statement without a table leaves the warnings and errors of an earlier one, perhaps
  /// another client's, for SHOW WARNINGS.
  bool warned = false;
  bool took_role = false;         ///< a client has, and no reset gives a role back
  bool keeps_statements = false;  ///< a client has had its texts kept here, to be looked at later

 private:
  std::shared_ptr<const Facts> facts_;
  std::string login_schema_;
  SessionState login_;
  std::uint32_t variant_;
  std::uint32_t thread_id_;
};

}  // namespace weirpool::protocol::mysql
