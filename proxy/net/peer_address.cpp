#include "proxy/net/peer_address.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace weirpool::proxy {

PeerAddress peer_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  PeerAddress peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return peer;
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    std::copy_n(v6.sin6_addr.s6_addr, peer.ip.size(), peer.ip.begin());
    peer.port = ntohs(v6.sin6_port);
  } else if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&v4.sin_addr.s_addr);
    peer.ip[10] = peer.ip[11] = 0xFF;
    std::copy_n(bytes, 4, peer.ip.begin() + 12);
    peer.port = ntohs(v4.sin_port);
  }
  return peer;
}

}  // namespace weirpool::proxy
