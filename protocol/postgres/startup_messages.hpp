// What a client says before its first tagged message, and the one answer that belongs to it.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::postgres {

inline constexpr std::uint32_t kProtocol30 = 3U << 16;
inline constexpr std::uint32_t kProtocol32 = 3U << 16 | 2U;  ///< cancel keys of up to 256 bytes
/// The name by which TLS from the first byte on is negotiated (ALPN, RFC 7301).
inline constexpr std::string_view kApplicationProtocol = "postgresql";
inline constexpr std::uint8_t kTlsHandshakeByte = 0x16;  ///< what TLS begins with (RFC 8446, 5.1)
inline constexpr std::uint32_t kCancelCode = 1234U << 16 | 5678U;
inline constexpr std::uint32_t kSslCode = 1234U << 16 | 5679U;
inline constexpr std::uint32_t kGssCode = 1234U << 16 | 5680U;

/// The code that says which kind of packet this is: int32 length | int32 code.
std::uint32_t startup_code(Bytes packet);

/// int32 length | int32 version | (cstring name | cstring value)* | zero byte.
/// Views point into the packet.
struct StartupMessage {
  std::uint32_t version = 0;
  std::vector<std::pair<std::string_view, std::string_view>> parameters;

  std::uint32_t major() const { return version >> 16; }
  std::uint32_t minor() const { return version & 0xFFFF; }

  static Result<StartupMessage> parse(Bytes packet);
  void serialize(Writer& out) const;
};

/// int32 length | int32 kCancelCode | int32 process id | key, 4 to 256 bytes (4 before 3.2).
struct CancelRequest {
  Bytes id_and_key;  ///< what the cancel verdict carries: both fields, unparsed

  static Result<CancelRequest> parse(Bytes packet);
  static void serialize(std::uint32_t process_id, Bytes key, Writer& out);
};

/// int32 8 | int32 kSslCode.
void write_ssl_request(Writer& out);

/// 'v' | int32 newest minor version offered, as a whole version | int32 count | cstring option*.
struct NegotiateProtocolVersion {
  std::uint32_t version = kProtocol30;
  std::vector<std::string_view> unknown_options;

  static Result<NegotiateProtocolVersion> parse(Bytes payload);
  void serialize(Writer& out) const;
};

}  // namespace weirpool::protocol::postgres
