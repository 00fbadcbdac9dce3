#include "config/substitute.hpp"

#include <cstdlib>

namespace weirpool::config {

namespace {

bool is_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

/// Resolves what stands between the braces into out.text, or sets out.error.
void expand(std::string_view inside, Substituted& out) {
  const std::size_t colon = inside.find(':');
  const std::string name(inside.substr(0, colon));
  if (!is_name(name)) {
    out.error = "'${" + std::string(inside) +
                "}' is not a variable; write ${NAME}, "
                "${NAME:-default} or ${NAME:?message}, and $$ for a dollar sign";
    return;
  }
  const char* value = std::getenv(name.c_str());
  out.changed = true;
  if (colon == std::string_view::npos) {
    if (value == nullptr) out.error = "environment variable " + name + " is not set";
    if (value != nullptr) out.text += value;
    return;
  }
  const std::string_view rest = inside.substr(colon + 1);
  const std::string argument(rest.empty() ? rest : rest.substr(1));
  const bool set = value != nullptr && *value != '\0';
  if (rest.starts_with('-')) {
    out.text += set ? std::string(value) : argument;
  } else if (rest.starts_with('?')) {
    if (set) out.text += value;
    if (!set) {
      out.error = "environment variable " + name + " is not set";
      if (!argument.empty()) out.error += ": " + argument;
    }
  } else {
    out.error = "after ${" + name + ": only - (default) or ? (message) may follow";
  }
}

}  // namespace

Substituted substitute(std::string_view text) {
  Substituted out;
  std::size_t at = 0;
  while (at < text.size() && out.error.empty()) {
    const std::size_t dollar = text.find('$', at);
    out.text += text.substr(at, dollar - at);
    if (dollar == std::string_view::npos) break;
    const std::string_view rest = text.substr(dollar + 1);
    if (rest.starts_with('$')) {
      out.text += '$';
      at = dollar + 2;
    } else if (rest.starts_with('{')) {
      const std::size_t close = rest.find('}');
      if (close == std::string_view::npos) {
        out.error = "'${' is never closed; write $$ for a dollar sign";
        break;
      }
      expand(rest.substr(1, close - 1), out);
      at = dollar + 1 + close + 1;
    } else {
      out.error = "a lone '$'; write $$ for a dollar sign or ${NAME} for a variable";
    }
  }
  return out;
}

}  // namespace weirpool::config
