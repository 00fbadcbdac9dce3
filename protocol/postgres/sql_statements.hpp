// Statements that clients prepare in SQL (PREPARE name AS ...). Their names are the session's, so
// they cannot be shared as those of the protocol are (prepared.hpp); they follow the client as its
// parameters do. A client has a set of them, a backend has one, and before a client's first
// statement the difference is brought about. Equal sets are the same pointer and cost nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/interner.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::postgres {

/// The most a client may have, statements and bytes of names and texts, and still be followed.
inline constexpr std::size_t kMaxSqlStatements = 64;
inline constexpr std::size_t kMaxSqlBytes = 32768;

struct SqlStatement {
  std::string name;  ///< ASCII
  std::string text;  ///< the whole PREPARE statement, as the client has sent it

  bool operator==(const SqlStatement&) const = default;
};

class SqlStatements {
 public:
  /// `meaning`: Profile::meaning() of the sessions in which all of them were prepared. Each name is
  /// there once.
  SqlStatements(std::string_view meaning, std::vector<SqlStatement> entries);

  const std::vector<SqlStatement>& entries() const { return entries_; }
  std::string_view meaning() const { return meaning_; }
  /// Null: there is none of this name.
  const SqlStatement* find(std::string_view name) const;
  bool has(const SqlStatement& statement) const;
  std::string_view key() const { return key_; }

 private:
  std::vector<SqlStatement> entries_;  ///< by name
  std::string meaning_;
  std::string key_;
};

/// Null: none at all.
using SqlStatementsRef = std::shared_ptr<const SqlStatements>;

/// All sets of this process. Thread-safe.
class SqlStatementsCatalog {
 public:
  SqlStatementsRef of(std::string_view meaning, std::vector<SqlStatement> entries);
  /// The same statements with another meaning.
  SqlStatementsRef with_meaning(const SqlStatementsRef& set, std::string_view meaning);
  SqlStatementsRef without(const SqlStatementsRef& set, std::string_view name);

 private:
  std::shared_ptr<Interner<SqlStatements>> sets_ = std::make_shared<Interner<SqlStatements>>();
};

/// One statement of weirpool's own that brings a backend closer to what a client has.
struct SqlErrand {
  bool prepares = false;  ///< otherwise it deallocates
  SqlStatement statement;

  /// An extended batch with a Sync of its own: each fails alone, and a text of several statements
  /// is refused by the server whatever weirpool took it for.
  void serialize(Writer& out) const;
};

/// What turns a backend that has one set into one that has the other; what has to go comes first.
std::vector<SqlErrand> difference(const SqlStatementsRef& has, const SqlStatementsRef& wanted);

}  // namespace weirpool::protocol::postgres
