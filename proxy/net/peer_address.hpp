// Where a client is, as limits, rules and the log see it.
#pragma once

#include <cstdint>
#include <string>

#include "config/network.hpp"

namespace weirpool::proxy {

struct PeerAddress {
  config::IpBytes ip{};
  std::uint16_t port = 0;

  bool operator==(const PeerAddress&) const = default;
  std::string text() const { return config::format_ip(ip); }
};

/// The other end of a connected TCP socket; zeros when it has none any more.
PeerAddress peer_of(int fd);

}  // namespace weirpool::proxy
