// Prepared statements shared by clients. A statement is its text and parameter types, byte for
// byte, and those parameters of the session that may change what they mean; it has one name on all
// backends, which is never used for another. Clients keep their own names for it, backends a
// bounded set of those they know.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol/bytes.hpp"
#include "protocol/interner.hpp"
#include "protocol/postgres/session_text.hpp"

namespace weirpool::protocol::postgres {

/// Names weirpool gives begin like this and go on with digits.
inline constexpr std::string_view kStatementPrefix = "weirpool_";

struct Statement {
  std::string both;  ///< body and meaning; a body tells its own length
  std::size_t body_size = 0;
  std::string backend_name;  ///< empty: an unnamed statement
  TextEffects effects;       ///< of executing it

  /// Text, zero byte, parameter types: all of Parse behind the name.
  std::string_view body() const { return std::string_view(both).substr(0, body_size); }
  /// Profile::meaning() of the sessions in which it was parsed, or something of one client's own.
  std::string_view meaning() const { return std::string_view(both).substr(body_size); }
  std::string_view key() const { return both; }
};

using StatementRef = std::shared_ptr<const Statement>;

/// All named statements any client or backend of this process knows. Thread-safe.
class StatementCatalog {
 public:
  /// `body` and `text` as in ParseMessage, read by the server as `strings` says.
  StatementRef named(Bytes body, std::string_view text, std::string_view meaning, Strings strings);
  /// `statement` with another meaning.
  StatementRef renamed(const Statement& statement, std::string_view meaning);
  std::size_t size() const { return statements_->size(); }

 private:
  std::string fresh_name();

  std::shared_ptr<Interner<Statement>> statements_ = std::make_shared<Interner<Statement>>();
  std::atomic<std::uint64_t> next_{1};
};

/// An unnamed statement, which belongs to one client.
StatementRef unnamed_statement(Bytes body, TextEffects effects);

/// `text` without a comment at its end, where tracing puts what is different each time. The rest
/// stays where it is, so that errors point at the same place. Hints ("/*+") are no such comments.
std::string_view without_last_comment(std::string_view text, Strings strings);

/// `name`, if it cannot be taken for one of weirpool's own; otherwise something no backend knows.
std::string foreign_name(std::string_view name);

/// What one client has named.
using ClientStatements = std::map<std::string, StatementRef, std::less<>>;

/// What one backend knows, least recently used first.
class BackendStatements {
 public:
  /// `limit` at least 1.
  explicit BackendStatements(std::size_t limit) : limit_(limit < 1 ? 1 : limit) {}

  /// Also marks it as used now.
  bool has(const Statement& statement);
  /// Makes room for one more: the statement to close on the backend, if any.
  std::optional<StatementRef> evict_for_one_more();
  void add(StatementRef statement);
  void erase(const Statement& statement);
  void clear();
  std::size_t size() const { return order_.size(); }

 private:
  std::size_t limit_;
  std::list<StatementRef> order_;
  std::unordered_map<const Statement*, std::list<StatementRef>::iterator> index_;
};

}  // namespace weirpool::protocol::postgres
