// Somebody in the line of a shard, as a session is.
#pragma once

#include <optional>
#include <utility>

#include "proxy/pool/pool_shard.hpp"

namespace weirpool::test {

struct Stander {
  explicit Stander(proxy::PoolShard& shard, proxy::Waiter::Wish wish = proxy::Waiter::Wish::backend,
                   const proxy::admission::Flow* flow = nullptr)
      : place(std::in_place, shard, signal, wish, flow) {}

  bool served() {
    if (!lease && place) lease = place->take();
    return static_cast<bool>(lease);
  }
  void give_back() {
    proxy::Standing clean;
    clean.at_boundary = true;
    std::exchange(lease, {}).end(clean, false);
  }

  proxy::Signal signal;
  std::optional<proxy::Waiter> place;
  proxy::Lease lease;
};

}  // namespace weirpool::test
