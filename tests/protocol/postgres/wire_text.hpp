// Wire bytes of PostgreSQL messages as strings, written out here a second time on purpose: tests do
// not trust the serializers they test.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weirpool::test::pg {

inline std::string be32(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}

inline std::string z(std::string_view text) { return std::string(text) + '\0'; }

inline std::string message(char tag, std::string_view payload = {}) {
  return tag + be32(static_cast<std::uint32_t>(payload.size() + 4)) + std::string(payload);
}

inline std::string packet(std::uint32_t code, std::string_view payload = {}) {
  return be32(static_cast<std::uint32_t>(payload.size() + 8)) + be32(code) + std::string(payload);
}

inline std::string startup(std::vector<std::pair<std::string, std::string>> parameters,
                           std::uint32_t version = 196608) {
  std::string payload;
  for (const auto& [name, value] : parameters) payload += z(name) + z(value);
  return packet(version, payload + '\0');
}

// Client.
inline std::string query(std::string_view text) { return message('Q', z(text)); }
inline std::string parse(std::string_view name, std::string_view text) {
  return message('P', z(name) + z(text) + std::string(2, '\0'));
}
inline std::string bind_to(std::string_view portal, std::string_view statement,
                           std::string_view value = "v") {
  std::string payload = z(portal) + z(statement) + std::string(2, '\0');
  payload += std::string{0, 1} + be32(static_cast<std::uint32_t>(value.size()));
  return message('B', payload + std::string(value) + std::string(2, '\0'));
}
inline std::string describe(char kind, std::string_view name) {
  return message('D', kind + z(name));
}
inline std::string close_of(char kind, std::string_view name) {
  return message('C', kind + z(name));
}
inline std::string execute() { return message('E', z("") + be32(0)); }
inline std::string sync() { return message('S'); }
inline std::string flush() { return message('H'); }
inline std::string terminate() { return message('X'); }
inline std::string copy_data(std::string_view row) { return message('d', row); }
inline std::string copy_done() { return message('c'); }
inline std::string password(std::string_view data) { return message('p', data); }

// Backend.
inline std::string ready(char status = 'I') { return message('Z', std::string(1, status)); }
inline std::string command(std::string_view tag) { return message('C', z(tag)); }
inline std::string row(std::string_view value = "1") {
  return message(
      'D', std::string{0, 1} + be32(static_cast<std::uint32_t>(value.size())) + std::string(value));
}
inline std::string row_of(const std::vector<std::optional<std::string>>& values) {
  std::string payload{0, static_cast<char>(values.size())};
  for (const auto& value : values) {
    payload += value ? be32(static_cast<std::uint32_t>(value->size())) + *value : be32(0xFFFFFFFF);
  }
  return message('D', payload);
}
inline std::string row_description() { return message('T', std::string(2, '\0')); }
inline std::string parameter_description() { return message('t', std::string(2, '\0')); }
inline std::string parse_complete() { return message('1'); }
inline std::string bind_complete() { return message('2'); }
inline std::string close_complete() { return message('3'); }
inline std::string no_data() { return message('n'); }
inline std::string copy_in_response() { return message('G', std::string(3, '\0')); }
inline std::string status(std::string_view name, std::string_view value) {
  return message('S', z(name) + z(value));
}
inline std::string error(std::string_view sqlstate, std::string_view text,
                         std::string_view severity = "ERROR") {
  return message('E',
                 "S" + z(severity) + "V" + z(severity) + "C" + z(sqlstate) + "M" + z(text) + '\0');
}
inline std::string notice(std::string_view text) {
  return message('N', "S" + z("NOTICE") + "C" + z("00000") + "M" + z(text) + '\0');
}
inline std::string auth(std::uint32_t kind, std::string_view rest = {}) {
  return message('R', be32(kind) + std::string(rest));
}

/// Tags of the messages in a byte stream, in order; '?' where it is cut.
inline std::string tags(std::string_view stream) {
  std::string found;
  while (!stream.empty()) {
    if (stream.size() < 5) return found + '?';
    const auto at = [&stream](std::size_t i) {
      return std::size_t{static_cast<std::uint8_t>(stream[i])};
    };
    const std::size_t length = at(1) << 24 | at(2) << 16 | at(3) << 8 | at(4);
    if (stream.size() < length + 1) return found + '?';
    found += stream[0];
    stream.remove_prefix(length + 1);
  }
  return found;
}

}  // namespace weirpool::test::pg
