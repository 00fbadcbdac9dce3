// What a client holds on its backend by name, so that the pin ends when the last of it is given
// back. A statement is followed only if all of it is understood; anything else that takes something
// pins until the session is reset.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mysql/pins.hpp"
#include "protocol/mysql/session_state.hpp"
#include "protocol/mysql/session_text.hpp"

namespace weirpool::protocol::mysql {

/// What one statement does to what its session holds, once it has succeeded.
struct Deed {
  enum class Kind : std::uint8_t {
    create_temporary,
    drop_tables,
    prepare,
    execute,
    deallocate,
    open_handler,
    read_handler,
    close_handler,
    lock_tables,    ///< seen by the server's session tracker, which is enough
    unlock_tables,  ///< and the global read lock
    read_lock,
    lock_instance,
    unlock_instance,
    begin_backup,
    end_backup,
    begin_xa,
    move_xa,
    end_xa,
    take_lock,
    drop_locks,
    set_variables,  ///< user variables, to literals
    set_global,     ///< nothing of the session
    immediate,      ///< EXECUTE IMMEDIATE
  };
  Kind kind;
  std::vector<std::string> names{};  ///< of locks: the literal, in single quotes, or kParameter
  Variables variables{};
  bool harmless = true;  ///< prepare: executing it leaves nothing that only its text would show
  bool kills = false;    ///< prepare, immediate: the literal is, or holds, a KILL
};

/// The name of a lock that an EXECUTE brings along as its first parameter.
inline constexpr std::string_view kParameter = "?";

/// None: the statement is not one of these, or not in a form that is understood.
std::optional<Deed> deed_of(std::string_view sql, const SessionText& text);

class Holdings {
 public:
  /// More than these are not followed, of each kind.
  static constexpr std::size_t kMost = 64;

  /// The pins that following the deed makes unnecessary; 0: it cannot be followed here.
  Pins accounts_for(const Deed& deed) const;
  /// `schema`: the default one when the statement ran.
  void done(const Deed& deed, const std::string& schema);
  Pins pins() const;
  void clear() { *this = Holdings(); }

  bool has_locks() const { return !locks_.empty(); }
  /// A query of one value: how many of the named locks this session still holds.
  std::string count_locks_sql() const;
  void locks_are_free() { locks_.clear(); }

 private:
  std::set<std::string> tables_;
  std::map<std::string, bool> prepared_;  ///< name: harmless
  std::set<std::string> handlers_;
  std::set<std::string> locks_;
  bool read_lock_ = false;
  bool instance_ = false;
  bool backup_ = false;
  bool xa_ = false;
};

}  // namespace weirpool::protocol::mysql
