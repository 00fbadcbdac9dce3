#include "proxy/admission/source.hpp"

#include <netinet/in.h>

#include <cstring>

namespace weirpool::proxy::admission {
namespace {

/// Above 32 bits, so that no prefix of IPv6 in use (2000::/3 and up) can be mistaken for one.
constexpr std::uint64_t v4_key(std::uint32_t address) { return std::uint64_t{1} << 32U | address; }

}  // namespace

Source source_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return {v4_key(ntohl(v4.sin_addr.s_addr))};
  }
  if (address.ss_family != AF_INET6) return {};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  const std::uint8_t* bytes = v6.sin6_addr.s6_addr;
  std::uint64_t key = 0;
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    for (int i = 12; i < 16; ++i) key = key << 8U | bytes[i];
    return {v4_key(static_cast<std::uint32_t>(key))};
  }
  for (int i = 0; i < 8; ++i) key = key << 8U | bytes[i];
  return {key};
}

Source source_of(const std::array<std::uint8_t, 16>& ip) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  std::memcpy(v6.sin6_addr.s6_addr, ip.data(), ip.size());
  sockaddr_storage address{};
  std::memcpy(&address, &v6, sizeof v6);
  return source_of(address);
}

}  // namespace weirpool::proxy::admission
