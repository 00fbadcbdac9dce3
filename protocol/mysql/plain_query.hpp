// The few queries whose answer weirpool knows better than a backend: what identifies the client's
// own session, and what its own previous statement did.
//   SELECT f() [[AS] alias] [;]   with f one of the functions below; SELECT @@v likewise
//   SHOW COUNT(*) WARNINGS | ERRORS [;]
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/bytes.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::mysql {

enum class Asked : std::uint8_t {
  connection_id,
  last_insert_id,
  row_count,
  found_rows,
  warning_count,
  error_count,
};

struct PlainQuery {
  Asked what = Asked::connection_id;
  std::string column;  ///< what the server would call it
  bool shows = false;  ///< SHOW, which leaves what it looks at as it was
};

/// None: anything else, however similar.
std::optional<PlainQuery> parse_plain_query(std::string_view sql);

/// One statement that is none of these and yet reads ROW_COUNT(), FOUND_ROWS(), @@warning_count,
/// @@error_count or, by GET DIAGNOSTICS, more of what the one before it did. In doubt false.
bool reads_own_past(std::string_view sql);

/// Appends a result of one row: count, definition, row, end. `sequence` of the first packet; what
/// has been negotiated with the client decides about the layout.
struct PlainResult {
  PlainQuery query;
  std::int64_t value = 0;
  std::uint16_t status = 0;
  std::uint64_t capabilities = 0;
  bool mariadb = false;
  bool binary = false;  ///< the answer to an EXECUTE

  void serialize(Writer& out, std::uint8_t sequence) const;
};

}  // namespace weirpool::protocol::mysql
