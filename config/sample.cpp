// The commented sample: what is needed stands there, everything else is a comment with its default.
#include "config/load.hpp"
#include "config/option_table.hpp"

namespace weirpool::config {

namespace {

constexpr std::size_t kWidth = 100;

constexpr std::string_view kSampleHead =
    "# Every option of weirpool. What has a default is commented out and shows it; what is active\n"
    "# here is what a configuration needs. The page for reading is REFERENCE.md.\n"
    "#\n"
    "# Durations carry units: 250ms, 30s, 10m, 1m30s; 0 switches off. Values may hold ${NAME},\n"
    "# ${NAME:-default} or ${NAME:?message}; a dollar sign itself is $$. Keys that start with x- "
    "at\n"
    "# the top level are ignored. In [brackets]: when a reload (SIGHUP) makes a change count.\n";

std::string comment(std::string_view indent, std::string_view sentence) {
  std::string text;
  std::string line(indent);
  line += '#';
  while (!sentence.empty()) {
    const std::size_t space = sentence.find(' ');
    const std::string_view word = sentence.substr(0, space);
    if (line.size() + 1 + word.size() > kWidth) {
      text += line + "\n";
      line = std::string(indent) + "#";
    }
    line += ' ';
    line += word;
    sentence.remove_prefix(space == std::string_view::npos ? sentence.size() : space + 1);
  }
  return text + line + "\n";
}

std::string about(const Option& option) {
  std::string text(option.sentence);
  if (option.type == Type::choice) {
    std::string list;
    for (const std::string& one : split_choices(option.choices)) {
      list += (list.empty() ? "" : " | ") + one;
    }
    text += " " + list;
  }
  const std::string bounds = bounds_of(option);
  if (!bounds.empty()) text += " " + bounds;
  return text + " [" + std::string(to_text(option.reload)) + "]";
}

std::string_view element_name(std::string_view holder) {
  return holder == "users" ? "app" : "shop";
}

/// `off`: inside something that is commented out as a whole.
void write(std::string_view parent, std::size_t depth, bool first_in_list, bool off,
           std::string& out) {
  const std::string indent(depth * 2, ' ');
  for (const Option* option : children_of(parent)) {
    const std::string name(option->name());
    if (depth == 0) out += "\n";
    // The dash stands before the first key; its comment goes above the dash.
    const std::string outer = first_in_list ? std::string(depth * 2 - 2, ' ') : indent;
    const std::string lead = first_in_list ? outer + "- " : indent;
    if (option->holds_options()) {
      // A configuration without users of its own is the exception.
      const bool needed = option->required || option->path == "users";
      const bool unused = off || (option->type >= Type::map && !needed);
      const std::string hash = unused ? "#" : "";
      out += comment(outer, option->sentence);
      out.append(lead).append(hash).append(name).append(":\n");
      const bool map = option->type == Type::map;
      const bool list = option->type == Type::list;
      const std::string element = std::string(option->path) + ".*";
      if (map) {
        out.append(indent).append("  ").append(hash).append(element_name(option->path));
        out.append(":\n");
      }
      if (map || list) write(element, depth + 2, list, unused, out);
      if (!map && !list) write(option->path, depth + 1, false, unused, out);
    } else {
      const bool active = !off && (option->required || option->path == "users.*.password");
      out += comment(outer, about(*option));
      // Of a list that is commented out as a whole the dash is too.
      const std::string off_lead = first_in_list ? outer + "#- " : indent + "#";
      out.append(off ? off_lead : lead).append(off || active ? "" : "#").append(name).append(": ");
      out += option->fallback.empty() ? option->example : option->fallback;
      out += "\n";
    }
    first_in_list = false;
  }
}

}  // namespace

std::string sample() {
  std::string text(kSampleHead);
  write("", 0, false, false, text);
  return text;
}

}  // namespace weirpool::config
