// What holds for one pool and the clients that use it: the user's own setting before the
// database's before the general one. Looked up at logins, connects and sweeps, never per
// transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "protocol/engine.hpp"
#include "proxy/pool/pool_ledger.hpp"

namespace weirpool::proxy {

struct PoolSettings {
  protocol::Pooling pooling = protocol::Pooling::transaction;
  bool reset_always = false;
  PoolLedger::Caps caps;
  std::uint32_t min_size = 0;
  std::uint32_t max_database_clients = 0;  ///< zero: no bound
  std::string server_database;             ///< what the server calls it
  std::string connect_options;
};

PoolSettings settings_of(const config::Config& config, const PoolKey& key);
/// How many clients may log in as `user`, which need not be the one of their pool; zero: no bound.
std::uint32_t max_clients_of(const config::Config& config, const std::string& user);

using TargetOf = std::function<BackendTarget*(const std::string&)>;

/// The pools that keep their minimum open though nobody uses them yet: of databases that name a
/// user. (Of MySQL those of clients that ask for nothing special, see protocol::Identity::variant.)
std::vector<PoolKey> standing_pools(const config::Config& config, const TargetOf& target_of);

/// The backends that serve a client of a listener of `home`; nothing: there is no such database for
/// it. `target_of` knows the backends by name.
std::optional<PoolKey> route(const config::Config& config, BackendTarget& home,
                             const TargetOf& target_of, const protocol::Identity& identity);

}  // namespace weirpool::proxy
