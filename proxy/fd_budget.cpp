#include "proxy/fd_budget.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <climits>
#include <stdexcept>
#include <string>

#include "proxy/log/log.hpp"

namespace weirpool::proxy {

namespace {

constexpr std::uint64_t kHttp = 64;   // connections to the admin listener at most
constexpr std::uint64_t kFiles = 64;  // log, look-ups, files read at reload

std::uint64_t backend_descriptors(const config::Config& config) {
  std::uint64_t backends = 0;
  for (const auto& [name, backend] : config.backends) {
    backends += backend.max_connections + config.limits.max_cancel_connections;
  }
  return backends;
}

}  // namespace

std::uint64_t descriptors_beside_clients(const config::Config& config) {
  constexpr std::uint64_t kPerWorker = 8;  // epoll, timer, wake-up, resolver
  return backend_descriptors(config) + 2 * config.listeners.size() + config.workers * kPerWorker +
         kHttp + kFiles;
}

int descriptor_ceiling() {
  constexpr std::uint64_t kOpenedLater = 8;  // of the files
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(std::min<std::uint64_t>(limit.rlim_cur, INT_MAX) - kHttp - kOpenedLater);
}

std::uint32_t claim_descriptors(const config::Config& config) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t beside = descriptors_beside_clients(config);
  if (limit.rlim_cur <= beside) {
    throw std::runtime_error("file descriptors: " + std::to_string(limit.rlim_cur) +
                             " allowed, more than " + std::to_string(beside) +
                             " needed; raise the limit (ulimit -n, LimitNOFILE)");
  }
  const std::uint64_t wanted = config.limits.max_client_conn;
  const std::uint64_t room = limit.rlim_cur - beside;
  if (room < wanted) {
    log::event(
        log::Level::warn, "fd_budget",
        "fewer clients than max_client_conn fit under the file descriptor limit",
        {{"max_client_conn", wanted}, {"room", room}, {"limit", std::uint64_t{limit.rlim_cur}}});
  }
  return static_cast<std::uint32_t>(std::min(room, wanted));
}

}  // namespace weirpool::proxy
