// A web node as admission sees it: the address that its connections come from.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>

namespace weirpool::proxy::admission {

struct Source {
  std::uint64_t key = 0;  ///< IPv4 address, or the /64 of an IPv6 one; 0: not known (a Unix socket)
  bool operator==(const Source&) const = default;
};

/// Anything but IPv4 and IPv6 is the unknown source.
Source source_of(const sockaddr_storage& address);
/// IPv4 addresses mapped; all zeros: not known.
Source source_of(const std::array<std::uint8_t, 16>& ip);

}  // namespace weirpool::proxy::admission
