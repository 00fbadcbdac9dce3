// Stands in for the backend of a transaction that was lost with it, until the client has ended the
// transaction. What the client hears is what the database server says in a failed transaction:
//
//   lost under a statement   its answer so far, ErrorResponse 40001, ReadyForQuery 'E'
//   lost while it was idle   the same as the answer to whatever comes next; COMMIT fails for good
//   anything                 ErrorResponse 25P02, ReadyForQuery 'E'
//   ROLLBACK, and COMMIT     CommandComplete "ROLLBACK", ReadyForQuery 'I': over
//
// Both as simple queries and through prepared statements, since drivers do either.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/postgres/catalog.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/prepared.hpp"
#include "protocol/postgres/transaction_text.hpp"

namespace weirpool::protocol::postgres {

class LostTransaction {
 public:
  using Step = std::optional<Verdict>;

  /// What the client has heard when the backend goes.
  enum class Heard : std::uint8_t {
    nothing,         ///< it waits for no answer
    part_of_query,   ///< it waits for a ReadyForQuery
    part_of_batch,   ///< it waits for answers and has not sent Sync
    error_in_batch,  ///< an error; it has not sent Sync
    error,           ///< an error; it waits for no answer
  };

  /// `meaning` of what the client prepares meanwhile, as its session has it.
  LostTransaction(Heard heard, CatalogRef catalog, std::string meaning)
      : catalog_(std::move(catalog)), meaning_(std::move(meaning)), heard_(heard) {}

  /// The client has ended it: everything goes its usual way again.
  bool over() const { return over_; }
  /// One message of the client, or what is to be said before. No value: look into `out`.
  Step step(Bytes unread, Outbox& out, ClientStatements& statements);

 private:
  Step message(const Header& header, Bytes unread, Outbox& out, ClientStatements& statements);
  void fail(Outbox& out);
  void fail_batch(Outbox& out);
  void on_query(std::string_view text, Outbox& out);
  void on_parse(Bytes message, bool whole, Outbox& out, ClientStatements& statements);
  void on_bind(Bytes message, Outbox& out, const ClientStatements& statements);
  void on_describe(Bytes message, Outbox& out, const ClientStatements& statements);
  void on_execute(Outbox& out);
  void on_close(Bytes message, Outbox& out, ClientStatements& statements);
  Ending ending_of_statement(std::string_view name, const ClientStatements& statements) const;

  CatalogRef catalog_;
  std::string meaning_;
  Heard heard_;
  Ending unnamed_ = Ending::none;  ///< of the unnamed statement parsed since
  Ending portal_ = Ending::none;   ///< of what was bound last
  bool skipping_ = false;          ///< up to Sync
  bool over_ = false;
  bool over_at_sync_ = false;
};

}  // namespace weirpool::protocol::postgres
