// File descriptors are counted before the first client comes, not when they run out.
#pragma once

#include <cstdint>

#include "config/config.hpp"

namespace weirpool::proxy {

/// Descriptors that `config` needs beside its clients: backends, cancels, listeners, the log, TLS
/// files, epoll and some air.
std::uint64_t descriptors_beside_clients(const config::Config& config);

/// Raises this process's limit as far as it may and returns how many clients fit under it: usually
/// limits.max_client_conn, otherwise fewer, which is logged as `fd_budget`. Throws
/// std::runtime_error when not even one fits.
std::uint32_t claim_descriptors(const config::Config& config);

/// Clients' sockets, of those who are refused too, have descriptors below this number; what is
/// above it is for the admin listener. As many clients as claim_descriptors() has promised fit
/// below it, beside every backend. After claim_descriptors().
int descriptor_ceiling();

}  // namespace weirpool::proxy
