// A conversation with a prepared statement, and the commands and answers of statements.
#pragma once

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {

inline std::string id_of(std::uint32_t id) {
  Writer out;
  out.le32(id);
  return text_of(out);
}
inline std::string prepared(std::uint32_t id, unsigned parameters = 0, unsigned columns = 0) {
  Writer out;
  out.u8(0);
  out.le32(id);
  out.le16(static_cast<std::uint16_t>(columns));
  out.le16(static_cast<std::uint16_t>(parameters));
  out.zeros(3);
  std::string reply = packet(1, text_of(out));
  for (unsigned i = 0; i < parameters + columns; ++i) reply += definition(2 + i);
  return reply;
}
inline std::string prepare(std::string_view sql) { return command(com::stmt_prepare, sql); }
inline const std::string kString("\xFD\0", 2);
inline const std::string kBigint("\x08\0", 2);
inline std::string execute(std::uint32_t id, const std::string& types = "",
                           const std::string& values = "", unsigned parameters = 1,
                           char cursor = 0) {
  std::string body = id_of(id) + cursor + std::string("\1\0\0\0", 4);
  if (parameters > 0) {
    body += std::string((parameters + 7) / 8, '\0') + (types.empty() ? '\0' : '\1') + types;
  }
  return command(com::stmt_execute, body + values);
}
inline std::string close(std::uint32_t id) { return command(com::stmt_close, id_of(id)); }
inline std::string binary_rows(std::uint16_t status = 2) {
  return count(1, 1) + definition(2) + packet(3, std::string("\0\0v", 3)) +
         end(4, {.status = status});
}

/// A client that has prepared statement 1, known to the backend as 55.
struct Prepared : Rig {
  explicit Prepared(unsigned parameters = 1, ConversationStart from = start())
      : Rig(std::move(from)) {
    client(prepare("select ?"));
    server(prepared(55, parameters, 1));
    mark();
  }
  void mark() { seen = wire.to_backend().size(), heard = wire.to_client().size(); }
  std::string fresh() const { return wire.to_backend().substr(seen); }
  std::string answer() const { return wire.to_client().substr(heard); }
  /// As if another backend had been leased, which knows nothing.
  void elsewhere() { backend.statements.clear(); }
  std::size_t seen = 0, heard = 0;
};

}  // namespace weirpool::test::mysql
