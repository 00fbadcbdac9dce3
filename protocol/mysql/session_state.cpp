#include "protocol/mysql/session_state.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace weirpool::protocol::mysql {

bool keeps_statements(std::string_view name) {
  return name == "profiling" || name == "optimizer_trace";
}

namespace {

constexpr std::array<std::string_view, 4> kCharsets{"character_set_client", kCharsetConnection,
                                                    "character_set_results", kCollationConnection};

/// Settings of one statement or of the tracker itself, and values that would not mean the same
/// later.
bool replayable(std::string_view name, std::string_view value) {
  constexpr std::array<std::string_view, 7> fixed{"insert_id",  "timestamp", "rand_seed1",
                                                  "rand_seed2", "gtid_next", "proxy_user",
                                                  "sql_log_bin"};
  if (std::find(fixed.begin(), fixed.end(), name) != fixed.end()) return false;
  if (name.starts_with("pseudo_") || name.starts_with("session_track_")) return false;
  if (name.starts_with("debug") || keeps_statements(name)) return false;
  const auto awkward = [](char c) {
    return c == '\'' || c == '\\' || static_cast<unsigned char>(c) < 0x20 ||
           static_cast<unsigned char>(c) > 0x7E;
  };
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return std::all_of(name.begin(), name.end(), word) && !name.empty() &&
         std::none_of(value.begin(), value.end(), awkward);
}

Variables::iterator place_of(Variables& variables, std::string_view name) {
  return std::lower_bound(variables.begin(), variables.end(), name,
                          [](const Variable& v, std::string_view n) { return v.name < n; });
}

void erase(Variables& variables, std::string_view name) {
  const auto at = place_of(variables, name);
  if (at != variables.end() && at->name == name) variables.erase(at);
}

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool digits = std::all_of(text.begin(), text.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  return digits && !text.empty() && std::count(text.begin(), text.end(), '.') <= 1;
}

/// Numeric variables refuse quoted values and the others refuse bare ones.
std::string literal(const Variable& variable) {
  if (variable.value.empty() && variable.name == "character_set_results") return "NULL";
  if (is_number(variable.value)) return variable.value;
  return "'" + variable.value + "'";
}

/// A session that was told to ignore spaces by capability has that on top of the server's default.
std::string_view default_of(std::string_view name, const SessionState& want) {
  return name == "sql_mode" && want.ignore_space ? "CONCAT(@@global.sql_mode,',IGNORE_SPACE')"
                                                 : "DEFAULT";
}

int rank(std::string_view name) {
  if (name.starts_with('@')) return -1;
  if (name == "sql_mode") return 0;
  if (name == kCharsetConnection || name == kCollationConnection) return 2;
  if (name == "character_set_results") return 3;
  if (name == "character_set_client") return 4;
  if (name == "autocommit") return 5;
  return 1;
}

bool all_charsets_set(const SessionState& state) {
  return state.find("character_set_client") != nullptr &&
         state.find("character_set_results") != nullptr &&
         (state.find(kCharsetConnection) != nullptr || state.find(kCollationConnection) != nullptr);
}

void append(std::string& sql, std::string_view name, std::string_view value) {
  sql.append(sql.empty() ? "SET @@session." : ",@@session.").append(name).append("=").append(value);
}

}  // namespace

bool is_charset(std::string_view name) {
  return std::find(kCharsets.begin(), kCharsets.end(), name) != kCharsets.end();
}

const std::string* SessionState::find(std::string_view name) const {
  for (const Variable& variable : variables) {
    if (variable.name == name) return &variable.value;
  }
  return nullptr;
}

bool SessionState::same_settings(const SessionState& other) const {
  return collation == other.collation && multi_statements == other.multi_statements &&
         schema == other.schema && variables == other.variables;
}

namespace {

Tracked record(SessionState& state, std::string_view name, std::string_view value) {
  const auto at = place_of(state.variables, name);
  if (at != state.variables.end() && at->name == name) {
    at->value = value;
  } else {
    if (state.variables.size() >= kMaxVariables) return Tracked::unsafe;
    state.variables.insert(at, {std::string(name), std::string(value)});
  }
  std::size_t bytes = 0;
  for (const Variable& variable : state.variables) {
    bytes += variable.name.size() + variable.value.size();
  }
  return bytes > kMaxVariableBytes ? Tracked::unsafe : Tracked::kept;
}

}  // namespace

Tracked track_user_variable(SessionState& state, std::string_view name, std::string_view literal) {
  return record(state, name, literal);
}

void forget_variable(SessionState& state, std::string_view name) { erase(state.variables, name); }

Tracked track_variable(SessionState& state, std::string_view name, std::string_view value) {
  if (name == "statement_id") return Tracked::ignored;
  if (name == "last_insert_id" || name == "identity") {
    std::from_chars(value.data(), value.data() + value.size(), state.last_insert_id);
    return Tracked::kept;
  }
  if (!replayable(name, value)) return Tracked::unsafe;
  if (name == kCharsetConnection) erase(state.variables, kCollationConnection);
  if (name == kCollationConnection) erase(state.variables, kCharsetConnection);
  return record(state, name, value);
}

std::string collation_sql(std::uint16_t collation) {
  return "SET @@session.collation_connection=" + std::to_string(collation);
}

bool needs_collation(const SessionState& have, const SessionState& want) {
  if (all_charsets_set(want)) return false;
  const bool one_too_many =
      std::any_of(have.variables.begin(), have.variables.end(), [&](const Variable& variable) {
        return is_charset(variable.name) && want.find(variable.name) == nullptr;
      });
  return have.collation != want.collation || one_too_many;
}

std::string settings_sql(const SessionState& have, const SessionState& want) {
  std::string sql;
  const bool charset = needs_collation(have, want);
  for (int wanted = 0; wanted <= 5; ++wanted) {
    // In front of the single ones that differ from it.
    if (wanted == 2 && charset) sql.append(sql.empty() ? "SET " : ",").append(kFollowCollation);
    for (const Variable& variable : want.variables) {
      if (rank(variable.name) != wanted) continue;
      const std::string* now = have.find(variable.name);
      const bool same = now != nullptr && *now == variable.value;
      if (same && !(charset && is_charset(variable.name))) continue;
      append(sql, variable.name, literal(variable));
    }
    for (const Variable& variable : have.variables) {
      const bool gone = want.find(variable.name) == nullptr && !is_charset(variable.name);
      if (rank(variable.name) != wanted || !gone) continue;
      append(sql, variable.name, default_of(variable.name, want));
    }
  }
  return sql;
}

std::string user_variables_sql(const SessionState& have, const SessionState& want) {
  std::string sql;
  const auto add = [&](const Variable& variable, std::string_view value) {
    sql.append(sql.empty() ? "SET " : ",").append(variable.name).append("=").append(value);
  };
  for (const Variable& variable : want.variables) {
    const std::string* now = have.find(variable.name);
    const bool same = now != nullptr && *now == variable.value;
    if (is_user_variable(variable) && !same) add(variable, variable.value);
  }
  for (const Variable& variable : have.variables) {
    if (!is_user_variable(variable) || want.find(variable.name) != nullptr) continue;
    // A variable keeps its type when it becomes NULL; one that was never set is a binary string.
    add(variable, "x''");
    add(variable, "NULL");
  }
  return sql;
}

namespace {

constexpr std::uint16_t kNoPad = 1024;  // MariaDB: added to the id of the collation that pads
constexpr std::uint16_t kUca1400 = 2 * kNoPad;  // MariaDB: from here on, 256 per character set
constexpr std::uint16_t kUca1400Ucs2 = kUca1400 + 2 * 256;  // behind utf8mb3 and utf8mb4

/// The collation that differs from this one in padding at most.
std::uint16_t padding(std::uint16_t collation) {
  const bool no_pad = collation >= kNoPad && collation < kUca1400;
  return static_cast<std::uint16_t>(no_pad ? collation - kNoPad : collation);
}

}  // namespace

std::uint16_t usable_collation(std::uint16_t collation, bool mariadb, std::uint16_t fallback) {
  const std::uint16_t id = padding(collation);
  const auto between = [&](int low, int high) { return id >= low && id <= high; };
  const bool two_bytes = id == 35 || id == 90 || between(54, 56) || between(60, 62) ||
                         between(101, 124) || between(128, 151) || between(159, 183) ||
                         id >= kUca1400Ucs2;
  const bool others = mariadb ? between(255, 323) : collation >= kNoPad;
  return collation == 0 || two_bytes || others ? fallback : collation;
}

std::uint32_t wait_timeout_of(const SessionState& state) {
  std::uint32_t seconds = 0;
  if (const std::string* value = state.find(kWaitTimeout)) {
    std::from_chars(value->data(), value->data() + value->size(), seconds);
  }
  return seconds;
}

std::uint32_t statement_limit_of(const SessionState& state) {
  std::uint32_t limit = 0;
  if (const std::string* value = state.find("max_execution_time")) {
    std::from_chars(value->data(), value->data() + value->size(), limit);
  } else if (const std::string* seconds = state.find("max_statement_time")) {
    constexpr double kMost = std::numeric_limits<std::uint32_t>::max();
    double exact = 0;
    std::from_chars(seconds->data(), seconds->data() + seconds->size(), exact);
    limit = static_cast<std::uint32_t>(std::clamp(exact * 1000, 0.0, kMost));
  }
  return limit;
}

bool impatient(const SessionState& state) {
  constexpr std::uint32_t kServersOwn = 28800;  // the default of both servers, seconds
  const std::uint32_t seconds = wait_timeout_of(state);
  return seconds != 0 && seconds < kServersOwn;
}

bool has_ansi_quotes(std::string_view sql_mode) {
  return sql_mode.find("ANSI_QUOTES") != std::string_view::npos;
}

bool hides_quotes(const SessionState& state) {
  if (const std::string* charset = state.find("character_set_client")) {
    constexpr std::array<std::string_view, 5> hiding{"big5", "sjis", "gbk", "cp932", "gb18030"};
    return std::find(hiding.begin(), hiding.end(), *charset) != hiding.end();
  }
  constexpr std::array<std::uint16_t, 11> ids{1, 84, 13, 88, 28, 87, 95, 96, 248, 249, 250};
  return std::find(ids.begin(), ids.end(), padding(state.collation)) != ids.end();
}

}  // namespace weirpool::protocol::mysql
