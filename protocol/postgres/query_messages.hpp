// The messages of the command phase that weirpool reads or writes itself; all others pass by
// length. Payloads exclude tag and length; views point into them.
#pragma once

#include <string>
#include <string_view>

#include "protocol/bytes.hpp"
#include "protocol/fault.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::postgres {

/// 'P' | cstring name | cstring text | int16 count | int32 oid*.
struct ParseMessage {
  std::string_view name;
  std::string_view text;
  Bytes body;  ///< text, zero byte, count and oids: what makes two statements the same

  static Result<ParseMessage> parse(Bytes payload);
  static void serialize(std::string_view name, Bytes body, Writer& out);
};

/// 'B' | cstring portal | cstring statement | formats and values. Only the head is read.
struct BindHead {
  std::string_view portal;
  std::string_view statement;
  std::size_t size = 0;  ///< bytes of both names with their zero bytes

  /// WireError::truncated while a zero byte is missing in `visible`, the visible part of the
  /// payload; the rest of the message is not looked at.
  static Result<BindHead> parse(Bytes visible);
};

/// 'D' or 'C' | byte 'S' or 'P' | cstring name.
struct NameMessage {
  char kind = 'S';
  std::string_view name;

  static Result<NameMessage> parse(Bytes payload);
  void serialize(char tag, Writer& out) const;
};

/// 'S' (backend) | cstring name | cstring value.
struct ParameterStatus {
  std::string_view name;
  std::string_view value;

  static Result<ParameterStatus> parse(Bytes payload);
  void serialize(Writer& out) const;
};

/// 'E' or 'N' | (byte code | cstring value)* | zero byte. Fields weirpool does not use are skipped.
struct ErrorResponse {
  std::string_view severity;  ///< 'V', never localized; 'S' where a server older than 9.6 lacks it
  std::string_view sqlstate;  ///< may be empty
  std::string_view message;
  std::string_view detail;
  std::string_view routine;

  bool fatal() const { return severity == "FATAL" || severity == "PANIC"; }

  /// `visible` may be the front of a longer payload: fields cut off are left empty.
  static ErrorResponse parse(Bytes visible);
  void serialize(Writer& out) const;
  /// The code and the front of the message, for a log.
  std::string brief() const;
};

/// `fault` as the ErrorResponse a client reads. `message` replaces the table's text when not empty.
void write_error(Fault fault, std::string_view message, std::string_view detail, Writer& out);
/// The same for a request that gets no backend: the session stays, so it is an ERROR whatever the
/// fault; behind a FATAL drivers close.
void write_refusal(Fault fault, std::string_view detail, Writer& out);

/// What the server says to a ROLLBACK outside a transaction: a warning, and that it is done.
void write_nothing_to_roll_back(Writer& out);

/// 'Z' | byte status: I idle, T in a transaction, E in a failed one.
void write_ready(char status, Writer& out);
/// 'Q' | cstring text.
void write_query(std::string_view text, Writer& out);
/// A message without payload: ParseComplete, Sync, Terminate ...
void write_bare(char tag, Writer& out);

}  // namespace weirpool::protocol::postgres
