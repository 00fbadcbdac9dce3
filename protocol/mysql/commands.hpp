// Command bytes and the packets weirpool sends to a backend on its own account.
#pragma once

#include <string_view>

#include "protocol/mysql/frame.hpp"

namespace weirpool::protocol::mysql {

namespace com {
inline constexpr std::uint8_t quit = 0x01;
inline constexpr std::uint8_t init_db = 0x02;
inline constexpr std::uint8_t query = 0x03;
inline constexpr std::uint8_t field_list = 0x04;
inline constexpr std::uint8_t refresh = 0x07;  // MariaDB; MySQL until 8.3
inline constexpr std::uint8_t statistics = 0x09;
inline constexpr std::uint8_t process_info = 0x0A;  // MariaDB; MySQL until 8.3
inline constexpr std::uint8_t process_kill = 0x0C;
inline constexpr std::uint8_t debug = 0x0D;
inline constexpr std::uint8_t ping = 0x0E;
inline constexpr std::uint8_t change_user = 0x11;
inline constexpr std::uint8_t binlog_dump = 0x12;
inline constexpr std::uint8_t register_slave = 0x15;
inline constexpr std::uint8_t stmt_prepare = 0x16;
inline constexpr std::uint8_t stmt_execute = 0x17;
inline constexpr std::uint8_t stmt_send_long_data = 0x18;
inline constexpr std::uint8_t stmt_close = 0x19;
inline constexpr std::uint8_t stmt_reset = 0x1A;
inline constexpr std::uint8_t set_option = 0x1B;
inline constexpr std::uint8_t stmt_fetch = 0x1C;
inline constexpr std::uint8_t binlog_dump_gtid = 0x1E;
inline constexpr std::uint8_t reset_connection = 0x1F;
inline constexpr std::uint8_t stmt_bulk_execute = 0xFA;  // MariaDB

/// Its text is executed, whether it comes along or was prepared before.
constexpr bool runs_text(std::uint8_t command) {
  return command == query || command == stmt_execute || command == stmt_bulk_execute;
}
}  // namespace com

/// Appends a whole command packet, sequence id 0.
inline void write_command(Writer& out, std::uint8_t command, std::string_view argument = {}) {
  const std::size_t at = begin_packet(out, 0);
  out.u8(command);
  out.text(argument);
  end_packet(out, at);
}

/// COM_SET_OPTION: u16 0 multi-statements on, 1 off.
inline constexpr std::uint16_t kMultiStatementsOn = 0;
inline void write_set_multi_statements(Writer& out, bool on) {
  const char option[2] = {on ? '\0' : '\1', '\0'};
  write_command(out, com::set_option, {option, sizeof option});
}

}  // namespace weirpool::protocol::mysql
