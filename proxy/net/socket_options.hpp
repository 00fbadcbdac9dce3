// The options of every TCP socket of ours, clients and backends alike.
#pragma once

#include "config/config.hpp"

namespace weirpool::proxy {

/// No delay, keepalive and TCP_USER_TIMEOUT as configured, so that a peer that vanished without a
/// FIN is noticed whether or not bytes are on the way. Failures are ignored: not every socket is
/// TCP.
void set_tcp_options(int fd, const config::Tcp& tcp);

}  // namespace weirpool::proxy
