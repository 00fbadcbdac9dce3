#include "protocol/mysql/command_messages.hpp"

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/frame.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::size_t kStateLength = 5;

}  // namespace

Result<OkPacket> OkPacket::parse(Bytes payload) {
  Reader in(payload);
  OkPacket ok;
  const std::uint8_t header = in.u8();
  if (header != 0x00 && header != 0xFE) return WireError::malformed;
  ok.ends_rows = header == 0xFE;
  ok.affected_rows = in.lenenc();
  ok.last_insert_id = in.lenenc();
  ok.status_at = payload.size() - in.remaining();
  ok.status = in.le16();
  ok.warnings = in.le16();
  if (in.remaining() > 0) ok.info = in.lenenc_text();
  ok.info_end = payload.size() - in.remaining();
  if (ok.status & status::state_changed && in.remaining() > 0) {
    ok.changes = bytes_of(in.lenenc_text());
  }
  if (const auto error = in.finish()) return error;
  return ok;
}

Result<PrepareOk> PrepareOk::parse(Bytes payload) {
  Reader in(payload);
  PrepareOk ok;
  if (in.u8() != 0x00) return WireError::malformed;
  ok.statement = in.le32();
  ok.columns = in.le16();
  ok.parameters = in.le16();
  in.skip(3);
  if (!in.ok()) return in.finish();
  // No server counts from there, and here it stands for none.
  if (ok.statement == 0) return WireError::malformed;
  return ok;
}

namespace {

void write_ok_like(Writer& out, std::uint8_t header, std::uint16_t status, std::uint16_t warnings) {
  out.u8(header);
  out.lenenc(0);
  out.lenenc(0);
  out.le16(status);
  out.le16(warnings);
}

}  // namespace

void write_ok(Writer& out, std::uint16_t status, std::uint16_t warnings) {
  write_ok_like(out, 0x00, status, warnings);
}

void write_ok_eof(Writer& out, std::uint16_t status, std::uint16_t warnings) {
  write_ok_like(out, 0xFE, status, warnings);
}

Result<ErrPacket> ErrPacket::parse(Bytes payload) {
  Reader in(payload);
  ErrPacket err;
  if (in.u8() != 0xFF) return WireError::malformed;
  err.code = in.le16();
  if (!in.ok()) return in.finish();
  std::string_view rest = text_of(in.rest());
  if (rest.size() > kStateLength && rest[0] == '#') {
    err.state = rest.substr(1, kStateLength);
    rest.remove_prefix(1 + kStateLength);
  }
  err.message = rest;
  return err;
}

void ErrPacket::serialize(Writer& out) const {
  out.u8(0xFF);
  out.le16(code);
  if (!state.empty()) {
    out.u8('#');
    out.text(state);
  }
  out.text(message);
}

std::string ErrPacket::describe() const {
  std::string text = std::to_string(code);
  if (!state.empty()) text.append(" (").append(state).append(")");
  return text.append(": ").append(message);
}

void write_fault_packet(Writer& out, std::uint8_t sequence, Fault fault, std::string_view detail,
                        bool with_state) {
  const FaultRow& row = row_of(fault);
  std::string message(row.message);
  if (!detail.empty()) message.append(": ").append(detail);
  const std::size_t at = begin_packet(out, sequence);
  ErrPacket{row.mysql_errno, with_state ? row.mysql_sqlstate : std::string_view{}, message}
      .serialize(out);
  end_packet(out, at);
}

void write_eof(Writer& out, std::uint16_t status, std::uint16_t warnings) {
  out.u8(0xFE);
  out.le16(warnings);
  out.le16(status);
}

bool ChangeReader::next(SessionChange& change) {
  change = {};
  if (pairs_.remaining() == 0) {
    if (!in_.ok() || in_.remaining() == 0) return false;
    const std::uint8_t type = in_.u8();
    Reader data(bytes_of(in_.lenenc_text()));
    if (!in_.ok()) return false;
    switch (type) {
      case 0: pairs_ = data; break;
      case 1: change = {ChangeType::schema, {}, data.lenenc_text()}; break;
      case 2: change = {ChangeType::state, {}, text_of(data.rest())}; break;
      case 3: change = {ChangeType::gtids, {}, {}}; break;
      case 4: change = {ChangeType::characteristics, {}, data.lenenc_text()}; break;
      case 5: change = {ChangeType::transaction, {}, data.lenenc_text()}; break;
      default: break;
    }
    if (!data.ok()) in_.fail(WireError::truncated);
    if (type != 0) return ok();
    if (pairs_.remaining() == 0) return true;
  }
  change.type = ChangeType::variable;
  change.name = pairs_.lenenc_text();
  change.value = pairs_.lenenc_text();
  return pairs_.ok();
}

}  // namespace weirpool::protocol::mysql
