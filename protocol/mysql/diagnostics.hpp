// What SHOW WARNINGS and SHOW ERRORS say of a statement whose backend serves somebody else by now:
// parts of what the backend has said to SHOW WARNINGS, which is kept as packets (Recording).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"

namespace weirpool::protocol::mysql {

/// SHOW WARNINGS | ERRORS [LIMIT [offset,] number | LIMIT number OFFSET offset] [;]
struct DiagnosticsQuery {
  bool errors = false;  ///< those rows alone
  std::uint64_t skip = 0;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
};

/// None: anything else.
std::optional<DiagnosticsQuery> parse_diagnostics_query(std::string_view sql);

/// The same packets with the rows that are asked for. `binary`: as the answer to an EXECUTE.
std::vector<std::uint8_t> select_diagnostics(Bytes recorded, const DiagnosticsQuery& query,
                                             bool binary);

struct OneError {
  std::uint16_t code = 0;
  std::string_view message;
  std::uint64_t capabilities = 0;  ///< of the client, and so of its backends
  std::uint16_t collation = 0;     ///< of the texts
  std::uint16_t status = 0;
};

/// What a backend would say to SHOW WARNINGS behind an error.
std::vector<std::uint8_t> diagnostics_of(const OneError& error);

}  // namespace weirpool::protocol::mysql
