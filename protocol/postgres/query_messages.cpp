#include "protocol/postgres/query_messages.hpp"

#include "protocol/postgres/frame.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {

Result<ParseMessage> ParseMessage::parse(Bytes payload) {
  Reader in(payload);
  ParseMessage message;
  message.name = in.cstr();
  message.body = payload.last(in.remaining());
  message.text = in.cstr();
  const std::uint16_t count = in.be16();
  in.skip(std::size_t{count} * 4);
  if (const auto error = in.finish()) return error;
  return message;
}

void ParseMessage::serialize(std::string_view name, Bytes body, Writer& out) {
  const Framed frame(out, 'P');
  out.cstr(name);
  out.bytes(body);
}

Result<BindHead> BindHead::parse(Bytes visible) {
  Reader in(visible);
  BindHead head;
  head.portal = in.cstr();
  head.statement = in.cstr();
  if (!in.ok()) return WireError::truncated;
  head.size = visible.size() - in.remaining();
  return head;
}

Result<NameMessage> NameMessage::parse(Bytes payload) {
  Reader in(payload);
  NameMessage message;
  message.kind = static_cast<char>(in.u8());
  message.name = in.cstr();
  if (in.ok() && message.kind != 'S' && message.kind != 'P') in.fail(WireError::malformed);
  if (const auto error = in.finish()) return error;
  return message;
}

void NameMessage::serialize(char tag, Writer& out) const {
  const Framed frame(out, tag);
  out.u8(static_cast<std::uint8_t>(kind));
  out.cstr(name);
}

Result<ParameterStatus> ParameterStatus::parse(Bytes payload) {
  Reader in(payload);
  ParameterStatus message;
  message.name = in.cstr();
  message.value = in.cstr();
  if (const auto error = in.finish()) return error;
  return message;
}

void ParameterStatus::serialize(Writer& out) const {
  const Framed frame(out, 'S');
  out.cstr(name);
  out.cstr(value);
}

ErrorResponse ErrorResponse::parse(Bytes visible) {
  Reader in(visible);
  ErrorResponse error;
  std::string_view localized;
  while (in.ok()) {
    const std::uint8_t code = in.u8();
    if (code == 0) break;
    const std::string_view value = in.cstr();
    switch (code) {
      case 'S': localized = value; break;
      case 'V': error.severity = value; break;
      case 'C': error.sqlstate = value; break;
      case 'M': error.message = value; break;
      case 'D': error.detail = value; break;
      case 'R': error.routine = value; break;
      default: break;
    }
  }
  if (error.severity.empty()) error.severity = localized;
  return error;
}

std::string ErrorResponse::brief() const {
  constexpr std::size_t kMaxText = 512;  // bytes
  return std::string(sqlstate).append(": ").append(message.substr(0, kMaxText));
}

void ErrorResponse::serialize(Writer& out) const {
  const Framed frame(out, 'E');
  const auto field = [&out](char code, std::string_view value) {
    if (value.empty()) return;
    out.u8(static_cast<std::uint8_t>(code));
    out.cstr(value);
  };
  field('S', severity);
  field('V', severity);
  field('C', sqlstate);
  field('M', message);
  field('D', detail);
  field('R', routine);
  out.u8(0);
}

namespace {

void write_error(const FaultRow& row, Severity severity, std::string_view message,
                 std::string_view detail, Writer& out) {
  ErrorResponse error;
  error.severity = severity == Severity::fatal ? "FATAL" : "ERROR";
  error.sqlstate = row.sqlstate;
  error.message = message.empty() ? row.message : message;
  error.detail = detail;
  error.serialize(out);
}

}  // namespace

void write_error(Fault fault, std::string_view message, std::string_view detail, Writer& out) {
  write_error(row_of(fault), row_of(fault).severity, message, detail, out);
}

void write_refusal(Fault fault, std::string_view detail, Writer& out) {
  write_error(row_of(fault), Severity::error, {}, detail, out);
}

void write_nothing_to_roll_back(Writer& out) {
  {
    const Framed notice(out, 'N');
    out.cstr("SWARNING");
    out.cstr("VWARNING");
    out.cstr("C25P01");
    out.cstr("Mthere is no transaction in progress");
    out.u8(0);
  }
  const Framed done(out, 'C');
  out.cstr("ROLLBACK");
}

void write_ready(char status, Writer& out) {
  const Framed frame(out, 'Z');
  out.u8(static_cast<std::uint8_t>(status));
}

void write_query(std::string_view text, Writer& out) {
  const Framed frame(out, 'Q');
  out.cstr(text);
}

void write_bare(char tag, Writer& out) { const Framed frame(out, tag); }

}  // namespace weirpool::protocol::postgres
