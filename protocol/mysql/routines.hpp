// What a CALL may leave in its session. The server's tracker reports settings, temporary tables,
// prepared statements and SET @a done inside a procedure; it is silent about SELECT … INTO @a, @a
// :=, named locks and roles, and MariaDB's says nothing any more behind an error (measured:
// MySQL 9.7, MariaDB 10.11). So the procedure's definition is asked of the server: where its text
// has nothing of that kind, there is nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weirpool::protocol::mysql {

/// `pool.session_state.routines`
enum class RoutinePolicy : std::uint8_t {
  track,   ///< what is reported, or cannot be ruled out, pins
  pin,     ///< every CALL does
  refuse,  ///< CALL fails
  allow,   ///< what it leaves is forgotten: the backend is reset
};

struct Routine {
  std::string schema;
  std::string name;  ///< empty: the CALL is not in a form that is understood

  bool operator==(const Routine&) const = default;
  std::string definition_sql() const;
  /// The error behind a CALL says that the procedure has not begun: it does not exist, may not be
  /// called or takes other arguments.
  bool not_begun(std::uint16_t code, std::string_view message) const;
};

/// Of one `CALL [schema.]name [(arguments)]`, arguments that leave nothing themselves. Not `whole`:
/// the arguments are too long to be looked at; SessionText has scanned them.
Routine called_routine(std::string_view sql, std::string_view schema, bool whole = true);

/// No statement in what SHOW CREATE PROCEDURE says can leave anything that the tracker does not
/// report. `silent`: nor anything that it does report. Triggers, and functions in views, are not
/// seen.
bool leaves_nothing(std::string_view definition, bool silent);

/// That definition may change the role of its session, by itself or by what it calls or executes;
/// so may one that cannot be seen.
bool may_take_role(std::string_view definition);

/// The definitions that were seen last, for a procedure may have been replaced between its CALL and
/// the question: only one that was the same before proves anything. Thread-safe.
class RoutineMemory {
 public:
  /// Whether this is what was seen of it last; remembers it.
  bool knows(const Routine& routine, std::string_view definition);

 private:
  static constexpr std::size_t kMost = 4096;
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> seen_;  ///< hash of the text
};

/// The calls of one client on the attached backend of which nothing is known yet.
class Calls {
 public:
  struct Call {
    Routine routine;
    bool failed = false;
    bool operator==(const Call&) const = default;
  };

  void begin(Routine routine) { current_ = std::move(routine); }
  void failed(std::uint16_t code, std::string_view message);
  /// The reply has ended. False: what was called cannot be asked about.
  bool end(bool failed);
  void clear() { *this = Calls(); }

  bool empty() const { return pending_.empty(); }
  const Routine& next() const { return pending_.back().routine; }
  Call take();

 private:
  static constexpr std::size_t kMost = 16;
  std::optional<Routine> current_;  ///< none: it has not begun
  std::vector<Call> pending_;
};

}  // namespace weirpool::protocol::mysql
