// OK, ERR and EOF packets and the session changes an OK packet carries. Payloads only; views point
// into the packet they were parsed from. Source: dev.mysql.com, "Generic Response Packets".
#pragma once

#include <string>
#include <string_view>

#include "protocol/fault.hpp"
#include "protocol/reader.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::mysql {

/// u8 0x00 or 0xFE · lenenc affected rows · lenenc last insert id · u16 status · u16 warnings ·
/// lenenc info · lenenc session changes, only with SESSION_STATE_CHANGED. The documentation gives
/// `info` to the end of the packet for clients without SESSION_TRACK; MySQL 9.7 and MariaDB 10.11
/// send it length-encoded to everybody, and client libraries read it so.
struct OkPacket {
  bool ends_rows = false;  ///< the header is 0xFE
  std::uint64_t affected_rows = 0;
  std::uint64_t last_insert_id = 0;
  std::uint16_t status = 0;
  std::uint16_t warnings = 0;
  std::string_view info;
  Bytes changes;
  std::size_t status_at = 0;  ///< where in the payload the status stands
  std::size_t info_end = 0;   ///< where in the payload the session changes begin

  static Result<OkPacket> parse(Bytes payload);
};

/// OK without info and session changes.
void write_ok(Writer& out, std::uint16_t status, std::uint16_t warnings);
/// The same where rows end.
void write_ok_eof(Writer& out, std::uint16_t status, std::uint16_t warnings);

/// COM_STMT_PREPARE_OK: u8 0x00 · u32 statement · u16 columns · u16 parameters · u8 0 · u16
/// warnings and, where optional metadata has been negotiated, more.
struct PrepareOk {
  std::uint32_t statement = 0;
  std::uint16_t columns = 0;
  std::uint16_t parameters = 0;

  static Result<PrepareOk> parse(Bytes payload);
};
/// Where in the payload the statement's id stands.
inline constexpr std::size_t kStatementAt = 1;
inline constexpr std::size_t kPrepareOkSize = 12;

/// u8 0xFF · u16 code · '#' and five characters of SQLSTATE · message. The state is absent in an
/// error that takes the place of the greeting.
struct ErrPacket {
  std::uint16_t code = 0;
  std::string_view state;
  std::string_view message;

  static Result<ErrPacket> parse(Bytes payload);
  /// An empty state leaves out the marker.
  void serialize(Writer& out) const;
  /// "1045 (28000): Access denied …", for logs.
  std::string describe() const;
};

/// A whole ERR packet that says `fault`. Without `with_state`, the form of a greeting.
void write_fault_packet(Writer& out, std::uint8_t sequence, Fault fault, std::string_view detail,
                        bool with_state = true);

/// u8 0xFE · u16 warnings · u16 status
inline constexpr std::size_t kEofSize = 5;
void write_eof(Writer& out, std::uint16_t status, std::uint16_t warnings);

enum class ChangeType : std::uint8_t {
  variable = 0,
  schema = 1,
  state = 2,  ///< value "1": something in the session changed
  gtids = 3,
  characteristics = 4,  ///< the SQL that would open this transaction again
  transaction = 5,      ///< eight flags, '_' where not set
  other = 255,
};

struct SessionChange {
  ChangeType type = ChangeType::other;
  std::string_view name;  ///< variable only
  std::string_view value;
};

/// Walks OkPacket::changes: u8 type · lenenc data, each type with its own data. Types this program
/// does not know are passed over.
class ChangeReader {
 public:
  explicit ChangeReader(Bytes changes) : in_(changes), pairs_({}) {}
  /// False at the end and after an error.
  bool next(SessionChange& change);
  bool ok() const { return in_.ok() && pairs_.ok(); }

 private:
  Reader in_;
  Reader pairs_;  ///< what is left of one list of variables
};

}  // namespace weirpool::protocol::mysql
