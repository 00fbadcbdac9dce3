#include "protocol/mysql/query_attributes.hpp"

#include "protocol/reader.hpp"

namespace weirpool::protocol::mysql {
namespace {

/// Passes over one value of this type in the binary format.
void skip_value(Reader& values, std::uint8_t type) {
  switch (type) {
    case 6: return;                 // NULL
    case 1: return values.skip(1);  // TINY
    case 2:
    case 13: return values.skip(2);  // SHORT, YEAR
    case 3:
    case 4:
    case 9: return values.skip(4);  // LONG, FLOAT, INT24
    case 5:
    case 8: return values.skip(8);  // DOUBLE, LONGLONG
    case 7:
    case 10:
    case 11:
    case 12:  // TIMESTAMP, DATE, TIME, DATETIME
      return values.skip(values.u8());
    default: values.lenenc_text(); return;
  }
}

}  // namespace

std::optional<std::size_t> sql_behind_attributes(Bytes payload) {
  Reader in(payload);
  const std::uint64_t count = in.lenenc();
  const std::uint64_t sets = in.lenenc();
  if (!in.ok() || sets != 1 || count > 0xFFFF) return std::nullopt;
  if (count == 0) return payload.size() - in.remaining();
  const Bytes nulls = in.take(static_cast<std::size_t>(count + 7) / 8);
  if (in.u8() != 1) return std::nullopt;
  Reader types = in;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    in.skip(2);
    in.lenenc_text();
  }
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::uint8_t type = types.u8();
    types.skip(1);  // signedness
    types.lenenc_text();
    const bool null = (nulls[static_cast<std::size_t>(i / 8)] >> (i % 8) & 1) != 0;
    if (!null) skip_value(in, type);
  }
  if (!in.ok()) return std::nullopt;
  return payload.size() - in.remaining();
}

}  // namespace weirpool::protocol::mysql
