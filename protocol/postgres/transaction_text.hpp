// Does a text end the transaction it is sent in? Asked only inside transactions, for the case that
// the backend is lost under it.
#pragma once

#include <cstdint>
#include <string_view>

namespace weirpool::protocol::postgres {

enum class Ending : std::uint8_t {
  none,      ///< certainly not
  rollback,  ///< it is ROLLBACK and nothing else
  commit,    ///< it is COMMIT and nothing else
  unclear,   ///< it may: several statements, AND CHAIN, PREPARE TRANSACTION
};

/// In doubt unclear: inside a transaction block only these words at the beginning of a statement
/// end it (procedures and DO cannot), and a semicolon with anything behind it counts as a second
/// statement, whatever it stands in. `text` may be the front of a longer one if `whole` is false.
Ending ending_of(std::string_view text, bool whole = true);

}  // namespace weirpool::protocol::postgres
