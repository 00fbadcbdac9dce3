#include "protocol/mysql/holdings.hpp"

#include <algorithm>
#include <array>

#include "protocol/mysql/words.hpp"

namespace weirpool::protocol::mysql {
namespace {

using Kind = Deed::Kind;
using Parsed = std::optional<Deed>;

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return made;
}

/// name or schema.name; empty: neither. Case may matter, so it does.
std::string take_table(Words& words) {
  std::string name(name_of(words.next()));
  if (!name.empty() && words.take(".")) {
    const std::string table(name_of(words.next()));
    name = table.empty() ? std::string{} : name + "." + table;
  }
  return name;
}

bool is_literal(std::string_view word) {
  return word.size() >= 2 && word.front() == '\'' && word.back() == '\'';
}

Parsed whole(Words& words, Deed deed) {
  if (!words.at_end()) return std::nullopt;
  return deed;
}

/// CREATE TEMPORARY TABLE [IF NOT EXISTS] name …
Parsed create(Words& words) {
  if (!words.take("temporary") || !words.take("table")) return std::nullopt;
  if (words.take("if") && !(words.take("not") && words.take("exists"))) return std::nullopt;
  std::string name = take_table(words);
  if (name.empty()) return std::nullopt;
  return Deed{.kind = Kind::create_temporary, .names = {std::move(name)}};
}

/// DROP [TEMPORARY] TABLE [IF EXISTS] name, … [RESTRICT | CASCADE]
Parsed drop(Words& words) {
  if (words.take("prepare")) {
    Deed deed{.kind = Kind::deallocate, .names = {lower(name_of(words.next()))}};
    return whole(words, std::move(deed));
  }
  words.take("temporary");
  if (!words.take("table") && !words.take("tables")) return std::nullopt;
  if (words.take("if") && !words.take("exists")) return std::nullopt;
  Deed deed{.kind = Kind::drop_tables};
  do {
    deed.names.push_back(take_table(words));
    if (deed.names.back().empty()) return std::nullopt;
  } while (words.take(","));
  static_cast<void>(words.take("restrict") || words.take("cascade"));
  return whole(words, std::move(deed));
}

/// 'text' of a statement, or "text": where that is a name, the server refuses it. One in a variable
/// could be anything.
void look_into(std::string_view text, Deed& deed) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  deed.harmless = false;
  if (!is_literal(text) && !quoted) return;
  const std::string_view words = text.substr(1, text.size() - 2);
  SessionText inside;
  inside.begin({});
  inside.feed(bytes_of(words));
  inside.finish();
  const bool plain = !quoted || words.find_first_of("\"\\") == words.npos;
  deed.harmless = plain && inside.pins() == 0 && !inside.sets() && !inside.calls();
  deed.kills = inside.kills();
}

/// PREPARE name FROM 'text'
Parsed prepare(Words& words) {
  Deed deed{.kind = Kind::prepare, .names = {lower(name_of(words.next()))}};
  if (!words.take("from") || deed.names[0].empty()) return std::nullopt;
  look_into(words.next(), deed);
  return whole(words, std::move(deed));
}

/// EXECUTE name [USING @a, …] | EXECUTE IMMEDIATE 'text' [USING …]
Parsed execute(Words& words) {
  Deed deed{.kind = Kind::execute, .names = {lower(name_of(words.next()))}};
  if (deed.names[0].empty()) return std::nullopt;
  if (deed.names[0] == "immediate") {
    deed = {.kind = Kind::immediate};
    look_into(words.next(), deed);
    return deed;
  }
  if (words.take("using")) {
    do {
      if (!words.next().starts_with('@')) return std::nullopt;
    } while (words.take(","));
  }
  return whole(words, std::move(deed));
}

/// HANDLER name OPEN [[AS] alias] | HANDLER name CLOSE | HANDLER name READ …
Parsed handler(Words& words) {
  Deed deed{.kind = Kind::read_handler, .names = {take_table(words)}};
  if (deed.names[0].empty()) return std::nullopt;
  if (words.take("read")) return deed;
  deed.kind = words.take("close") ? Kind::close_handler : Kind::open_handler;
  if (deed.kind == Kind::open_handler) {
    if (!words.take("open")) return std::nullopt;
    const bool as = words.take("as");
    if (const std::string alias(name_of(words.peek())); !alias.empty()) {
      words.next();
      deed.names[0] = alias;
    } else if (as) {
      return std::nullopt;
    } else if (const auto dot = deed.names[0].find('.'); dot != std::string::npos) {
      deed.names[0].erase(0, dot + 1);
    }
  }
  return whole(words, std::move(deed));
}

Parsed lock(Words& words) {
  if (words.take("tables") || words.take("table")) return Deed{.kind = Kind::lock_tables};
  if (!words.take("instance")) return std::nullopt;
  return Deed{.kind = Kind::lock_instance};
}

Parsed unlock(Words& words) {
  if (words.take("instance")) return whole(words, {.kind = Kind::unlock_instance});
  if (!words.take("tables") && !words.take("table")) return std::nullopt;
  return whole(words, {.kind = Kind::unlock_tables});
}

/// FLUSH TABLES alone leaves nothing.
Parsed flush(Words& words) {
  static_cast<void>(words.take("local") || words.take("no_write_to_binlog"));
  if (!words.take("tables") && !words.take("table")) return std::nullopt;
  Words rest = words;
  if (rest.at_end()) return Deed{.kind = Kind::lock_tables};
  return Deed{.kind = Kind::read_lock};
}

Parsed backup(Words& words) {
  if (words.take("unlock")) return whole(words, {.kind = Kind::end_backup});
  if (words.take("lock")) return Deed{.kind = Kind::begin_backup};
  if (!words.take("stage")) return std::nullopt;
  return Deed{.kind = words.take("end") ? Kind::end_backup : Kind::begin_backup};
}

Parsed xa(Words& words) {
  if (words.take("start") || words.take("begin")) return Deed{.kind = Kind::begin_xa};
  if (words.take("commit") || words.take("rollback")) return Deed{.kind = Kind::end_xa};
  return Deed{.kind = Kind::move_xa};
}

/// A text in either quotes, as a literal in single ones. Where "x" is a name, no lock has one.
std::string take_text(Words& words) {
  const std::string_view word = words.next();
  if (is_literal(word)) return std::string(word);
  if (word.size() < 2 || word.front() != '"' || word.back() != '"') return {};
  const std::string_view inside = word.substr(1, word.size() - 2);
  if (inside.find_first_of("'\"\\") != std::string_view::npos) return {};
  return "'" + std::string(inside) + "'";
}

/// SELECT or DO: GET_LOCK('name', seconds) [AS alias], RELEASE_ALL_LOCKS().
Parsed lock_function(Words& words) {
  Deed deed{.kind = Kind::drop_locks};
  if (words.take("get_lock")) {
    deed.kind = Kind::take_lock;
    if (!words.take("(")) return std::nullopt;
    const bool parameter = words.take("?");
    deed.names.push_back(parameter ? std::string(kParameter) : take_text(words));
    if (deed.names[0].empty() || !words.take(",")) return std::nullopt;
    words.take("-");
    words.next();
  } else if (!words.take("release_all_locks") || !words.take("(")) {
    return std::nullopt;
  }
  if (!words.take(")")) return std::nullopt;
  if (words.take("as") && name_of(words.next()).empty()) return std::nullopt;
  return whole(words, std::move(deed));
}

/// The literal at the front, negative numbers included; empty: something else.
std::string take_literal(Words& words) {
  std::string literal = words.take("-") ? "-" : "";
  const std::string_view word = words.next();
  if (word.empty()) return {};
  const bool number = std::all_of(word.begin(), word.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  const bool constant = literal.empty() && (is_literal(word) || same_word(word, "null") ||
                                            same_word(word, "true") || same_word(word, "false"));
  if ((!number && !constant) || word == ".") return {};
  return literal.append(word);
}

/// Words, numbers and texts, but no function and no variable.
bool take_value(Words& words) {
  do {
    words.take("-");
    const std::string_view word = words.next();
    const bool quoted = word.size() > 1 && (word.front() == '\'' || word.front() == '"');
    if (!quoted && name_of(word).empty()) return false;
  } while (words.take("*") || words.take("+") || words.take("-") || words.take("/"));
  return true;
}

/// GLOBAL | PERSIST | PERSIST_ONLY name = value, … and @@GLOBAL.name = value, … mixed at will.
Parsed set_global(Words& words) {
  constexpr std::array<std::string_view, 3> kScopes{"global", "persist", "persist_only"};
  const Deed done{.kind = Kind::set_global};
  bool scoped = false;
  do {
    const bool said = std::any_of(kScopes.begin(), kScopes.end(),
                                  [&](std::string_view scope) { return words.take(scope); });
    if (said && words.take("transaction")) return done;
    scoped = scoped || said;
    const std::string name = lower(words.peek());
    const bool prefixed = std::any_of(kScopes.begin(), kScopes.end(), [&](std::string_view scope) {
      return name.starts_with("@@" + std::string(scope) + ".");
    });
    // A name alone is in the scope that was said last.
    if (!prefixed && !(scoped && !take_table(words).empty())) return std::nullopt;
    if (prefixed) words.next();
    if ((!words.take("=") && !words.take(":=")) || !take_value(words)) return std::nullopt;
  } while (words.take(","));
  return whole(words, done);
}

/// SET @a = literal, @b := literal …
Parsed set(Words& words) {
  if (Words again = words; Parsed global = set_global(again)) return global;
  Deed deed{.kind = Kind::set_variables};
  do {
    std::string name = lower(words.next());
    const bool user = name.size() > 1 && name[0] == '@' && name[1] != '@';
    if (!user || (!words.take("=") && !words.take(":="))) return std::nullopt;
    std::string literal = take_literal(words);
    if (literal.empty()) return std::nullopt;
    deed.variables.push_back({std::move(name), std::move(literal)});
  } while (words.take(","));
  return whole(words, std::move(deed));
}

struct Form {
  std::string_view word;
  Parsed (*parse)(Words&);
};
constexpr std::array kForms{
    Form{"create", create},    Form{"drop", drop},       Form{"prepare", prepare},
    Form{"execute", execute},  Form{"deallocate", drop}, Form{"handler", handler},
    Form{"lock", lock},        Form{"unlock", unlock},   Form{"flush", flush},
    Form{"backup", backup},    Form{"xa", xa},           Form{"select", lock_function},
    Form{"do", lock_function}, Form{"set", set},
};

}  // namespace

Parsed deed_of(std::string_view sql, const SessionText& text) {
  if (text.multiple() || text.uncertain()) return std::nullopt;
  Words words(sql);
  for (const Form& form : kForms) {
    if (words.take(form.word)) return form.parse(words);
  }
  return std::nullopt;
}

Pins Holdings::accounts_for(const Deed& deed) const {
  const auto pin = [](Pin one) { return Pins{} | one; };
  switch (deed.kind) {
    case Kind::create_temporary: return tables_.size() < kMost ? pin(Pin::temporary_table) : 0;
    case Kind::prepare: return prepared_.size() < kMost ? pin(Pin::sql_prepare) : 0;
    case Kind::execute: {
      const auto known = prepared_.find(deed.names[0]);
      return known != prepared_.end() && known->second ? pin(Pin::sql_prepare) : 0;
    }
    case Kind::immediate: return 0;
    case Kind::open_handler: return handlers_.size() < kMost ? pin(Pin::handler) : 0;
    case Kind::read_handler:
    case Kind::close_handler: return pin(Pin::handler);
    case Kind::take_lock: return locks_.size() < kMost ? pin(Pin::named_lock) : 0;
    case Kind::drop_locks: return pin(Pin::named_lock);
    case Kind::begin_xa:
    case Kind::move_xa:
    case Kind::end_xa: return pin(Pin::xa);
    case Kind::set_variables: return pin(Pin::user_variable);
    case Kind::set_global: return 0;
    case Kind::drop_tables:
    case Kind::deallocate: return pin(Pin::sql_prepare);
    default: return pin(Pin::lock_tables);
  }
}

void Holdings::done(const Deed& deed, const std::string& schema) {
  const auto full = [&](const std::string& table) {
    return table.find('.') == std::string::npos ? schema + "." + table : table;
  };
  const auto forget = [&](auto& from) {
    for (const std::string& name : deed.names) from.erase(name);
  };
  switch (deed.kind) {
    case Kind::create_temporary: tables_.insert(full(deed.names[0])); break;
    case Kind::drop_tables:
      for (const std::string& table : deed.names) tables_.erase(full(table));
      break;
    case Kind::prepare: prepared_[deed.names[0]] = deed.harmless; break;
    case Kind::deallocate: forget(prepared_); break;
    case Kind::open_handler: handlers_.insert(deed.names[0]); break;
    case Kind::close_handler: forget(handlers_); break;
    case Kind::unlock_tables: read_lock_ = false; break;
    case Kind::read_lock: read_lock_ = true; break;
    case Kind::lock_instance: instance_ = true; break;
    case Kind::unlock_instance: instance_ = false; break;
    case Kind::begin_backup: backup_ = true; break;
    case Kind::end_backup: backup_ = false; break;
    case Kind::begin_xa: xa_ = true; break;
    case Kind::end_xa: xa_ = false; break;
    case Kind::take_lock: locks_.insert(deed.names[0]); break;
    case Kind::drop_locks: locks_.clear(); break;
    default: break;
  }
}

Pins Holdings::pins() const {
  Pins pins = 0;
  const auto pin_if = [&](bool held, Pin pin) {
    if (held) pins |= pin;
  };
  pin_if(!tables_.empty(), Pin::temporary_table);
  pin_if(!prepared_.empty(), Pin::sql_prepare);
  pin_if(!handlers_.empty(), Pin::handler);
  pin_if(!locks_.empty(), Pin::named_lock);
  pin_if(read_lock_ || instance_ || backup_, Pin::lock_tables);
  pin_if(xa_, Pin::xa);
  return pins;
}

std::string Holdings::count_locks_sql() const {
  std::string sql = "SELECT 0";
  for (const std::string& name : locks_) {
    sql.append("+IFNULL(IS_USED_LOCK(").append(name).append(")=CONNECTION_ID(),0)");
  }
  return sql;
}

}  // namespace weirpool::protocol::mysql
