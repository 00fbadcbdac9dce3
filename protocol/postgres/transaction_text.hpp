// What a text does to the transaction it is sent in. Whether it ends it is asked only inside
// transactions, for the case that the backend is lost under it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weirpool::protocol::postgres {

enum class Ending : std::uint8_t {
  none,      ///< certainly not
  rollback,  ///< it is ROLLBACK and nothing else
  commit,    ///< it is COMMIT and nothing else
  unclear,   ///< it may: several statements, AND CHAIN, PREPARE TRANSACTION
};

/// Bytes of the comment at the front of `text`; 0: there is none, or it has no end.
std::size_t comment_size(std::string_view text);
/// `text` behind the white space and comments at its front.
std::string_view skip_space(std::string_view text);

/// By how it begins: is it one of SELECT, INSERT, UPDATE, DELETE and WITH, as most are? `text`
/// begins with a word.
bool concerns_rows(std::string_view text);

/// In doubt unclear: inside a transaction block only these words at the beginning of a statement
/// end it (procedures and DO cannot), and a semicolon with anything behind it counts as a second
/// statement, whatever it stands in. `text` may be the front of a longer one if `whole` is false.
Ending ending_of(std::string_view text, bool whole = true);

/// What a text may do, in doubt as above.
struct Reach {
  bool begins = true;  ///< a transaction block may be open behind it that was not before
  /// It may use a sequence, be it by a default or inside a function: all may but single statements
  /// that only begin something, set, show or take back.
  bool draws = true;
};
Reach reach_of(std::string_view text, bool whole = true);

}  // namespace weirpool::protocol::postgres
