// What a statement of the console asks for. The grammar is PgBouncer's, and a little more of what
// drivers say unasked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weirpool::console {

enum class Verb : std::uint8_t {
  show,         ///< name: which table, in capitals, words joined by _
  set,          ///< name, value: an option of the configuration
  pause,        ///< name: a database; empty: all
  resume,       ///< the same
  suspend,      ///< everything
  disable,      ///< name: a database
  enable,       ///< the same
  reconnect,    ///< name: a database; empty: all
  kill,         ///< the same
  kill_client,  ///< name: the client's id
  wait_close,   ///< name: a database; empty: all
  reload,
  shutdown,  ///< name: empty, WAIT_FOR_SERVERS or WAIT_FOR_CLIENTS
  harmless,  ///< nothing to do; name: the command tag
  constant,  ///< name: column, value: what it holds
  invalid,
};

struct Command {
  Verb verb = Verb::invalid;
  std::string name;
  std::string value;
};

/// `text`: one statement without its semicolon.
Command parse(std::string_view text);

/// May it change anything? Those who only watch may not say it.
bool changes(Verb verb);

/// The command tag of a verb that is done: PAUSE, KILL_CLIENT ...
std::string_view tag_of(Verb verb);

}  // namespace weirpool::console
