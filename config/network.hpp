// Networks in CIDR notation, and the one form in which addresses are compared.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "config/scalar.hpp"

namespace weirpool::config {

/// An IPv6 address in network order; an IPv4 one is ::ffff:a.b.c.d, however it came.
using IpBytes = std::array<std::uint8_t, 16>;

bool is_v4(const IpBytes& address);

/// Of one family: "::/0" holds no IPv4 address.
struct Network {
  IpBytes prefix{};
  std::uint8_t bits = 0;  ///< of the 128, that must agree

  bool contains(const IpBytes& address) const;
  bool operator==(const Network&) const = default;
};

/// "10.0.0.0/8", "fd00::/8"; an address alone is a network of one. Bits behind the prefix are an
/// error: whoever wrote them meant something else.
Parsed<Network> parse_network(const std::string& text);

/// As people write it: 192.0.2.1, 2001:db8::1.
std::string format_ip(const IpBytes& address);

}  // namespace weirpool::config
