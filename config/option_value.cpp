// One option's text <-> its field, and the walk over all places of a configuration.
#include <algorithm>
#include <utility>

#include "config/option_table.hpp"
#include "config/scalar.hpp"

namespace weirpool::config {

namespace {

template <class T>
T& at(const Field& field) {
  return **std::get_if<T*>(&field);
}

std::string out_of_bounds(const Option& option, const std::string& text) {
  return text + " is out of range (" + bounds_of(option) + ")";
}

std::string assign_integer(const Option& option, const std::string& text, const Field& field) {
  const Parsed<std::uint64_t> parsed = parse_integer(text);
  if (!parsed.value) return parsed.error;
  const std::uint64_t value = *parsed.value;
  if (value < static_cast<std::uint64_t>(option.min) ||
      value > static_cast<std::uint64_t>(option.max)) {
    return out_of_bounds(option, text);
  }
  at<std::uint32_t>(field) = static_cast<std::uint32_t>(value);
  return {};
}

std::string assign_duration(const Option& option, const std::string& text, const Field& field) {
  const Parsed<Duration> parsed = parse_duration(text);
  if (!parsed.value) return parsed.error;
  const std::int64_t value = parsed.value->count();
  if (value != 0 && (value < option.min || value > option.max)) return out_of_bounds(option, text);
  at<Duration>(field) = *parsed.value;
  return {};
}

std::string assign_choice(const Option& option, const std::string& text, const Field& field) {
  const std::vector<std::string> choices = split_choices(option.choices);
  const auto found = std::find(choices.begin(), choices.end(), text);
  if (found == choices.end()) {
    std::string list;
    for (const std::string& one : choices) list += (list.empty() ? "" : ", ") + one;
    const bool only = choices.size() == 1;
    return "'" + text + "' is not known here; " + (only ? "only " : "one of: ") + list;
  }
  if (const auto* slot = std::get_if<EnumField>(&field)) {
    *slot->value = static_cast<std::uint8_t>(found - choices.begin());
  }
  return {};
}

std::string assign_address(const std::string& text, const Field& field) {
  Parsed<Address> parsed = parse_address(text);
  if (!parsed.value) return parsed.error;
  at<Address>(field) = std::move(*parsed.value);
  return {};
}

std::string assign_addresses(const std::string& text, const Field& field) {
  HostList hosts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(',', begin);
    std::string one = text.substr(begin, end == std::string::npos ? end : end - begin);
    one.erase(0, one.find_first_not_of(' '));
    one.erase(one.find_last_not_of(' ') + 1);
    Parsed<Address> parsed = parse_address(one);
    if (!parsed.value) return parsed.error;
    if (begin == 0) {
      static_cast<Address&>(hosts) = std::move(*parsed.value);
    } else {
      hosts.others.push_back(std::move(*parsed.value));
    }
  }
  at<HostList>(field) = std::move(hosts);
  return {};
}

std::string text_of_addresses(const HostList& hosts) {
  std::string list = format_address(hosts);
  for (const Address& other : hosts.others) list += ", " + format_address(other);
  return list;
}

std::string bound_text(const Option& option, std::int64_t value) {
  return option.type == Type::duration ? format_duration(Duration{value}) : std::to_string(value);
}

void walk_children(std::string_view parent, const std::string& path, int depth, const Scope& scope,
                   const std::function<void(const Place&)>& visit);

/// A map's or list's elements: each gets its own object in the scope.
void walk_elements(const Option& holder, const Place& place,
                   const std::function<void(const Place&)>& visit) {
  const std::string pattern = std::string(holder.path) + ".*";
  const Option& element = *find_option(pattern);
  const auto enter = [&](const std::string& path, const std::string& key, const Scope& scope) {
    visit({element, path, key, place.depth + 1, scope});
    walk_children(pattern, path, place.depth + 2, scope, visit);
  };
  Scope scope = place.scope;
  if (holder.path == "backends") {
    for (auto& [name, backend] : scope.config->backends) {
      scope.backend = &backend;
      enter(place.path + "." + name, name, scope);
    }
  } else if (holder.path == "databases") {
    for (auto& [name, database] : scope.config->databases) {
      scope.database = &database;
      enter(place.path + "." + name, name, scope);
    }
  } else if (holder.path == "users") {
    for (auto& [name, user] : scope.config->users) {
      scope.user = &user;
      enter(place.path + "." + name, name, scope);
    }
  } else if (holder.path == "admission.rules") {
    for (std::size_t i = 0; i < scope.config->admission.rules.size(); ++i) {
      scope.rule = &scope.config->admission.rules[i];
      enter(place.path + "[" + std::to_string(i) + "]", "", scope);
    }
  } else {
    for (std::size_t i = 0; i < scope.config->listeners.size(); ++i) {
      scope.listener = &scope.config->listeners[i];
      enter(place.path + "[" + std::to_string(i) + "]", "", scope);
    }
  }
}

void walk_children(std::string_view parent, const std::string& path, int depth, const Scope& scope,
                   const std::function<void(const Place&)>& visit) {
  for (const Option* option : children_of(parent)) {
    if (option->name() == "*") continue;
    // Holders that may be left out, and then are not there.
    if (option->path == "databases" && scope.config->databases.empty()) continue;
    if (option->path == "admission.rules" && scope.config->admission.rules.empty()) continue;
    const std::string name(option->name());
    std::string full(path);
    if (!full.empty()) full.append(".");
    full.append(name);
    const Place place{*option, std::move(full), name, depth, scope};
    visit(place);
    if (option->type == Type::map || option->type == Type::list)
      walk_elements(*option, place, visit);
    if (option->type == Type::group) {
      walk_children(option->path, place.path, depth + 1, scope, visit);
    }
  }
}

}  // namespace

std::string assign(const Option& option, const std::string& text, const Field& field) {
  switch (option.type) {
    case Type::automatic:
    case Type::integer: return assign_integer(option, text, field);
    case Type::duration: return assign_duration(option, text, field);
    case Type::choice: return assign_choice(option, text, field);
    case Type::address: return assign_address(text, field);
    case Type::addresses: return assign_addresses(text, field);
    case Type::http_address:
      if (text != "off") return assign_address(text, field);
      at<Address>(field) = Address{};
      return {};
    case Type::boolean: {
      const Parsed<bool> parsed = parse_boolean(text);
      if (parsed.value) at<bool>(field) = *parsed.value;
      return parsed.error;
    }
    case Type::text:
    case Type::file: at<std::string>(field) = text; return {};
    default: return {};
  }
}

std::string text_of(const Option& option, const Field& field) {
  switch (option.type) {
    case Type::automatic:
    case Type::integer: return std::to_string(at<std::uint32_t>(field));
    case Type::duration: return format_duration(at<Duration>(field));
    case Type::boolean: return at<bool>(field) ? "true" : "false";
    case Type::text:
    case Type::file: return at<std::string>(field);
    case Type::addresses: return text_of_addresses(at<HostList>(field));
    case Type::address:
    case Type::http_address: return format_address(at<Address>(field));
    case Type::choice: {
      const auto* slot = std::get_if<EnumField>(&field);
      return slot == nullptr ? std::string(option.fallback)
                             : split_choices(option.choices).at(*slot->value);
    }
    case Type::names: {
      std::string list;
      for (const std::string& name : at<std::vector<std::string>>(field)) {
        list += (list.empty() ? "" : ", ") + name;
      }
      return list;
    }
    default: return {};
  }
}

std::string bounds_of(const Option& option) {
  std::string range = bound_text(option, option.min) + ".." + bound_text(option, option.max);
  switch (option.type) {
    case Type::integer: return range;
    case Type::duration: return "0, " + range;
    case Type::automatic: return "auto, " + range;
    default: return {};
  }
}

void walk(Config& config, const std::function<void(const Place&)>& visit) {
  Scope scope;
  scope.config = &config;
  walk_children("", "", 0, scope, visit);
}

std::vector<std::string> split_choices(std::string_view choices) {
  std::vector<std::string> all;
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    all.emplace_back(choices.substr(0, bar));
    choices.remove_prefix(bar == std::string_view::npos ? choices.size() : bar + 1);
  }
  return all;
}

}  // namespace weirpool::config
