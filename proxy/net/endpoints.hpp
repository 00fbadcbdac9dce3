// Our own end of a connected socket, for people. The other one is in peer_address.hpp.
#pragma once

#include "config/config.hpp"

namespace weirpool::proxy {

/// What the kernel says; an empty host where it says nothing.
config::Address local_endpoint(int fd);

}  // namespace weirpool::proxy
