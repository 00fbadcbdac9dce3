// The header by which a load balancer tells for whom it connects: HAProxy's PROXY protocol, version
// 1 (one line of text) and version 2 (binary). Source: haproxy.org, doc/proxy-protocol.txt,
// sections 2.1 to 2.2.
#pragma once

#include <array>
#include <cstdint>

#include "protocol/bytes.hpp"

namespace weirpool::protocol {

/// The longest header that is read, bytes: version 1 has at most 107, version 2 fits its addresses
/// and what balancers add to them (names of endpoints, parts of certificates).
inline constexpr std::size_t kMaxProxyHeader = 4096;

struct ProxyHeader {
  enum class Outcome : std::uint8_t {
    partial,    ///< more bytes are needed
    complete,   ///< `size` bytes of header
    malformed,  ///< this is no header, or one that must not be trusted
  };

  Outcome outcome = Outcome::partial;
  std::size_t size = 0;  ///< complete: bytes to drop
  /// The balancer speaks for a client; otherwise the connection is its own (health checks) or of a
  /// kind that has no such address, and the address of the socket stands.
  bool proxied = false;
  std::array<std::uint8_t, 16> address{};  ///< IPv6, or IPv4 as ::ffff:a.b.c.d
  std::uint16_t port = 0;

  /// Reads the front of a connection. Nothing is guessed: what is not the beginning of a header is
  /// malformed at the first byte that differs.
  static ProxyHeader parse(Bytes unread);
};

}  // namespace weirpool::protocol
