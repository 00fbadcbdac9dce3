#include "proxy/net/socket_options.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace weirpool::proxy {
namespace {

class SocketOptionsTest : public testing::Test {
 protected:
  SocketOptionsTest() {
    tcp_.keepalive_idle = config::Duration(5000);
    tcp_.keepalive_interval = config::Duration(2500);
    tcp_.keepalive_count = 3;
  }
  ~SocketOptionsTest() override { ::close(fd_); }

  int option(int level, int name) const {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd_, level, name, &value, &size);
    return value;
  }

  const int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  config::Tcp tcp_;
};

TEST_F(SocketOptionsTest, APeerThatVanishesIsNoticedAsConfigured) {
  set_tcp_options(fd_, tcp_);
  EXPECT_NE(option(IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_NE(option(SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 5);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

TEST_F(SocketOptionsTest, PartsOfASecondAreRoundedUpWhereTheKernelKnowsOnlySeconds) {
  set_tcp_options(fd_, tcp_);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 3);
}

TEST_F(SocketOptionsTest, ZeroMeansNoKeepalive) {
  tcp_.keepalive_idle = {};
  set_tcp_options(fd_, tcp_);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST_F(SocketOptionsTest, ASocketThatIsNotTcpIsLeftAlone) {
  const int other = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  set_tcp_options(other, tcp_);
  set_tcp_options(-1, tcp_);
  ::close(other);
}

}  // namespace
}  // namespace weirpool::proxy
