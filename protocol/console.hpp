// The console, in no protocol's words: what an administrator asks weirpool itself, and the table
// that answers. Engines of both protocols carry it; who makes the answers sees only this.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/engine.hpp"

namespace weirpool::protocol::console {

/// What a column holds. Cells are text whatever the type; the engine encodes them.
enum class Type : std::uint8_t { text, int4, int8, numeric, bytes };

struct Column {
  std::string name;
  Type type = Type::text;
  bool operator==(const Column&) const = default;
};

/// No value: NULL.
using Cell = std::optional<std::string>;

struct Table {
  std::vector<Column> columns;  ///< none: the command has no result
  std::vector<std::vector<Cell>> rows;
};

/// One statement, without comments and without its semicolon.
struct Request {
  std::string user;  ///< who asks
  std::string text;
  bool describe = false;  ///< only the columns are wanted; nothing may be executed
};

struct Answer {
  std::string tag;  ///< SHOW, PAUSE ...: what the client's library is told was done
  Table table;
  std::string notice;  ///< not empty: said before the result
  std::string notice_detail;
  std::string sqlstate;  ///< of the error
  std::string error;     ///< not empty: it failed, and nothing above counts

  static Answer done(std::string tag);
  static Answer failed(std::string sqlstate, std::string message);
};

/// Bytes; a longer statement is refused.
inline constexpr std::size_t kMaxText = 16384;

/// `text` at its semicolons, comments taken out, empty statements left out. Knows quoted strings
/// and names, line comments and (nested) block comments.
std::vector<std::string> split(std::string_view text);

/// Is this database weirpool itself?
bool reserved(std::string_view database);

/// One client's console. Says look_up when it needs the answer to request().
class Engine : public protocol::Engine {
 public:
  virtual const Request& request() const = 0;
  virtual void answer(Answer answer) = 0;
  /// Appends `fault` as this client must read it now.
  virtual void write_fault(Fault fault, std::string_view detail, Writer& out) = 0;
};

}  // namespace weirpool::protocol::console
