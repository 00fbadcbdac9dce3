// What a statement does to the transaction it is sent in. Asked only inside transactions, for the
// case that the backend is lost under it.
#pragma once

#include <cstdint>
#include <string_view>

namespace weirpool::protocol::mysql {

enum class Verb : std::uint8_t {
  other,     ///< anything that may end the transaction: many statements commit implicitly
  inside,    ///< it stays inside
  rollback,  ///< ROLLBACK and nothing else
  begin,     ///< BEGIN or START TRANSACTION and nothing else
};

/// By the first words, in doubt other. Further statements are the caller's matter (SessionText),
/// except that rollback and begin have none. `sql` may be the front of a longer text if `whole` is
/// false.
Verb verb_of(std::string_view sql, bool whole = true);

/// COMMIT or ROLLBACK and nothing else; no other transaction follows.
bool ends_transaction(std::string_view sql);

}  // namespace weirpool::protocol::mysql
