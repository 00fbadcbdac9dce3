#include "protocol/mysql/diagnostics.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/command_messages.hpp"
#include "protocol/mysql/frame.hpp"
#include "protocol/mysql/words.hpp"
#include "protocol/reader.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::mysql {
namespace {

std::optional<std::uint64_t> take_number(Words& words) {
  const std::string_view word = words.next();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

bool is_end(Bytes payload) { return payload.empty() || payload[0] == 0xFE; }

/// Level, code, message: texts in a recorded row.
struct Diagnostic {
  explicit Diagnostic(Bytes payload) {
    Reader in(payload);
    level = in.lenenc_text();
    code = in.lenenc_text();
    message = in.lenenc_text();
  }

  /// u8 0 · NULL bits · lenenc level · u32 code · lenenc message
  void write_binary(Writer& out) const {
    std::uint32_t number = 0;
    static_cast<void>(std::from_chars(code.data(), code.data() + code.size(), number));
    out.zeros(2);
    out.lenenc_text(level);
    out.le32(number);
    out.lenenc_text(message);
  }

  std::string_view level;
  std::string_view code;
  std::string_view message;
};

// The columns of SHOW WARNINGS as the servers describe them.
struct Column {
  std::string_view name;
  std::uint32_t length;  ///< bytes
  std::uint8_t type;
  std::uint16_t flags;
  bool text;
};
constexpr std::uint16_t kNotNull = 1;
constexpr std::array kColumns{
    Column{"Level", 28, 253, kNotNull, true},
    Column{"Code", 5, 3, kNotNull | 32 | 128, false},  // unsigned, binary
    Column{"Message", 2048, 253, kNotNull, true},
};

/// See PlainResult.
void write_definition(Writer& out, const Column& column, bool extended, std::uint16_t collation) {
  constexpr std::uint16_t kBinaryCharset = 63;
  out.lenenc_text("def");
  for (int i = 0; i < 3; ++i) out.lenenc_text({});
  out.lenenc_text(column.name);
  out.lenenc_text({});
  if (extended) out.lenenc_text({});
  out.u8(12);
  out.le16(column.text ? collation : kBinaryCharset);
  out.le32(column.length);
  out.u8(column.type);
  out.le16(column.flags);
  out.u8(column.text ? 31 : 0);
  out.le16(0);
}

}  // namespace

std::optional<DiagnosticsQuery> parse_diagnostics_query(std::string_view sql) {
  Words words(sql);
  DiagnosticsQuery query;
  if (!words.take("show")) return std::nullopt;
  query.errors = words.take("errors");
  if (!query.errors && !words.take("warnings")) return std::nullopt;
  if (words.take("limit")) {
    std::optional<std::uint64_t> first = take_number(words);
    std::optional<std::uint64_t> second = 0;
    const bool comma = words.take(",");
    if (comma || words.take("offset")) second = take_number(words);
    if (!first || !second) return std::nullopt;
    query.skip = comma ? *first : *second;
    query.most = comma ? *second : *first;
  }
  if (!words.at_end()) return std::nullopt;
  return query;
}

std::vector<std::uint8_t> select_diagnostics(Bytes recorded, const DiagnosticsQuery& query,
                                             bool binary) {
  Writer out;
  std::uint8_t sequence = 0;
  std::uint64_t seen = 0;
  std::uint64_t definitions = 0;
  for (bool first = true; recorded.size() >= kHeaderSize; first = false) {
    const std::size_t length = header_of(recorded).length;
    const Bytes payload =
        recorded.subspan(kHeaderSize, std::min(length, recorded.size() - kHeaderSize));
    recorded = recorded.subspan(kHeaderSize + payload.size());
    const bool defines = first || definitions > 0;
    if (first) {
      Reader in(payload);
      definitions = in.lenenc();
      // Where optional metadata has been negotiated, a byte says whether definitions follow.
      if (in.remaining() == 1 && in.u8() == 0) definitions = 0;
    } else if (definitions > 0) {
      --definitions;
    }
    const bool row = !defines && !is_end(payload);
    const Diagnostic diagnostic(row ? payload : Bytes{});
    if (row && query.errors && diagnostic.level != "Error") continue;
    if (row && (seen++ < query.skip || seen - query.skip > query.most)) continue;
    const std::size_t at = begin_packet(out, ++sequence);
    row&& binary ? diagnostic.write_binary(out) : out.bytes(payload);
    end_packet(out, at);
  }
  return {out.view().begin(), out.view().end()};
}

std::vector<std::uint8_t> diagnostics_of(const OneError& error) {
  Writer out;
  std::uint8_t sequence = 0;
  const auto packet = [&](auto&& body) {
    const std::size_t at = begin_packet(out, ++sequence);
    body();
    end_packet(out, at);
  };
  packet([&] {
    out.lenenc(kColumns.size());
    if ((error.capabilities & (cap::optional_metadata | cap::cache_metadata)) != 0) out.u8(1);
  });
  const bool extended = (error.capabilities & cap::extended_metadata) != 0;
  for (const Column& column : kColumns) {
    packet([&] { write_definition(out, column, extended, error.collation); });
  }
  packet([&] {
    out.lenenc_text("Error");
    out.lenenc_text(std::to_string(error.code));
    out.lenenc_text(error.message);
  });
  packet([&] { write_ok_eof(out, error.status, 0); });
  return {out.view().begin(), out.view().end()};
}

}  // namespace weirpool::protocol::mysql
