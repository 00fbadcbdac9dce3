// What is known about one PostgreSQL backend connection from its login to its end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/postgres/parameters.hpp"
#include "protocol/postgres/prepared.hpp"
#include "protocol/postgres/reply_queue.hpp"
#include "protocol/postgres/sql_statements.hpp"

namespace weirpool::protocol::postgres {

/// The parameters a fresh backend reported, in its order and spelling.
class Facts final : public BackendFacts {
 public:
  std::vector<NamedValue> parameters;
};

/// Used by one thread at a time, like the connection it belongs to.
class Backend final : public BackendState {
 public:
  explicit Backend(std::size_t max_prepared_statements) : statements(max_prepared_statements) {}

  std::shared_ptr<const BackendFacts> facts() const override { return login_facts; }
  void write_goodbye(Writer& out) const override;
  /// False for servers that sent no key.
  bool write_cancel(Writer& out) const override;
  std::uint64_t remote_id() const override { return process_id; }

  /// DISCARD ALL has been executed.
  void discarded();

  std::uint32_t process_id = 0;
  std::vector<std::uint8_t> cancel_key;  ///< 4 to 256 bytes, or none
  std::shared_ptr<const Facts> login_facts;
  BackendParameters parameters;
  BackendStatements statements;
  SqlStatementsRef sql_statements;  ///< prepared in SQL by its last client; null: none
  ReplyQueue::Storage replies;      ///< lent to whoever the backend is lent to
  std::vector<std::uint8_t> sent;   ///< of the batch that may have to be sent once more
  Effects left_behind = 0;          ///< state of its last client, for the reset
  StatementRef unnamed;             ///< the unnamed statement this backend has; null: none
  bool unnamed_certain = true;      ///< false: it may have another one than `unnamed` says
};

}  // namespace weirpool::protocol::postgres
