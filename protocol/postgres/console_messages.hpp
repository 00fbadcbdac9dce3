// Result sets and what a client says about them, in full: only the console speaks these itself, for
// everybody else they pass by length. Payloads exclude tag and length; views point into them.
#pragma once

#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/console.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::postgres {

/// 'B' | cstring portal | cstring statement | int16 n, int16 format* | int16 n, (int32 length |
/// value)* | int16 n, int16 format*.
struct BindMessage {
  std::string_view portal;
  std::string_view statement;
  std::uint16_t parameters = 0;
  std::vector<std::uint16_t> result_formats;  ///< none: text; one: for all; else one per column

  static Result<BindMessage> parse(Bytes payload);
};

/// 'E' | cstring portal | int32 rows; 0: all.
struct ExecuteMessage {
  std::string_view portal;
  std::uint32_t max_rows = 0;

  static Result<ExecuteMessage> parse(Bytes payload);
};

inline constexpr std::uint16_t kTextFormat = 0;
inline constexpr std::uint16_t kBinaryFormat = 1;

/// The format of column `index` as Bind asked for it.
std::uint16_t format_of(const std::vector<std::uint16_t>& formats, std::size_t index);

/// 'T' | int16 n | (cstring name | int32 table | int16 column | int32 type | int16 size | int32
/// modifier | int16 format)*.
void write_row_description(const std::vector<console::Column>& columns,
                           const std::vector<std::uint16_t>& formats, Writer& out);
/// 'D' | int16 n | (int32 length, -1: NULL | value)*. Cells that are no numbers where the column
/// says so are written as NULL in binary.
void write_data_row(const std::vector<console::Column>& columns,
                    const std::vector<console::Cell>& row,
                    const std::vector<std::uint16_t>& formats, Writer& out);
/// 'C' | cstring tag.
void write_command_complete(std::string_view tag, Writer& out);
/// 'N' | as ErrorResponse.
void write_notice(std::string_view message, std::string_view detail, Writer& out);
/// 't' | int16 0: no parameters.
void write_no_parameters(Writer& out);

}  // namespace weirpool::protocol::postgres
