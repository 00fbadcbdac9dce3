// Which backends may serve a client: one database server, one database, one user, one variant.
#pragma once

#include <boost/container_hash/hash.hpp>
#include <cstdint>
#include <string>

namespace weirpool::proxy {

class BackendTarget;

/// The variant of backends on which users are looked up: they never serve a client.
inline constexpr std::uint32_t kLookUpVariant = 0xFFFFFFFF;

struct PoolKey {
  BackendTarget* target = nullptr;  ///< outlives every pool
  std::string database;
  std::string user;
  std::uint32_t variant = 0;

  bool operator==(const PoolKey&) const = default;
};

struct PoolKeyHash {
  std::size_t operator()(const PoolKey& key) const {
    std::size_t seed = 0;
    boost::hash_combine(seed, key.target);
    boost::hash_combine(seed, key.database);
    boost::hash_combine(seed, key.user);
    boost::hash_combine(seed, key.variant);
    return seed;
  }
};

}  // namespace weirpool::proxy
