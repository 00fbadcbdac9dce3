// MySQL packets as strings, for scripts of wire bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/engine.hpp"
#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/commands.hpp"
#include "protocol/mysql/handshake_messages.hpp"

namespace weirpool::test::mysql {

using namespace protocol::mysql;  // NOLINT: tests only
using protocol::KillRequest;
using protocol::KillResult;
using protocol::Writer;

inline std::string text_of(const Writer& out) { return std::string(protocol::text_of(out.view())); }

inline std::string packet(unsigned sequence, std::string_view payload) {
  Writer out;
  out.le24(static_cast<std::uint32_t>(payload.size()));
  out.u8(static_cast<std::uint8_t>(sequence));
  out.text(payload);
  return text_of(out);
}

inline std::string command(std::uint8_t byte, std::string_view argument = {}) {
  return packet(0, std::string(1, static_cast<char>(byte)).append(argument));
}
/// What caching_sha2_password says after the client's proof: known already, or asked for in full.
inline const std::string kFastOk("\1\3", 2);
inline const std::string kFull("\1\4", 2);

inline std::string query(std::string_view sql) { return command(com::query, sql); }

/// One entry of session changes, its data already encoded.
inline std::string change(unsigned type, std::string_view data) {
  Writer out;
  out.u8(static_cast<std::uint8_t>(type));
  out.lenenc_text(data);
  return text_of(out);
}
inline std::string lenenc(std::string_view text) {
  Writer out;
  out.lenenc_text(text);
  return text_of(out);
}
inline std::string variable(std::string_view name, std::string_view value) {
  return change(0, lenenc(name) + lenenc(value));
}
inline std::string schema(std::string_view name) { return change(1, lenenc(name)); }
inline std::string state_changed() { return change(2, "1"); }

struct Ok {
  std::uint16_t status = status::autocommit;
  std::uint64_t insert_id = 0;
  std::uint16_t warnings = 0;
  std::string info{};
  std::string changes{};
  std::uint8_t header = 0x00;
};

inline std::string ok_payload(const Ok& ok) {
  Writer out;
  out.u8(ok.header);
  out.lenenc(0);
  out.lenenc(ok.insert_id);
  const bool tracked = !ok.changes.empty();
  const std::uint16_t extra = tracked ? status::state_changed : std::uint16_t{0};
  out.le16(static_cast<std::uint16_t>(ok.status | extra));
  out.le16(ok.warnings);
  if (tracked || !ok.info.empty()) out.lenenc_text(ok.info);
  if (tracked) out.lenenc_text(ok.changes);
  return text_of(out);
}
inline std::string ok(unsigned sequence, const Ok& fields = {}) {
  return packet(sequence, ok_payload(fields));
}
/// The end of rows as a server with DEPRECATE_EOF sends it.
inline std::string end(unsigned sequence, Ok fields = {}) {
  fields.header = 0xFE;
  return ok(sequence, fields);
}
inline std::string eof(unsigned sequence, std::uint16_t status = status::autocommit,
                       std::uint16_t warnings = 0) {
  Writer out;
  out.u8(0xFE);
  out.le16(warnings);
  out.le16(status);
  return packet(sequence, protocol::text_of(out.view()));
}
inline std::string err(unsigned sequence, std::uint16_t code = 1064,
                       std::string_view message = "#42000no") {
  Writer out;
  out.u8(0xFF);
  out.le16(code);
  out.text(message);
  return packet(sequence, protocol::text_of(out.view()));
}
inline std::string count(unsigned sequence, unsigned columns) {
  Writer out;
  out.lenenc(columns);
  return packet(sequence, protocol::text_of(out.view()));
}
inline std::string definition(unsigned sequence) { return packet(sequence, "\3def-column"); }
inline std::string row(unsigned sequence, std::string_view value = "v") {
  return packet(sequence, lenenc(value));
}

}  // namespace weirpool::test::mysql
