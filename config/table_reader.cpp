#include "config/table_reader.hpp"

#include <cstdlib>
#include <vector>

#include "config/cores.hpp"
#include "config/limits.hpp"
#include "config/memory.hpp"
#include "config/option_table.hpp"
#include "config/password.hpp"
#include "config/substitute.hpp"
#include "config/suggest.hpp"

namespace weirpool::config {

namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  if (from.empty()) return;
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// What suits the machine.
void assign_automatic(const Option& option, const Scope& scope) {
  const std::uint32_t number =
      option.path == "workers" ? usable_cores() : memory_high_of(usable_memory());
  assign(option, std::to_string(number), option.field(scope));
}

class TableReader {
 public:
  TableReader(Config& config, Positions& positions, Problems& problems)
      : config_(config), positions_(positions), problems_(problems) {}

  /// The options directly inside `parent`; `node` is null where the group was left out.
  void read_children(std::string_view parent, const Node* node, const std::string& path,
                     const Scope& scope);

 private:
  void read_option(const Option& option, const Node& node, const std::string& path,
                   const Scope& scope);
  void read_absent(const Option& option, Mark mark, const std::string& path, const Scope& scope);
  void read_map(const Option& option, const Node& node, const std::string& path);
  void read_list(const Option& option, const Node& node, const std::string& path);
  void read_names(const Node& node, const std::string& path, const Field& field);
  void read_value(const Option& option, const Node& node, const std::string& path,
                  const Scope& scope);
  void check_empty(const Option& option, const Node& node, const std::string& text,
                   const std::string& path);
  void read_secret(const Option& option, const Node& node, const std::string& text,
                   const std::string& path, const Scope& scope);
  void check_passwords(const Node* node, const std::string& path);
  void check_known(std::string_view parent, const Entry& entry, const std::string& path);
  bool expect(Node::Kind kind, const Node& node, const std::string& path);
  /// Replaces ${…}; false if that failed.
  bool scalar_of(const Node& node, const std::string& path, Substituted& out);

  Config& config_;
  Positions& positions_;
  Problems& problems_;
};

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

const Entry* entry_of(const Node* node, std::string_view key) {
  if (node == nullptr) return nullptr;
  for (const Entry& entry : node->entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

void TableReader::read_children(std::string_view parent, const Node* node, const std::string& path,
                                const Scope& scope) {
  const Mark mark = node == nullptr ? positions_[path] : node->mark;
  if (node != nullptr && node->kind == Node::Kind::null) node = nullptr;
  if (node != nullptr && !expect(Node::Kind::map, *node, path)) return;
  for (const Option* option : children_of(parent)) {
    const std::string inner = join(path, option->name());
    if (const Entry* entry = entry_of(node, option->name())) {
      positions_[inner] = entry->mark;
      read_option(*option, entry->value, inner, scope);
    } else {
      read_absent(*option, mark, inner, scope);
    }
  }
  if (parent == "users.*") check_passwords(node, path);
  if (node == nullptr) return;
  for (const Entry& entry : node->entries) {
    const bool extension = path.empty() && entry.key.starts_with("x-");
    if (!extension) check_known(parent, entry, path);
  }
}

void TableReader::check_known(std::string_view parent, const Entry& entry,
                              const std::string& path) {
  std::vector<std::string> known;
  for (const Option* option : children_of(parent)) {
    if (option->name() == entry.key) return;
    known.emplace_back(option->name());
  }
  problems_.error(entry.mark, path,
                  "unknown key '" + entry.key + "'" + suggestion(entry.key, known));
}

bool TableReader::expect(Node::Kind kind, const Node& node, const std::string& path) {
  if (node.kind == kind) return true;
  problems_.error(
      node.mark, path,
      "needs " + std::string(to_text(kind)) + ", not " + std::string(to_text(node.kind)));
  return false;
}

void TableReader::read_option(const Option& option, const Node& node, const std::string& path,
                              const Scope& scope) {
  switch (option.type) {
    case Type::group: read_children(option.path, &node, path, scope); return;
    case Type::map: read_map(option, node, path); return;
    case Type::list: read_list(option, node, path); return;
    case Type::names: read_names(node, path, option.field(scope)); return;
    default: read_value(option, node, path, scope); return;
  }
}

void TableReader::read_absent(const Option& option, Mark mark, const std::string& path,
                              const Scope& scope) {
  positions_[path] = mark;
  if (option.required) {
    problems_.error(mark, path, "is missing: " + std::string(option.sentence));
  } else if (option.type == Type::group) {
    read_children(option.path, nullptr, path, scope);
  } else if (option.type == Type::automatic) {
    assign_automatic(option, scope);
  } else if (!option.fallback.empty()) {
    assign(option, std::string(option.fallback), option.field(scope));
  }
}

void TableReader::read_map(const Option& option, const Node& node, const std::string& path) {
  if (!expect(Node::Kind::map, node, path)) return;
  if (node.entries.empty()) problems_.error(node.mark, path, "needs at least one entry");
  for (const Entry& entry : node.entries) {
    const std::string inner = join(path, entry.key);
    positions_[inner] = entry.mark;
    if (entry.key.empty() || entry.key.size() > kMaxNameBytes ||
        entry.key.find('\0') != std::string::npos) {
      problems_.error(entry.mark, path, "a name must have 1 to 128 bytes and no NUL");
      continue;
    }
    Scope scope;
    scope.config = &config_;
    if (option.path == "backends") {
      scope.backend = &config_.backends[entry.key];
      scope.backend->name = entry.key;
    } else if (option.path == "databases") {
      scope.database = &config_.databases[entry.key];
      scope.database->name = entry.key;
    } else {
      scope.user = &config_.users[entry.key];
      scope.user->name = entry.key;
    }
    read_children(std::string(option.path) + ".*", &entry.value, inner, scope);
  }
}

void TableReader::read_list(const Option& option, const Node& node, const std::string& path) {
  if (!expect(Node::Kind::list, node, path)) return;
  if (node.items.empty()) problems_.error(node.mark, path, "needs at least one entry");
  const bool rules = option.path == "admission.rules";
  if (rules) {
    config_.admission.rules.resize(node.items.size());
  } else {
    config_.listeners.resize(node.items.size());
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string inner = path + "[" + std::to_string(i) + "]";
    positions_[inner] = node.items[i].mark;
    Scope scope;
    scope.config = &config_;
    if (rules) {
      scope.rule = &config_.admission.rules[i];
    } else {
      scope.listener = &config_.listeners[i];
    }
    read_children(std::string(option.path) + ".*", &node.items[i], inner, scope);
  }
}

void TableReader::read_names(const Node& node, const std::string& path, const Field& field) {
  if (!expect(Node::Kind::list, node, path)) return;
  std::vector<std::string>& names = **std::get_if<std::vector<std::string>*>(&field);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string inner = path + "[" + std::to_string(i) + "]";
    positions_[inner] = node.items[i].mark;
    Substituted text;
    if (scalar_of(node.items[i], inner, text)) names.push_back(text.text);
  }
}

bool TableReader::scalar_of(const Node& node, const std::string& path, Substituted& out) {
  if (node.kind == Node::Kind::null) {
    problems_.error(node.mark, path, "has no value");
    return false;
  }
  if (!expect(Node::Kind::scalar, node, path)) return false;
  out = node.literal ? Substituted{node.text, false, {}} : substitute(node.text);
  if (out.error.empty()) return true;
  problems_.error(node.mark, path, out.error);
  return false;
}

void TableReader::read_value(const Option& option, const Node& node, const std::string& path,
                             const Scope& scope) {
  Substituted text;
  if (!scalar_of(node, path, text)) return;
  if (option.is_secret()) {
    read_secret(option, node, text.text, path, scope);
    return;
  }
  if (option.type == Type::automatic && text.text == "auto") {
    assign_automatic(option, scope);
    return;
  }
  std::string wrong = assign(option, text.text, option.field(scope));
  if (wrong.empty()) return;
  // A variable may hold a secret that was put in the wrong place: quote the file, not its content.
  if (text.changed) replace_all(wrong, text.text, node.text);
  problems_.error(node.mark, path, wrong);
}

void TableReader::read_secret(const Option& option, const Node& node, const std::string& text,
                              const std::string& path, const Scope& scope) {
  PasswordSource source;
  if (option.type == Type::secret) {
    source.value = Secret(text);
    check_empty(option, node, text, path);
    if (text.find('\0') != std::string::npos) problems_.error(node.mark, path, "holds a NUL byte");
  } else if (option.type == Type::secret_env) {
    const char* value = std::getenv(text.c_str());
    if (value == nullptr || *value == '\0') {
      problems_.error(node.mark, path, "environment variable is not set or empty");
    } else {
      source.value = Secret(value);
    }
  } else {
    SecretFile file = read_secret_file(text);
    if (!file.error.empty()) problems_.error(node.mark, path, text + ": " + file.error);
    if (file.readable_by_all) {
      problems_.warning(node.mark, path, text + " may be read by everyone on this machine");
    }
    source.value = Secret(std::move(file.text));
    source.file = text;
  }
  if (option.name().starts_with("old_")) {
    scope.user->old_password = std::move(source);
  } else {
    scope.user->password = std::move(source);
  }
}

/// An account without a password is written as one; a variable that happens to be empty opens no
/// door.
void TableReader::check_empty(const Option& option, const Node& node, const std::string& text,
                              const std::string& path) {
  if (!text.empty()) return;
  if (!node.text.empty() || option.name().starts_with("old_")) {
    problems_.error(node.mark, path, "is empty");
  } else {
    problems_.warning(node.mark, path, "is empty: whoever reaches a listener may be this user");
  }
}

void TableReader::check_passwords(const Node* node, const std::string& path) {
  for (const std::string prefix : {"", "old_"}) {
    std::vector<const Entry*> given;
    for (const char* suffix : {"password", "password_file", "password_env"}) {
      if (const Entry* entry = entry_of(node, prefix + suffix)) given.push_back(entry);
    }
    if (given.size() > 1) {
      problems_.error(given[1]->mark, path,
                      given[0]->key + " and " + given[1]->key + " exclude each other");
    }
    if (given.empty() && prefix.empty()) {
      problems_.error(positions_[path], path, "needs one of password, password_file, password_env");
    }
  }
}

}  // namespace

void read_tree(const Node& root, Config& config, Positions& positions, Problems& problems) {
  Scope scope;
  scope.config = &config;
  positions[""] = {};
  TableReader(config, positions, problems).read_children("", &root, "", scope);
}

}  // namespace weirpool::config
