#include "config/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

namespace weirpool::config {
namespace {

constexpr std::uint8_t kMappedBits = 96;  // ::ffff:0:0/96

bool parse_ip(const std::string& text, IpBytes& out) {
  out = {};
  if (text.find('\0') != std::string::npos) return false;
  if (::inet_pton(AF_INET6, text.c_str(), out.data()) == 1) return true;
  out[10] = out[11] = 0xFF;
  return ::inet_pton(AF_INET, text.c_str(), out.data() + 12) == 1;
}

/// Of byte `at`, as far as the first `bits` bits reach.
std::uint8_t mask_of(unsigned bits, std::size_t at) {
  const unsigned before = static_cast<unsigned>(at) * 8;
  if (bits >= before + 8) return 0xFF;
  const unsigned mask = bits <= before ? 0 : 0xFFU << (before + 8 - bits);
  return static_cast<std::uint8_t>(mask & 0xFFU);
}

}  // namespace

bool is_v4(const IpBytes& address) {
  constexpr IpBytes kFront{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::equal(address.begin(), address.begin() + kMappedBits / 8, kFront.begin());
}

bool Network::contains(const IpBytes& address) const {
  if (is_v4(address) != (bits >= kMappedBits && is_v4(prefix))) return false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (((address[i] ^ prefix[i]) & mask_of(bits, i)) != 0) return false;
  }
  return true;
}

Parsed<Network> parse_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  Network network;
  if (!parse_ip(text.substr(0, slash), network.prefix)) {
    return {std::nullopt, "'" + text + "' is not a network; write 10.0.0.0/8 or fd00::/8"};
  }
  const bool v4 = text.find(':') == std::string::npos;
  const std::uint8_t offset = v4 ? kMappedBits : std::uint8_t{0};
  const std::uint64_t most = 128U - offset;
  network.bits = 128;
  if (slash != std::string::npos) {
    const Parsed<std::uint64_t> bits = parse_integer(text.substr(slash + 1));
    if (!bits.value || *bits.value > most) {
      return {std::nullopt,
              "'" + text + "' needs a prefix of 0 to " + std::to_string(most) + " bits"};
    }
    network.bits = static_cast<std::uint8_t>(offset + *bits.value);
  }
  for (std::size_t i = 0; i < network.prefix.size(); ++i) {
    if ((network.prefix[i] & ~mask_of(network.bits, i)) != 0) {
      return {std::nullopt, "'" + text + "' has bits set behind its prefix"};
    }
  }
  return {network, {}};
}

std::string format_ip(const IpBytes& address) {
  static constexpr IpBytes kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (std::equal(kMapped.begin(), kMapped.begin() + 12, address.begin())) {
    ::inet_ntop(AF_INET, address.data() + 12, text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  }
  return text.data();
}

}  // namespace weirpool::config
