#include "protocol/mysql/handshake_messages.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint8_t kProtocolVersion = 10;
constexpr std::size_t kFirstPart = 8;

/// Some clients leave out the zero byte of the very last text.
std::string_view text_or_rest(Reader& in) {
  const Bytes all = Reader(in).rest();
  const bool ended = std::find(all.begin(), all.end(), std::uint8_t{0}) != all.end();
  return ended ? in.cstr() : text_of(in.rest());
}

/// The first 32 bytes of a client's answer.
void write_head(Writer& out, std::uint64_t capabilities, std::uint32_t max_packet,
                std::uint8_t collation) {
  out.le32(static_cast<std::uint32_t>(capabilities));
  out.le32(max_packet);
  out.u8(collation);
  out.zeros(19);
  const bool extended = (capabilities & cap::long_password) == 0;
  out.le32(extended ? static_cast<std::uint32_t>(capabilities >> 32) : 0);
}

Bytes read_authentication(Reader& in, std::uint64_t capabilities) {
  if (capabilities & cap::plugin_auth_lenenc) return bytes_of(in.lenenc_text());
  if (capabilities & cap::secure_connection) return in.take(in.u8());
  return bytes_of(in.cstr());
}

}  // namespace

Result<Greeting> Greeting::parse(Bytes payload) {
  Reader in(payload);
  Greeting g;
  if (in.u8() != kProtocolVersion) return WireError::malformed;
  g.version = in.cstr();
  g.thread_id = in.le32();
  const Bytes first = in.take(kFirstPart);
  in.skip(1);
  const std::uint32_t low = in.le16();
  g.collation = in.u8();
  g.status = in.le16();
  const std::uint32_t high = in.le16();
  g.capabilities = std::uint64_t{low | high << 16};
  const std::size_t announced = in.u8();
  in.skip(6);
  const std::uint64_t extended = in.le32();
  if ((g.capabilities & cap::long_password) == 0) g.capabilities |= extended << 32;
  const std::size_t length = announced > kFirstPart ? announced - kFirstPart : 0;
  const Bytes second = in.take(std::max<std::size_t>(13, length));
  if (g.capabilities & cap::plugin_auth && in.remaining() > 0) g.plugin = text_or_rest(in);
  if (const auto error = in.finish()) return error;
  std::copy(first.begin(), first.end(), g.scramble.begin());
  std::copy_n(second.begin(), g.scramble.size() - kFirstPart, g.scramble.begin() + kFirstPart);
  return g;
}

void Greeting::serialize(Writer& out) const {
  const Bytes data = scramble;
  out.u8(kProtocolVersion);
  out.cstr(version);
  out.le32(thread_id);
  out.bytes(data.first(kFirstPart));
  out.u8(0);
  out.le16(static_cast<std::uint16_t>(capabilities));
  out.u8(collation);
  out.le16(status);
  out.le16(static_cast<std::uint16_t>(capabilities >> 16));
  out.u8(static_cast<std::uint8_t>(data.size() + 1));
  out.zeros(6);
  const bool extended = (capabilities & cap::long_password) == 0;
  out.le32(extended ? static_cast<std::uint32_t>(capabilities >> 32) : 0);
  out.bytes(data.subspan(kFirstPart));
  out.u8(0);
  out.cstr(plugin);
}

Result<HandshakeResponse> HandshakeResponse::parse(Bytes payload) {
  Reader in(payload);
  HandshakeResponse r;
  r.capabilities = in.le32();
  r.max_packet = in.le32();
  r.collation = in.u8();
  in.skip(19);
  const std::uint64_t extended = in.le32();
  if ((r.capabilities & cap::long_password) == 0) r.capabilities |= extended << 32;
  r.user = in.cstr();
  r.authentication = read_authentication(in, r.capabilities);
  if (r.capabilities & cap::connect_with_db && in.remaining() > 0) r.database = text_or_rest(in);
  if (r.capabilities & cap::plugin_auth && in.remaining() > 0) r.plugin = text_or_rest(in);
  if (r.capabilities & cap::connect_attrs && in.remaining() > 0) {
    r.attributes = bytes_of(in.lenenc_text());
  }
  if (r.capabilities & cap::zstd && in.remaining() > 0) r.zstd_level = in.u8();
  in.rest();
  if (const auto error = in.finish()) return error;
  return r;
}

void HandshakeResponse::serialize(Writer& out) const {
  write_head(out, capabilities, max_packet, collation);
  out.cstr(user);
  if (capabilities & cap::plugin_auth_lenenc) {
    out.lenenc_text(text_of(authentication));
  } else {
    out.u8(static_cast<std::uint8_t>(authentication.size()));
    out.bytes(authentication);
  }
  if (capabilities & cap::connect_with_db) out.cstr(database);
  if (capabilities & cap::plugin_auth) out.cstr(plugin);
  if (capabilities & cap::connect_attrs) out.lenenc_text(text_of(attributes));
  if (capabilities & cap::zstd) out.u8(zstd_level);
}

Result<ChangeUser> ChangeUser::parse(Bytes payload, std::uint64_t capabilities) {
  Reader in(payload);
  ChangeUser c;
  in.skip(1);
  c.user = in.cstr();
  c.authentication = capabilities & cap::secure_connection ? in.take(in.u8()) : bytes_of(in.cstr());
  c.database = text_or_rest(in);
  if (in.remaining() > 0) c.collation = in.le16();
  if (capabilities & cap::plugin_auth && in.remaining() > 0) c.plugin = text_or_rest(in);
  if (capabilities & cap::connect_attrs && in.remaining() > 0) {
    c.attributes = bytes_of(in.lenenc_text());
  }
  in.rest();
  if (const auto error = in.finish()) return error;
  return c;
}

void write_ssl_request(Writer& out, std::uint64_t capabilities, std::uint8_t collation) {
  write_head(out, capabilities, 0xFFFFFF, collation);
}

std::string_view attribute_of(Bytes attributes, std::string_view name) {
  Reader in(attributes);
  while (in.ok() && in.remaining() > 0) {
    const std::string_view key = in.lenenc_text();
    const std::string_view value = in.lenenc_text();
    if (in.ok() && key == name) return value;
  }
  return {};
}

Result<AuthSwitch> AuthSwitch::parse(Bytes payload) {
  Reader in(payload);
  AuthSwitch s;
  if (in.u8() != 0xFE) return WireError::malformed;
  s.plugin = in.cstr();
  s.data = in.rest();
  if (const auto error = in.finish()) return error;
  return s;
}

void AuthSwitch::serialize(Writer& out) const {
  out.u8(0xFE);
  out.cstr(plugin);
  out.bytes(data);
  out.u8(0);
}

Scramble make_scramble() {
  Scramble scramble;
  // Without randomness no login is safe; OpenSSL reports that only when the system is broken.
  if (RAND_bytes(scramble.data(), static_cast<int>(scramble.size())) != 1) std::abort();
  for (std::uint8_t& byte : scramble) {
    byte &= 0x7F;
    if (byte == 0 || byte == '$') ++byte;
  }
  return scramble;
}

}  // namespace weirpool::protocol::mysql
