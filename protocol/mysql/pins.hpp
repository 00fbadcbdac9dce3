// Why a client keeps its backend beyond a boundary. Each is a label of a metric and a word in the
// log; all but those of prepared statements and schema last until COM_RESET_CONNECTION or the
// client leaves.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace weirpool::protocol::mysql {

enum class Pin : std::uint32_t {
  prepared_statement = 1U << 0,
  user_variable = 1U << 1,
  named_lock = 1U << 2,
  temporary_table = 1U << 3,
  lock_tables = 1U << 4,
  handler = 1U << 5,
  sql_prepare = 1U << 6,
  found_rows = 1U << 7,
  xa = 1U << 8,
  routine = 1U << 9,
  session_track = 1U << 10,
  last_insert_id = 1U << 11,
  session_state = 1U << 12,
  variables = 1U << 13,
  schema = 1U << 14,
  cursor = 1U << 15,
  long_data = 1U << 16,
  service_lock = 1U << 17,
  diagnostics = 1U << 18,
};

using Pins = std::uint32_t;

constexpr Pins operator|(Pins pins, Pin pin) { return pins | static_cast<Pins>(pin); }
constexpr Pins& operator|=(Pins& pins, Pin pin) { return pins = pins | pin; }
constexpr bool has(Pins pins, Pin pin) { return (pins & static_cast<Pins>(pin)) != 0; }

/// The first reason in the order above; empty for none.
constexpr std::string_view reason_of(Pins pins) {
  constexpr std::array<std::string_view, 19> names{"prepared_statement",
                                                   "user_variable",
                                                   "named_lock",
                                                   "temporary_table",
                                                   "lock_tables",
                                                   "handler",
                                                   "sql_prepare",
                                                   "found_rows",
                                                   "xa",
                                                   "routine",
                                                   "session_track",
                                                   "last_insert_id",
                                                   "session_state",
                                                   "variables",
                                                   "schema",
                                                   "cursor",
                                                   "long_data",
                                                   "service_lock",
                                                   "diagnostics"};
  return pins == 0 ? std::string_view{} : names[static_cast<std::size_t>(std::countr_zero(pins))];
}

}  // namespace weirpool::protocol::mysql
