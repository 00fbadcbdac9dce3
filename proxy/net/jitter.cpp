#include "proxy/net/jitter.hpp"

#include <random>

namespace weirpool::proxy {

config::Duration jittered(config::Duration duration) {
  thread_local std::minstd_rand generator{std::random_device{}()};
  const auto most = duration.count();
  std::uniform_int_distribution<config::Duration::rep> pick(most - most / 5, most);
  return config::Duration(pick(generator));
}

}  // namespace weirpool::proxy
