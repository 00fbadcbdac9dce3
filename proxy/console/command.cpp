#include "proxy/console/command.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

namespace weirpool::console {
namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }
char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }

std::string in_capitals(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), upper);
  return out;
}

std::string in_small(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

struct Token {
  std::string text;
  bool quoted = false;
};

/// Words, quoted strings and names without their quotes, and single characters.
std::vector<Token> tokens_of(std::string_view text) {
  const auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' ||
           c == '$' || static_cast<unsigned char>(c) >= 0x80;
  };
  std::vector<Token> tokens;
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at;
    } else if (c == '\'' || c == '"') {
      Token token{{}, true};
      for (++at; at < text.size(); ++at) {
        if (text[at] == c) {
          if (at + 1 >= text.size() || text[at + 1] != c) break;
          ++at;
        }
        token.text += text[at];
      }
      ++at;
      tokens.push_back(std::move(token));
    } else if (in_word(c)) {
      const std::size_t begin = at;
      while (at < text.size() && in_word(text[at])) ++at;
      tokens.push_back({std::string(text.substr(begin, at - begin)), false});
    } else {
      tokens.push_back({std::string(1, c), false});
      ++at;
    }
  }
  return tokens;
}

bool is(const Token& token, std::string_view word) {
  return !token.quoted && in_capitals(token.text) == word;
}

/// Settings of the database server that drivers and people set without being asked; the console has
/// no use for them.
bool harmless_setting(std::string_view name) {
  static constexpr std::array<std::string_view, 27> kNames{"application_name",
                                                           "bytea_output",
                                                           "client_encoding",
                                                           "client_min_messages",
                                                           "datestyle",
                                                           "default_transaction_deferrable",
                                                           "default_transaction_isolation",
                                                           "default_transaction_read_only",
                                                           "extra_float_digits",
                                                           "idle_in_transaction_session_timeout",
                                                           "idle_session_timeout",
                                                           "intervalstyle",
                                                           "jit",
                                                           "lock_timeout",
                                                           "names",
                                                           "search_path",
                                                           "standard_conforming_strings",
                                                           "statement_timeout",
                                                           "synchronous_commit",
                                                           "time",
                                                           "timezone",
                                                           "transaction_isolation",
                                                           "transaction_read_only",
                                                           "autocommit",
                                                           "sql_mode",
                                                           "character_set_results",
                                                           "session_authorization"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

struct Constant {
  std::string_view name;
  std::string_view column;
  std::string_view value;
};

/// What drivers ask a server about itself, as SHOW name or SELECT name.
constexpr std::array<Constant, 22> kConstants{{
    {"CLIENT_ENCODING", "client_encoding", "UTF8"},
    {"SERVER_ENCODING", "server_encoding", "UTF8"},
    {"DATESTYLE", "datestyle", "ISO"},
    {"TIMEZONE", "timezone", "GMT"},
    {"STANDARD_CONFORMING_STRINGS", "standard_conforming_strings", "on"},
    {"DEFAULT_TRANSACTION_ISOLATION", "default_transaction_isolation", "read committed"},
    {"TRANSACTION_ISOLATION", "transaction_isolation", "read committed"},
    {"TRANSACTION_ISOLATION_LEVEL", "transaction_isolation", "read committed"},
    {"DEFAULT_TRANSACTION_READ_ONLY", "default_transaction_read_only", "off"},
    {"TRANSACTION_READ_ONLY", "transaction_read_only", "off"},
    {"EXTRA_FLOAT_DIGITS", "extra_float_digits", "1"},
    {"INTEGER_DATETIMES", "integer_datetimes", "on"},
    {"IN_HOT_STANDBY", "in_hot_standby", "off"},
    {"IS_SUPERUSER", "is_superuser", "on"},
    {"SEARCH_PATH", "search_path", "\"$user\", public"},
    {"SERVER_VERSION", "server_version", "1.25.2/bouncer"},
    {"SERVER_VERSION_NUM", "server_version_num", "12502"},
    {"APPLICATION_NAME", "application_name", ""},
    {"1", "?column?", "1"},
    {"PG_IS_IN_RECOVERY()", "pg_is_in_recovery", "f"},
    {"PG_ADVISORY_UNLOCK_ALL()", "pg_advisory_unlock_all", ""},
    {"CURRENT_DATABASE()", "current_database", "pgbouncer"},
}};

Command constant_or_show(const std::vector<Token>& tokens) {
  std::string name;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    const bool mark = tokens[i].text == "(" || tokens[i].text == ")";
    if (!name.empty() && !mark) name += '_';
    name += in_capitals(tokens[i].text);
  }
  if (name.starts_with("PG_CATALOG.")) name.erase(0, std::string_view("PG_CATALOG.").size());
  if (name == "VERSION()") return {Verb::show, "VERSION", {}};
  for (const Constant& constant : kConstants) {
    if (constant.name == name) {
      return {Verb::constant, std::string(constant.column), std::string(constant.value)};
    }
  }
  return {Verb::show, std::move(name), {}};
}

Command parse_set(const std::vector<Token>& tokens) {
  // SET [SESSION | LOCAL] name = value, and the settings that are spelled in words.
  std::size_t at = 1;
  if (tokens.size() > 2 && (is(tokens[1], "SESSION") || is(tokens[1], "LOCAL"))) ++at;
  if (is(tokens[at], "CHARACTERISTICS") || is(tokens[at], "TRANSACTION")) {
    return {Verb::harmless, "SET", {}};
  }
  const std::string name = in_small(tokens[at].text);
  if (harmless_setting(name)) return {Verb::harmless, "SET", {}};
  const bool assigned =
      tokens.size() > at + 2 && (tokens[at + 1].text == "=" || is(tokens[at + 1], "TO"));
  if (!assigned) return {};
  std::string value;
  for (std::size_t i = at + 2; i < tokens.size(); ++i) value += tokens[i].text;
  return {Verb::set, name, std::move(value)};
}

struct Word {
  std::string_view word;
  Verb verb;
  std::size_t least;  ///< arguments
  std::size_t most;
};

constexpr std::array<Word, 12> kWords{{
    {"PAUSE", Verb::pause, 0, 1},
    {"RESUME", Verb::resume, 0, 1},
    {"DISABLE", Verb::disable, 1, 1},
    {"ENABLE", Verb::enable, 1, 1},
    {"RECONNECT", Verb::reconnect, 0, 1},
    {"KILL", Verb::kill, 0, 1},
    {"KILL_CLIENT", Verb::kill_client, 1, 1},
    {"WAIT_CLOSE", Verb::wait_close, 0, 1},
    {"RELOAD", Verb::reload, 0, 0},
    {"SHUTDOWN", Verb::shutdown, 0, 1},
    {"SUSPEND", Verb::suspend, 0, 0},
    {"DRAIN", Verb::shutdown, 0, 0},
}};

/// Statements that begin, end or clean a session's state; the console has none.
std::optional<std::string> harmless_tag(const std::vector<Token>& tokens) {
  const std::string first = in_capitals(tokens.front().text);
  if (first == "START") return "BEGIN";
  if (first == "END") return "COMMIT";
  for (const std::string_view word : {"BEGIN", "COMMIT", "ROLLBACK", "RESET", "UNLISTEN"}) {
    if (first == word) return first;
  }
  if (tokens.size() < 2) return std::nullopt;
  const std::string second = in_capitals(tokens[1].text);
  if (first == "DISCARD") return first + " " + second;
  if (first == "DEALLOCATE" || first == "CLOSE") {
    return first == "CLOSE" ? "CLOSE CURSOR" : first;
  }
  return std::nullopt;
}

}  // namespace

Command parse(std::string_view text) {
  const std::vector<Token> tokens = tokens_of(text);
  if (tokens.empty() || tokens.front().quoted) return {};
  if (is(tokens[0], "SHOW") || is(tokens[0], "SELECT")) {
    return tokens.size() < 2 ? Command{} : constant_or_show(tokens);
  }
  if (is(tokens[0], "SET")) return tokens.size() < 2 ? Command{} : parse_set(tokens);
  for (const Word& word : kWords) {
    if (!is(tokens[0], word.word)) continue;
    const std::size_t arguments = tokens.size() - 1;
    if (arguments < word.least || arguments > word.most) return {};
    Command command{word.verb, arguments == 0 ? std::string() : tokens[1].text, {}};
    if (word.word == "DRAIN") command.name = "WAIT_FOR_CLIENTS";
    if (word.verb == Verb::shutdown) command.name = in_capitals(command.name);
    return command;
  }
  if (auto tag = harmless_tag(tokens)) return {Verb::harmless, std::move(*tag), {}};
  return {};
}

bool changes(Verb verb) {
  return verb != Verb::show && verb != Verb::harmless && verb != Verb::constant &&
         verb != Verb::invalid;
}

std::string_view tag_of(Verb verb) {
  if (verb == Verb::set) return "SET";
  for (const Word& word : kWords) {
    if (word.verb == verb) return word.word;
  }
  return "SHOW";
}

}  // namespace weirpool::console
