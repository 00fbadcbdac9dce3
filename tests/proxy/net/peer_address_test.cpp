#include "proxy/net/peer_address.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weirpool::proxy {
namespace {

TEST(PeerAddress, NamesTheOtherEndOfASocket) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), size), 0);
  const PeerAddress peer = peer_of(client);
  EXPECT_EQ(peer.text(), "127.0.0.1");
  EXPECT_EQ(peer.port, ntohs(address.sin_port));
  ::close(client);
  ::close(listener);
}

TEST(PeerAddress, ASocketWithoutAPeerHasNone) {
  const int alone = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(peer_of(alone).port, 0);
  EXPECT_EQ(peer_of(alone).text(), "::");
  ::close(alone);
}

}  // namespace
}  // namespace weirpool::proxy
