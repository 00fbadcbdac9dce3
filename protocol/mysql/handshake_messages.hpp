// Messages of the connection phase. Views point into the packet they were parsed from.
// Source: dev.mysql.com, "Connection Phase"; MariaDB KB, "Connecting".
#pragma once

#include <array>
#include <string_view>

#include "protocol/bytes.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::mysql {

using Scramble = std::array<std::uint8_t, 20>;

inline constexpr std::string_view kNativePlugin = "mysql_native_password";
inline constexpr std::string_view kSha2Plugin = "caching_sha2_password";
inline constexpr std::string_view kSha256Plugin = "sha256_password";
inline constexpr std::string_view kClearPlugin = "mysql_clear_password";
inline constexpr std::string_view kEd25519Plugin = "client_ed25519";  // MariaDB

/// HandshakeV10: u8 10 · version\0 · u32 thread id · 8 bytes of scramble · 0 · u16 capabilities low
/// · u8 collation · u16 status · u16 capabilities high · u8 scramble length + 1 · 6 reserved · u32
/// extended capabilities, MariaDB without LONG_PASSWORD only ·
/// max(13, length - 8) bytes of scramble and a zero · plugin\0
struct Greeting {
  std::string_view version;
  std::uint32_t thread_id = 0;
  Scramble scramble{};
  std::uint64_t capabilities = 0;  ///< extended ones in the upper half
  std::uint8_t collation = 0;
  std::uint16_t status = 0;
  std::string_view plugin;

  static Result<Greeting> parse(Bytes payload);
  void serialize(Writer& out) const;
};

/// HandshakeResponse41: u32 capabilities · u32 max packet · u8 collation · 19 reserved · u32
/// extended capabilities, without LONG_PASSWORD only · user\0 · authentication data (lenenc, u8
/// length, or zero-terminated) · database\0 · plugin\0 · lenenc attributes · u8 level of zstd. An
/// SSLRequest is the first 32 bytes of it.
struct HandshakeResponse {
  std::uint64_t capabilities = 0;  ///< extended ones in the upper half
  std::uint32_t max_packet = 0;
  std::uint8_t collation = 0;
  std::string_view user;
  Bytes authentication;
  std::string_view database;
  std::string_view plugin;
  Bytes attributes;  ///< lenenc name and value pairs
  std::uint8_t zstd_level = 0;

  /// Bytes behind the last field are let pass: old client libraries leave a zero byte there.
  static Result<HandshakeResponse> parse(Bytes payload);
  void serialize(Writer& out) const;
};

/// COM_CHANGE_USER: u8 0x11 · user\0 · authentication data (u8 length, or zero-terminated) ·
/// database\0 · u16 collation · plugin\0 · lenenc attributes. Clients may leave out everything
/// behind the database.
struct ChangeUser {
  std::string_view user;
  Bytes authentication;
  std::string_view database;
  std::uint16_t collation = 0;
  std::string_view plugin;
  Bytes attributes;

  static Result<ChangeUser> parse(Bytes payload, std::uint64_t capabilities);
};

inline constexpr std::size_t kSslRequestSize = 32;
void write_ssl_request(Writer& out, std::uint64_t capabilities, std::uint8_t collation);

/// The value of one connection attribute, empty if there is none or the block is malformed.
std::string_view attribute_of(Bytes attributes, std::string_view name);

/// AuthSwitchRequest: u8 0xFE · plugin\0 · challenge, the scrambles with a zero behind them
struct AuthSwitch {
  std::string_view plugin;
  Bytes data;  ///< without that zero when written, with it when read

  static Result<AuthSwitch> parse(Bytes payload);
  void serialize(Writer& out) const;
};

/// Fresh from a CSPRNG, without the bytes 0 and '$', which clients take for an end.
Scramble make_scramble();

}  // namespace weirpool::protocol::mysql
