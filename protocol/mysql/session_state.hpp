// What a session is set to, on both sides: what a client wants and what a backend has. Learned from
// the server's own session tracker, never from SQL, and replayed when a client meets a backend that
// is set differently. Equal states cost nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::mysql {

/// More settings than these are not replayed: the client is pinned instead.
inline constexpr std::size_t kMaxVariables = 64;
inline constexpr std::size_t kMaxVariableBytes = 8192;

struct Variable {
  std::string name;
  std::string value;
  bool operator==(const Variable&) const = default;
};

/// Sorted by name.
using Variables = std::vector<Variable>;

struct SessionState {
  std::uint16_t collation = 0;  ///< id that stands for the character sets not in `variables`
  bool multi_statements = false;
  bool ignore_space = false;  ///< by capability: the default of sql_mode has it
  std::uint64_t last_insert_id = 0;
  std::string schema;
  Variables variables;

  const std::string* find(std::string_view name) const;
  /// All but last_insert_id, which is replayed only where a statement reads it.
  bool same_settings(const SessionState& other) const;
};

enum class Tracked : std::uint8_t {
  kept,     ///< recorded
  ignored,  ///< of no meaning to the session
  unsafe,   ///< cannot be replayed, or there are too many: the client must keep its backend
};

/// Records one variable the tracker reported.
Tracked track_variable(SessionState& state, std::string_view name, std::string_view value);

/// It is at its default again.
void forget_variable(SessionState& state, std::string_view name);

/// Records a user variable, its name with the @ and its value as a literal.
Tracked track_user_variable(SessionState& state, std::string_view name, std::string_view literal);
/// User variables are among the others, in front of them.
inline bool is_user_variable(const Variable& variable) { return variable.name.starts_with('@'); }

/// `SET NAMES` and friends report either of these two, and each implies the other.
inline constexpr std::string_view kCharsetConnection = "character_set_connection";
inline constexpr std::string_view kCollationConnection = "collation_connection";

/// Sets the collation of a handshake by its number. The statement behind it contains
/// kFollowCollation: MariaDB takes no collation's number for a character set, and an expression
/// sees only what earlier statements have set.
std::string collation_sql(std::uint16_t collation);
inline constexpr std::string_view kFollowCollation =
    "@@session.character_set_results=@@session.character_set_connection,"
    "@@session.character_set_client=@@session.character_set_connection";
bool is_charset(std::string_view name);
/// Set to anything, this variable may leave texts of the client's on the server for good: neither
/// server forgets all of them in a reset.
bool keeps_statements(std::string_view name);
/// True if collation_sql(want.collation) has to go in front of settings_sql(have, want).
bool needs_collation(const SessionState& have, const SessionState& want);

/// The SET statement that turns `have` into `want`; empty if none is needed. What only `have` has
/// goes back to its default. Order matters:
/// sql_mode decides how what follows is quoted, the client's character set how it is read, and
/// autocommit comes last because setting it may commit.
std::string settings_sql(const SessionState& have, const SessionState& want);

/// The same for user variables, for a statement of its own behind the other: their literals are
/// read in the client's character set.
std::string user_variables_sql(const SessionState& have, const SessionState& want);

/// Character sets that servers refuse as a client's (ucs2, utf16, utf32) and those whose ids only
/// the other server knows become `fallback`, as in a server's own handshake.
std::uint16_t usable_collation(std::uint16_t collation, bool mariadb, std::uint16_t fallback);

inline constexpr std::string_view kWaitTimeout = "wait_timeout";
/// What the client has set its wait_timeout to, seconds; 0: nothing.
std::uint32_t wait_timeout_of(const SessionState& state);
/// How long the client lets its SELECTs take, milliseconds (MySQL) or all statements (MariaDB); 0:
/// it has not said.
std::uint32_t statement_limit_of(const SessionState& state);
/// A server set like this leaves idle connections sooner than servers do by themselves: such a
/// wait_timeout belongs to its client and may not stay on a connection that others will use.
bool impatient(const SessionState& state);

/// "x" is an identifier where sql_mode has ANSI_QUOTES, as ANSI and others do by name.
bool has_ansi_quotes(std::string_view sql_mode);

/// big5, sjis, gbk, cp932, gb18030: a backslash or quote may be the second byte of a character.
bool hides_quotes(const SessionState& state);

}  // namespace weirpool::protocol::mysql
