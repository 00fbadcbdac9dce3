// The reference page.
#include "config/load.hpp"
#include "config/option_table.hpp"

namespace weirpool::config {

namespace {

constexpr std::string_view kReferenceHead =
    "# Configuration reference\n\n"
    "Generated from the option table (`config/option_table.cpp`) by `weirpool config reference`.\n"
    "\n"
    "Durations carry units (`250ms`, `30s`, `10m`, `1m30s`); `0` or `off` switches one off.\n"
    "Values may hold `${NAME}`, `${NAME:-default}` or `${NAME:?message}`; a dollar sign is `$$`.\n"
    "Keys that start with `x-` at the top level are ignored.\n\n"
    "*Reload* says when a change counts after SIGHUP: *live* at once, *new-connections* for\n"
    "connections opened from then on, *restart* only after one.\n";

constexpr std::string_view kColumns =
    "\n| key | default | allowed | reload | what it does |\n| --- | --- | --- | --- | --- |\n";

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string allowed(const Option& option) {
  switch (option.type) {
    case Type::choice: {
      std::string list;
      for (const std::string& one : split_choices(option.choices)) {
        list += (list.empty() ? "" : ", ") + code(one);
      }
      return list;
    }
    case Type::boolean: return "`true`, `false`";
    case Type::address: return "host:port";
    case Type::addresses: return "host:port, host:port …";
    case Type::http_address: return "host:port, `off`";
    case Type::file:
    case Type::secret_file: return "path of a file";
    case Type::secret_env: return "name of a variable";
    case Type::names: return "list of names";
    case Type::text:
    case Type::secret: return "text";
    default: return bounds_of(option);
  }
}

std::string row(const Option& option) {
  const std::string fallback = option.required           ? "**required**"
                               : option.fallback.empty() ? "none"
                                                         : code(option.fallback);
  return "| " + code(option.name()) + " | " + fallback + " | " + allowed(option) + " | " +
         std::string(to_text(option.reload)) + " | " + std::string(option.sentence) + " |\n";
}

/// A heading and the table of what is directly inside `path`, then the same for groups in it.
void section(std::string_view path, std::string_view sentence, std::string& out) {
  const std::vector<const Option*> children = children_of(path);
  std::string rows;
  for (const Option* option : children) {
    if (!option->holds_options()) rows += row(*option);
  }
  if (!rows.empty()) {
    out += "\n## " + (path.empty() ? "Top level" : code(path)) + "\n\n";
    out += std::string(sentence) + "\n";
    out += std::string(kColumns) + rows;
  }
  for (const Option* option : children) {
    if (option->holds_options()) section(option->path, option->sentence, out);
  }
}

}  // namespace

std::string reference() {
  std::string text(kReferenceHead);
  section("", "Keys that belong to no group.", text);
  return text;
}

}  // namespace weirpool::config
