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

/// A name no statement has: weirpool's own end in a digit, clients cannot say it.
inline constexpr std::string_view kOutdatedName = "weirpool_outdated";

/// What a statement returns, as far as backends have said. Thread-safe.
class Columns {
 public:
  /// Counts how often it was found to return other columns than before. What was prepared in an
  /// earlier generation has to be prepared again.
  std::uint32_t generation() const { return static_cast<std::uint32_t>(now_.load() >> 32); }
  /// What a backend has said of them in this generation; zero: nothing yet.
  std::uint32_t digest() const { return static_cast<std::uint32_t>(now_.load()); }
  /// They are others than they were, it is not known which.
  void outdate();
  /// They are these, not zero: the generation in which that is so.
  std::uint32_t are(std::uint32_t digest);
  /// The generation for somebody who knows `digest`, not zero, of the same text under other
  /// settings. Where nobody has said what these are, they are taken to be the same, until a backend
  /// says otherwise.
  std::uint32_t for_who_knows(std::uint32_t digest);
  /// No generation: who is there knows other ones.
  static constexpr std::uint32_t kOthers = 0xFFFFFFFF;

 private:
  std::atomic<std::uint64_t> now_{std::uint64_t{1} << 32};  ///< generation, digest
};

struct Statement {
  std::string both;  ///< body and meaning; a body tells its own length
  std::size_t body_size = 0;
  std::string backend_name;  ///< empty: an unnamed statement
  std::uint64_t number = 0;  ///< of backend_name
  TextEffects effects;       ///< of executing it
  Reading reading{};         ///< of an unnamed statement, by which its effects were found
  mutable Columns columns{};

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
  StatementRef named(Bytes body, std::string_view text, std::string_view meaning,
                     const Reading& reading);
  /// `statement` with another meaning.
  StatementRef renamed(const Statement& statement, std::string_view meaning);
  /// The server may take it for something else by now. Who has it prepared keeps what it was, as
  /// without a proxy; who prepares it from now on gets another one.
  void retire(const Statement& statement) { statements_->retire(statement); }
  void retire_all() { statements_->retire_all(); }
  std::size_t size() const { return statements_->size(); }
  /// each(statement, how many clients and backends hold it)
  template <class Each>
  void visit(Each each) const {
    statements_->visit(each);
  }

 private:
  std::shared_ptr<Interner<Statement>> statements_ = std::make_shared<Interner<Statement>>();
  std::atomic<std::uint64_t> next_{1};
};

/// An unnamed statement, which belongs to one client.
StatementRef unnamed_statement(Bytes body, TextEffects effects, const Reading& reading);

/// `text` without a comment at its end, where tracing puts what is different each time. The rest
/// stays where it is, so that errors point at the same place. Hints ("/*+") are no such comments.
std::string_view without_last_comment(std::string_view text, const Reading& reading);

/// `text` with blanks in place of the comments of tracing at its front, which say "key='value'".
/// Others may be meant for somebody on the way. No value: it has none, or hints, which may count
/// only where no other comment stands before them.
std::optional<std::string> with_blank_front(std::string_view text);

/// `name`, if it cannot be taken for one of weirpool's own; otherwise something no backend knows.
std::string foreign_name(std::string_view name);

/// What one client means by a name.
struct ClientStatement {
  StatementRef statement;
  std::uint32_t described = 0;  ///< the generation whose columns the client knows; 0: none
  std::uint32_t columns = 0;    ///< their digest, where a backend has told them; 0: not yet
  std::uint32_t meant = 0;      ///< the number of the settings that its meaning fits; 0: unknown
};

/// By the client's names.
class ClientStatements : std::map<std::string, ClientStatement, std::less<>> {
 public:
  using map::begin;
  using map::const_iterator;
  using map::contains;
  using map::empty;
  using map::end;
  using map::find;
  using map::size;

  /// All their texts together.
  std::size_t bytes() const { return bytes_; }
  /// If the name is not taken.
  void add(std::string_view name, StatementRef statement);
  void erase(const_iterator named);
  void clear();

 private:
  std::size_t bytes_ = 0;
};

/// What one backend knows, least recently used first.
class BackendStatements {
 public:
  /// `limit` at least 1.
  explicit BackendStatements(std::size_t limit) : limit_(limit < 1 ? 1 : limit) {}

  /// In its current generation. Also marks it as used now.
  bool has(const Statement& statement);
  /// In an earlier generation: the name is taken, and of no use.
  bool outdated(const Statement& statement) const;
  /// Null: not among them.
  StatementRef find(std::uint64_t number) const;
  struct Known {
    StatementRef statement;
    std::uint32_t generation = 0;
  };
  /// Makes room for one more: the statement to close on the backend, if any.
  std::optional<Known> evict_for_one_more();
  /// In its current generation.
  void add(StatementRef statement);
  void add(Known known);
  void erase(const Statement& statement);
  void clear();
  std::size_t size() const { return order_.size(); }

 private:
  std::size_t limit_;
  std::list<Known> order_;
  std::unordered_map<const Statement*, std::list<Known>::iterator> index_;
};

}  // namespace weirpool::protocol::postgres
