#include "proxy/net/socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>

namespace weirpool::proxy {
namespace {

void set_int(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

int whole_seconds(config::Duration duration) {
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

}  // namespace

void set_tcp_options(int fd, const config::Tcp& tcp) {
  set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  const bool keepalive = tcp.keepalive_idle.count() > 0;
  set_int(fd, SOL_SOCKET, SO_KEEPALIVE, keepalive ? 1 : 0);
  if (keepalive) {
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, whole_seconds(tcp.keepalive_idle));
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, whole_seconds(tcp.keepalive_interval));
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, static_cast<int>(tcp.keepalive_count));
  }
}

}  // namespace weirpool::proxy
