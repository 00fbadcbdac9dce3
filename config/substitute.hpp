// ${NAME}, ${NAME:-default}, ${NAME:?message} and $$ inside one parsed value. It runs after YAML
// has been parsed, so that a variable's content can never become structure.
#pragma once

#include <string>
#include <string_view>

namespace weirpool::config {

struct Substituted {
  std::string text;
  bool changed = false;  ///< the text holds environment content: do not quote it in messages
  std::string error;     ///< empty: fine
};

/// Reads the process environment (getenv: call before threads change it). NAME is
/// [A-Za-z_][A-Za-z0-9_]*; ":-" and ":?" treat an empty variable like an unset one, as a shell
/// does. A default is taken literally: no nesting.
Substituted substitute(std::string_view text);

}  // namespace weirpool::config
