#include "protocol/mysql/plain_query.hpp"

#include <algorithm>
#include <array>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/command_messages.hpp"
#include "protocol/mysql/frame.hpp"
#include "protocol/mysql/words.hpp"

namespace weirpool::protocol::mysql {
namespace {

struct Known {
  std::string_view name;
  Asked what;
  bool function;
};

constexpr std::array kKnown{
    Known{"connection_id", Asked::connection_id, true},
    Known{"last_insert_id", Asked::last_insert_id, true},
    Known{"row_count", Asked::row_count, true},
    Known{"found_rows", Asked::found_rows, true},
    Known{"@@identity", Asked::last_insert_id, false},
    Known{"@@last_insert_id", Asked::last_insert_id, false},
    Known{"@@session.last_insert_id", Asked::last_insert_id, false},
    Known{"@@warning_count", Asked::warning_count, false},
    Known{"@@session.warning_count", Asked::warning_count, false},
    Known{"@@error_count", Asked::error_count, false},
    Known{"@@session.error_count", Asked::error_count, false},
};

const Known* take_known(Words& words) {
  for (const Known& known : kKnown) {
    if (words.take(known.name)) return &known;
  }
  return nullptr;
}

/// 'text' or "text" without its quotes; a name is itself.
std::string_view alias_of(std::string_view word) {
  if (word.size() < 3 || (word[0] != '\'' && word[0] != '"')) return name_of(word);
  const std::string_view inside = word.substr(1, word.size() - 2);
  return inside.find(word[0]) == std::string_view::npos ? inside : std::string_view{};
}

/// COUNT(*) WARNINGS | ERRORS
std::optional<PlainQuery> parse_count(Words& words) {
  for (const std::string_view part : {"count", "(", "*", ")"}) {
    if (!words.take(part)) return std::nullopt;
  }
  const bool errors = words.take("errors");
  if ((!errors && !words.take("warnings")) || !words.at_end()) return std::nullopt;
  if (errors) return PlainQuery{Asked::error_count, "@@session.error_count", true};
  return PlainQuery{Asked::warning_count, "@@session.warning_count", true};
}

// Column types and flags as the servers give them for these.
constexpr std::uint8_t kLong = 3;
constexpr std::uint8_t kLongLong = 8;
constexpr std::uint16_t kNotNull = 1;
constexpr std::uint16_t kUnsigned = 32;
constexpr std::uint16_t kBinary = 128;
constexpr std::uint16_t kBinaryCharset = 63;

}  // namespace

std::optional<PlainQuery> parse_plain_query(std::string_view sql) {
  Words words(sql);
  if (words.take("show")) return parse_count(words);
  if (!words.take("select")) return std::nullopt;
  const std::string_view from = words.rest();
  const Known* const known = take_known(words);
  if (known == nullptr) return std::nullopt;
  std::string_view behind = words.rest();
  if (known->function) {
    if (!words.take("(")) return std::nullopt;
    behind = words.rest();
    if (!words.take(")")) return std::nullopt;
    behind.remove_prefix(1);
  } else {
    behind = from.substr(known->name.size());
  }
  PlainQuery query{known->what, std::string(from.substr(0, from.size() - behind.size())), false};
  const bool as = words.take("as");
  const std::string_view alias = words.peek();
  if (as || (!alias.empty() && alias != ";")) {
    query.column = alias_of(words.next());
    if (query.column.empty()) return std::nullopt;
  }
  if (!words.at_end()) return std::nullopt;
  return query;
}

bool reads_own_past(std::string_view sql) {
  constexpr std::array<std::string_view, 10> kVerbs{
      "select", "insert", "update", "delete", "replace", "set", "do", "call", "with", "values"};
  constexpr std::array<std::string_view, 2> kFunctions{"row_count", "found_rows"};
  Words words(sql);
  if (words.take("get")) {
    words.take("current");
    return words.take("diagnostics");
  }
  const auto one_of = [&](const auto& list) {
    return std::any_of(list.begin(), list.end(), [&](auto word) { return words.take(word); });
  };
  if (!one_of(kVerbs)) return false;
  bool found = false;
  while (!words.peek().empty() && words.peek() != ";") {
    const std::string_view word = words.peek();
    // A text that ends elsewhere for the server.
    if (word == "'" || word == "\"" || word == "`") return false;
    if (one_of(kFunctions)) {
      found = found || words.peek() == "(";
      continue;
    }
    const bool variable = word.starts_with("@@");
    found = found ||
            (variable &&
             (same_word(word, "@@warning_count") || same_word(word, "@@session.warning_count") ||
              same_word(word, "@@error_count") || same_word(word, "@@session.error_count")));
    words.next();
  }
  return found && words.at_end();
}

/// Count: lenenc, and with OPTIONAL_RESULTSET_METADATA a u8: definitions follow.
/// Column definition: lenenc texts catalog, schema, table, original table, name, original name,
/// and with MariaDB's EXTENDED_METADATA one more · u8 12 · u16 character set · u32 length · u8 type
/// · u16 flags · u8 decimals · u16 0.
void PlainResult::serialize(Writer& out, std::uint8_t sequence) const {
  const auto packet = [&](auto&& body) {
    const std::size_t at = begin_packet(out, sequence++);
    body();
    end_packet(out, at);
  };
  const bool short_id = mariadb && query.what == Asked::connection_id;
  const bool variable = query.what == Asked::warning_count || query.what == Asked::error_count;
  const bool positive = query.what == Asked::connection_id || query.what == Asked::last_insert_id;
  const bool deprecate_eof = (capabilities & cap::deprecate_eof) != 0;
  packet([&] {
    out.lenenc(1);
    if ((capabilities & (cap::optional_metadata | cap::cache_metadata)) != 0) out.u8(1);
  });
  packet([&] {
    out.lenenc_text("def");
    for (int i = 0; i < 3; ++i) out.lenenc_text({});
    out.lenenc_text(query.column);
    out.lenenc_text({});
    if ((capabilities & cap::extended_metadata) != 0) out.lenenc_text({});
    out.u8(12);
    out.le16(kBinaryCharset);
    out.le32(short_id ? 10 : 21);
    out.u8(short_id ? kLong : kLongLong);
    out.le16(static_cast<std::uint16_t>((variable ? 0 : kNotNull) |
                                        (variable || positive ? kUnsigned : 0) | kBinary));
    out.u8(0);
    out.le16(0);
  });
  if (!deprecate_eof) packet([&] { write_eof(out, status, 0); });
  packet([&] {
    if (binary) {
      // u8 0 · NULL bits, two of which are nobody's · the value
      out.zeros(2);
      if (short_id) return out.le32(static_cast<std::uint32_t>(value));
      return out.le64(static_cast<std::uint64_t>(value));
    }
    const bool wide = positive || variable;
    out.lenenc_text(wide ? std::to_string(static_cast<std::uint64_t>(value))
                         : std::to_string(value));
  });
  packet([&] { deprecate_eof ? write_ok_eof(out, status, 0) : write_eof(out, status, 0); });
}

}  // namespace weirpool::protocol::mysql
