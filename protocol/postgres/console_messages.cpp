#include "protocol/postgres/console_messages.hpp"

#include <charconv>
#include <optional>

#include "protocol/postgres/frame.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {
namespace {

using console::Type;

struct WireType {
  std::uint32_t oid;  // pg_type.dat of the server
  std::uint16_t size;
};

WireType wire_type(Type type) {
  constexpr std::uint16_t kVariable = 0xFFFF;
  switch (type) {
    case Type::int4: return {23, 4};
    case Type::int8: return {20, 8};
    case Type::numeric: return {1700, kVariable};
    case Type::bytes: return {17, kVariable};
    case Type::text: break;
  }
  return {25, kVariable};
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// int16 digits | int16 weight | int16 sign | int16 scale | int16 digit*, to base 10000
/// (numeric_send of the server). Whole numbers only: the console has no others.
void write_numeric(std::int64_t value, Writer& out) {
  constexpr std::uint64_t kBase = 10000;
  constexpr std::uint16_t kNegative = 0x4000;
  std::uint64_t rest =
      value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::vector<std::uint16_t> digits;
  for (; rest != 0; rest /= kBase) digits.push_back(static_cast<std::uint16_t>(rest % kBase));
  out.be32(static_cast<std::uint32_t>(8 + 2 * digits.size()));
  out.be16(static_cast<std::uint16_t>(digits.size()));
  out.be16(static_cast<std::uint16_t>(digits.empty() ? 0 : digits.size() - 1));
  out.be16(value < 0 ? kNegative : 0);
  out.be16(0);
  for (std::size_t i = digits.size(); i > 0; --i) out.be16(digits[i - 1]);
}

constexpr std::uint32_t kNull = 0xFFFFFFFF;

void write_text(std::string_view text, Writer& out) {
  out.be32(static_cast<std::uint32_t>(text.size()));
  out.text(text);
}

void write_binary(Type type, const std::string& cell, Writer& out) {
  if (type == Type::text || type == Type::bytes) {
    write_text(cell, out);
    return;
  }
  const std::optional<std::int64_t> value = number_of(cell);
  if (!value) {
    out.be32(kNull);
  } else if (type == Type::numeric) {
    write_numeric(*value, out);
  } else {
    const auto bits = static_cast<std::uint64_t>(*value);
    out.be32(type == Type::int4 ? 4 : 8);
    if (type == Type::int8) out.be32(static_cast<std::uint32_t>(bits >> 32));
    out.be32(static_cast<std::uint32_t>(bits));
  }
}

}  // namespace

Result<BindMessage> BindMessage::parse(Bytes payload) {
  Reader in(payload);
  BindMessage message;
  message.portal = in.cstr();
  message.statement = in.cstr();
  const std::uint16_t formats = in.be16();
  in.skip(std::size_t{formats} * 2);
  message.parameters = in.be16();
  for (std::uint16_t i = 0; i < message.parameters && in.ok(); ++i) {
    const std::uint32_t length = in.be32();
    if (length != kNull) in.skip(length);
  }
  const std::uint16_t results = in.be16();
  for (std::uint16_t i = 0; i < results && in.ok(); ++i) {
    message.result_formats.push_back(in.be16());
  }
  if (const auto error = in.finish()) return error;
  return message;
}

Result<ExecuteMessage> ExecuteMessage::parse(Bytes payload) {
  Reader in(payload);
  ExecuteMessage message;
  message.portal = in.cstr();
  message.max_rows = in.be32();
  if (const auto error = in.finish()) return error;
  return message;
}

std::uint16_t format_of(const std::vector<std::uint16_t>& formats, std::size_t index) {
  if (formats.empty()) return kTextFormat;
  return formats.size() == 1 ? formats.front() : formats[index];
}

void write_row_description(const std::vector<console::Column>& columns,
                           const std::vector<std::uint16_t>& formats, Writer& out) {
  const Framed frame(out, 'T');
  out.be16(static_cast<std::uint16_t>(columns.size()));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const WireType type = wire_type(columns[i].type);
    out.cstr(columns[i].name);
    out.be32(0);
    out.be16(0);
    out.be32(type.oid);
    out.be16(type.size);
    out.be32(kNull);  // no type modifier is -1
    out.be16(format_of(formats, i));
  }
}

void write_data_row(const std::vector<console::Column>& columns,
                    const std::vector<console::Cell>& row,
                    const std::vector<std::uint16_t>& formats, Writer& out) {
  const Framed frame(out, 'D');
  out.be16(static_cast<std::uint16_t>(columns.size()));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!row[i]) {
      out.be32(kNull);
    } else if (format_of(formats, i) == kTextFormat) {
      write_text(*row[i], out);
    } else {
      write_binary(columns[i].type, *row[i], out);
    }
  }
}

void write_command_complete(std::string_view tag, Writer& out) {
  const Framed frame(out, 'C');
  out.cstr(tag);
}

void write_notice(std::string_view message, std::string_view detail, Writer& out) {
  const Framed frame(out, 'N');
  const auto field = [&out](char code, std::string_view value) {
    if (value.empty()) return;
    out.u8(static_cast<std::uint8_t>(code));
    out.cstr(value);
  };
  field('S', "NOTICE");
  field('V', "NOTICE");
  field('C', "00000");
  field('M', message);
  field('D', detail);
  out.u8(0);
}

void write_no_parameters(Writer& out) {
  const Framed frame(out, 't');
  out.be16(0);
}

}  // namespace weirpool::protocol::postgres
