// The two tables of the command phase: what each command is answered with, and what the first byte
// of a backend's packet means in each phase of a reply. Sources: dev.mysql.com, "Command Phase",
// "COM_QUERY Response", "Prepared Statements".
//
//   COM_QUERY, COM_STMT_EXECUTE
//     first --OK--> end                      first --count--> columns --n definitions--> rows
//     rows --row--> rows                     rows --0xFE--> end
//   COM_STMT_PREPARE
//     prepare --OK--> definitions (parameters, then columns) --> end
//   LOAD DATA LOCAL
//     first --0xFB--> file, the client's packets up to an empty one --> first
//   COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID
//     log --event--> log                     log --0xFE--> end
//   end: with SERVER_MORE_RESULTS_EXISTS back to first; ERR ends everything anywhere.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/mysql/commands.hpp"

namespace weirpool::protocol::mysql {

enum class ReplyPhase : std::uint8_t {
  idle,         ///< nothing is owed
  ok,           ///< OK or ERR
  eof,          ///< OK, OK that looks like EOF, or ERR
  text,         ///< one bare string
  first,        ///< start of a result
  columns,      ///< column definitions of a result, counted
  rows,         ///< rows, of either kind, to the end
  prepare,      ///< answer to PREPARE
  definitions,  ///< definitions behind PREPARE, counted
  fields,       ///< definitions of COM_FIELD_LIST, to the end
  file,         ///< nothing before the client has sent its file
  log,          ///< events of the binary log, to the end if there is one
  count_,
};

/// Classes of the first payload byte.
enum class ByteClass : std::uint8_t {
  empty,  ///< no payload
  x00,
  xfb,
  xfe,       ///< and the payload is shorter than 16,777,215 bytes
  xfe_full,  ///< and the payload is that long: a row that starts with a value of 16 MB or more
  xff,
  other,
  count_,
};

enum class PacketMeaning : std::uint8_t {
  violation,
  ok,     ///< ends this result
  error,  ///< ends the reply
  text,   ///< ends the reply
  count,  ///< number of columns
  definition,
  row,
  prepared,
  file,  ///< asks for a file of the client's
};

constexpr ByteClass class_of(std::uint32_t length, std::uint8_t first) {
  if (length == 0) return ByteClass::empty;
  switch (first) {
    case 0x00: return ByteClass::x00;
    case 0xFB: return ByteClass::xfb;
    case 0xFE: return length < kMaxPayload ? ByteClass::xfe : ByteClass::xfe_full;
    case 0xFF: return ByteClass::xff;
    default: return ByteClass::other;
  }
}

using PacketRow = std::array<PacketMeaning, static_cast<std::size_t>(ByteClass::count_)>;

inline constexpr auto packet_table = [] {
  using enum PacketMeaning;
  constexpr PacketMeaning no = violation;
  return std::array<PacketRow, static_cast<std::size_t>(ReplyPhase::count_)>{{
      //               empty       00          FB          FE          FE full     FF     other
      /* idle */ PacketRow{no, no, no, no, no, no, no},
      /* ok */ PacketRow{no, ok, no, no, no, error, no},
      /* eof */ PacketRow{no, ok, no, ok, no, error, no},
      /* text */ PacketRow{text, text, text, text, no, error, text},
      /* first */ PacketRow{no, ok, file, no, no, error, count},
      /* columns */ PacketRow{no, no, no, no, no, error, definition},
      // 0x00: an empty first value or a binary row; 0xFB: NULL.
      /* rows */ PacketRow{no, row, row, ok, row, error, row},
      /* prepare */ PacketRow{no, prepared, no, no, no, error, no},
      /* definitions */ PacketRow{no, no, no, no, no, error, definition},
      /* fields */ PacketRow{no, no, no, ok, no, error, definition},
      /* file */ PacketRow{no, no, no, no, no, no, no},
      /* log */ PacketRow{no, row, no, ok, no, error, no},
  }};
}();

constexpr PacketMeaning meaning_of(ReplyPhase phase, ByteClass byte) {
  return packet_table[static_cast<std::size_t>(phase)][static_cast<std::size_t>(byte)];
}

/// What weirpool does with a client's command.
enum class Handling : std::uint8_t {
  quit,
  ping,              ///< answered here unless a backend is attached
  text,              ///< SQL: scanned on its way
  forward,           ///< passed on, answered with `reply`
  replica,           ///< the same, and the backend is the client's own from then on
  statement,         ///< names a prepared statement, answered with `reply`
  statement_silent,  ///< names a prepared statement, never answered
  kill,              ///< names another session
  reset,             ///< applied to the virtual session
  log_in,            ///< a login within the session
  unknown,           ///< ERR 1047, the session stays
};

struct CommandRow {
  std::uint8_t command;
  std::string_view name;
  Handling handling;
  ReplyPhase reply;
};

inline constexpr std::array command_table{
    CommandRow{com::quit, "COM_QUIT", Handling::quit, ReplyPhase::idle},
    CommandRow{com::init_db, "COM_INIT_DB", Handling::forward, ReplyPhase::ok},
    CommandRow{com::query, "COM_QUERY", Handling::text, ReplyPhase::first},
    CommandRow{com::field_list, "COM_FIELD_LIST", Handling::forward, ReplyPhase::fields},
    CommandRow{com::refresh, "COM_REFRESH", Handling::forward, ReplyPhase::eof},
    CommandRow{com::statistics, "COM_STATISTICS", Handling::forward, ReplyPhase::text},
    CommandRow{com::process_info, "COM_PROCESS_INFO", Handling::forward, ReplyPhase::first},
    CommandRow{com::process_kill, "COM_PROCESS_KILL", Handling::kill, ReplyPhase::idle},
    CommandRow{com::debug, "COM_DEBUG", Handling::forward, ReplyPhase::eof},
    CommandRow{com::ping, "COM_PING", Handling::ping, ReplyPhase::ok},
    CommandRow{com::change_user, "COM_CHANGE_USER", Handling::log_in, ReplyPhase::idle},
    CommandRow{com::binlog_dump, "COM_BINLOG_DUMP", Handling::replica, ReplyPhase::log},
    CommandRow{com::register_slave, "COM_REGISTER_SLAVE", Handling::replica, ReplyPhase::ok},
    CommandRow{com::binlog_dump_gtid, "COM_BINLOG_DUMP_GTID", Handling::replica, ReplyPhase::log},
    CommandRow{com::stmt_prepare, "COM_STMT_PREPARE", Handling::text, ReplyPhase::prepare},
    CommandRow{com::stmt_execute, "COM_STMT_EXECUTE", Handling::statement, ReplyPhase::first},
    CommandRow{com::stmt_send_long_data, "COM_STMT_SEND_LONG_DATA", Handling::statement_silent,
               ReplyPhase::idle},
    CommandRow{com::stmt_close, "COM_STMT_CLOSE", Handling::statement_silent, ReplyPhase::idle},
    CommandRow{com::stmt_reset, "COM_STMT_RESET", Handling::statement, ReplyPhase::ok},
    CommandRow{com::set_option, "COM_SET_OPTION", Handling::forward, ReplyPhase::eof},
    CommandRow{com::stmt_fetch, "COM_STMT_FETCH", Handling::statement, ReplyPhase::rows},
    CommandRow{com::stmt_bulk_execute, "COM_STMT_BULK_EXECUTE", Handling::statement,
               ReplyPhase::first},
    CommandRow{com::reset_connection, "COM_RESET_CONNECTION", Handling::reset, ReplyPhase::idle},
};

inline constexpr CommandRow kUnknownCommand{0, "unknown", Handling::unknown, ReplyPhase::idle};

constexpr const CommandRow& row_of_command(std::uint8_t command) {
  for (const CommandRow& row : command_table) {
    if (row.command == command) return row;
  }
  return kUnknownCommand;
}

}  // namespace weirpool::protocol::mysql
