// What stands in front of the SQL of a COM_QUERY where QUERY_ATTRIBUTES has been negotiated:
//   lenenc count · lenenc sets, always 1
//   with count > 0: (count + 7) / 8 bytes of NULL bits · u8 1 · count times u16 type, lenenc name ·
//   the values that are not NULL, as in COM_STMT_EXECUTE
// Source: dev.mysql.com, "COM_QUERY".
#pragma once

#include <optional>

#include "protocol/bytes.hpp"

namespace weirpool::protocol::mysql {

/// Where the SQL begins in `payload`, which begins with the count. Nothing: the attributes are
/// malformed, or do not end in what is there.
std::optional<std::size_t> sql_behind_attributes(Bytes payload);

}  // namespace weirpool::protocol::mysql
