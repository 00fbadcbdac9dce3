// The options of every TCP socket of ours, clients and backends alike.
#pragma once

#include "config/config.hpp"

namespace weirpool::proxy {

/// No delay, and keepalive as configured, so that a peer that vanished without a FIN is noticed;
/// with bytes on the way it is Stream::silence() that tells. TCP_USER_TIMEOUT stays off: the kernel
/// also ends connections by it whose peer lives and only reads slowly (tcp(7)). Failures are
/// ignored: not every socket is TCP.
void set_tcp_options(int fd, const config::Tcp& tcp);

}  // namespace weirpool::proxy
