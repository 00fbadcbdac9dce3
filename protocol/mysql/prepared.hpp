// Prepared statements shared by clients. A statement is its text and the settings that decide what
// the text means. Clients have ids of their own for it, every backend has another one, and backends
// keep a bounded set of those they know.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/interner.hpp"
#include "protocol/mysql/pins.hpp"
#include "protocol/mysql/routines.hpp"
#include "protocol/mysql/session_state.hpp"
#include "protocol/mysql/session_text.hpp"

namespace weirpool::protocol::mysql {

/// A longer text is not remembered: its statement keeps the client on the backend that has it.
inline constexpr std::size_t kMaxStatementText = 64 * 1024;
/// The same for a client whose statements are longer together, bytes.
inline constexpr std::size_t kMaxClientText = std::size_t{4} << 20;
/// MariaDB: "the statement prepared last", for clients that send PREPARE and EXECUTE together.
inline constexpr std::uint32_t kLastPrepared = 0xFFFFFFFF;

/// The settings at the time of PREPARE: names without a schema, quotes, literals and some functions
/// are bound to them for good. All of them may be set inside a transaction.
struct Context {
  SessionState settings;  ///< only what matters to PREPARE
  std::string identity;

  std::string_view key() const { return identity; }
};
using ContextRef = std::shared_ptr<const Context>;

/// The part of `state` that PREPARE depends on.
SessionState settings_of_prepare(const SessionState& state);
/// `now` with that part replaced by `context`'s. A schema that is not set stays: no command unsets
/// one, and a text that was prepared without names the schema of everything.
SessionState with_context(const SessionState& now, const Context& context);

struct Statement {
  ContextRef context;
  std::string identity;  ///< the text, and behind it which context, and how quotes were read
  std::size_t text_size = 0;
  SessionText effects;  ///< of executing it

  std::string_view key() const { return identity; }
  std::string_view text() const { return std::string_view(identity).substr(0, text_size); }
};
using StatementRef = std::shared_ptr<const Statement>;

/// How many statements a backend of one server may keep. Thread-safe.
class StatementRoom {
 public:
  explicit StatementRoom(std::uint32_t most) : most_(most) {}
  std::uint32_t most() const { return most_.load(std::memory_order_relaxed); }
  /// Of all that its backends keep the server has too many, and this one has kept to `seen`: from
  /// now on half. Others who have seen the same number do not halve it again.
  void lower(std::uint32_t seen) {
    most_.compare_exchange_strong(seen, seen < 2 ? 1 : seen / 2, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint32_t> most_;
};

/// All statements any client or backend of this process knows. Thread-safe.
class Catalog {
 public:
  /// `limit`: statements a backend keeps, at least 1.
  explicit Catalog(std::uint32_t limit, RoutinePolicy routines = RoutinePolicy::track)
      : limit_(limit < 1 ? 1 : limit), routines_(routines) {}

  /// `hint`, if it still fits, saves the look-up.
  ContextRef context(const SessionState& state, const ContextRef& hint);
  StatementRef statement(const ContextRef& context, std::string_view text,
                         const SessionText& effects);
  std::uint32_t max_backend_statements() const { return limit_; }
  /// One for all backends of this server.
  std::shared_ptr<StatementRoom> room_of(const std::string& server);
  std::size_t max_client_statements() const { return std::size_t{limit_} * 16; }
  /// How often a client has changed what sessions begin with (SET GLOBAL).
  std::uint32_t defaults() const { return defaults_.load(std::memory_order_relaxed); }
  void defaults_changed() { defaults_.fetch_add(1, std::memory_order_relaxed); }
  RoutinePolicy routines() const { return routines_; }
  RoutineMemory& routine_memory() { return routine_memory_; }

 private:
  std::shared_ptr<Interner<Context>> contexts_ = std::make_shared<Interner<Context>>();
  std::shared_ptr<Interner<Statement>> statements_ = std::make_shared<Interner<Statement>>();
  const std::uint32_t limit_;
  const RoutinePolicy routines_;
  RoutineMemory routine_memory_;
  std::mutex rooms_mutex_;
  std::map<std::string, std::shared_ptr<StatementRoom>> rooms_;  ///< by the server's name
  std::atomic<std::uint32_t> defaults_ = 0;
};

/// What one client has prepared.
struct ClientStatement {
  StatementRef statement;
  std::uint32_t backend_id = 0;  ///< not 0: only the attached backend has it, and for this client
  std::uint16_t parameters = 0;
  bool cursor = false;     ///< open on the attached backend
  bool long_data = false;  ///< of parameters, waits there for EXECUTE
  std::string types{};     ///< as bound last, two bytes per parameter; empty: never

  bool bound() const { return backend_id != 0; }
  bool held() const { return cursor || long_data; }
};

class ClientStatements {
 public:
  /// Null: unknown. kLastPrepared is understood.
  ClientStatement* find(std::uint32_t id);
  /// Returns the id the client hears: never 0, never kLastPrepared, not used by another statement.
  std::uint32_t add(ClientStatement statement);
  /// The one of them that has something open in the backend's `id` keeps that for itself: another
  /// one of the same text needs its own.
  void bind_holder(const Statement& statement, std::uint32_t id);
  /// The last PREPARE has failed.
  void none_last() { last_ = 0; }
  void erase(std::uint32_t id);
  void clear();
  /// The backend is gone, and what only it had.
  void detached();

  std::size_t size() const { return statements_.size(); }
  /// Room for a text of this length among those remembered.
  bool room_for(std::size_t bytes) const { return text_bytes_ + bytes <= kMaxClientText; }
  /// Why the client must keep its backend.
  Pins pins() const;

 private:
  using Map = std::map<std::uint32_t, ClientStatement>;
  void forget(Map::iterator at);

  Map statements_;
  std::size_t text_bytes_ = 0;
  std::uint32_t last_ = 0;
  std::uint32_t sequence_ = 0;
};

/// What one backend knows, least recently used first, and what it may forget.
class BackendStatements {
 public:
  struct Entry {
    StatementRef statement;
    std::uint32_t id = 0;
    std::uint16_t parameters = 0;
    bool busy = false;    ///< with a cursor or long data of the client that has the backend
    std::string types{};  ///< bound last, by whichever client; empty: unknown
  };

  explicit BackendStatements(std::size_t limit) : limit_(limit < 1 ? 1 : limit) {}

  void share(std::shared_ptr<StatementRoom> room) { room_ = std::move(room); }
  /// It has been lent: what its server has no room for any more is to be closed.
  void keep_to_room();
  /// Null: not known here. Also marks it as used now.
  Entry* find(const Statement& statement);
  /// A statement has been prepared here; an older one for the same text, and those that are one too
  /// many, are to be closed.
  Entry& add(Entry entry);
  /// This one is to be closed.
  void drop(const Statement& statement);
  /// A busy one becomes its client's own, which closes it. Returns its id.
  std::uint32_t release(const Statement& statement);
  /// The server has no room for more: half of what is here is to be closed, and no more will be
  /// kept again; the other backends hear of it when they are lent. False: there was nothing to
  /// give.
  bool shrink();
  /// A reset has taken them all.
  void clear();
  std::size_t size() const { return order_.size(); }

  /// Ids to be sent in COM_STMT_CLOSE, which has no answer, before anything else.
  const std::vector<std::uint32_t>& closing() const { return closing_; }
  void closed() { closing_.clear(); }

 private:
  void evict(std::size_t room);

  std::size_t limit_;
  std::shared_ptr<StatementRoom> room_;  ///< null: its own affair
  std::uint32_t seen_ = 0;               ///< what room_ has allowed when this was last lent
  std::list<Entry> order_;
  std::unordered_map<const Statement*, std::list<Entry>::iterator> index_;
  std::vector<std::uint32_t> closing_;
};

}  // namespace weirpool::protocol::mysql
