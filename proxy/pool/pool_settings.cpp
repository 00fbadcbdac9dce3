#include "proxy/pool/pool_settings.hpp"

#include <array>
#include <set>

#include "proxy/pool/backend_target.hpp"

namespace weirpool::proxy {
namespace {

/// Null: nothing is said about that name.
const config::Database* find_database(const config::Config& config, const std::string& name) {
  auto found = config.databases.find(name);
  if (found == config.databases.end()) found = config.databases.find("*");
  return found == config.databases.end() ? nullptr : &found->second;
}

protocol::Pooling pooling_of(config::PoolMode mode) {
  switch (mode) {
    case config::PoolMode::session: return protocol::Pooling::session;
    case config::PoolMode::statement: return protocol::Pooling::statement;
    default: return protocol::Pooling::transaction;
  }
}

config::PoolMode first_said(std::array<config::PoolMode, 3> modes) {
  for (const config::PoolMode mode : modes) {
    if (mode != config::PoolMode::inherit) return mode;
  }
  return config::PoolMode::transaction;
}

std::uint32_t first_said(std::array<std::uint32_t, 3> numbers) {
  for (const std::uint32_t number : numbers) {
    if (number != 0) return number;
  }
  return 0;
}

}  // namespace

PoolSettings settings_of(const config::Config& config, const PoolKey& key) {
  static const config::Database kNoDatabase;
  static const config::User kNoUser;
  const config::Database* named = find_database(config, key.database);
  const config::Database& database = named ? *named : kNoDatabase;
  const auto known = config.users.find(key.user);
  const config::User& user = known == config.users.end() ? kNoUser : known->second;
  PoolSettings made;
  made.pooling = pooling_of(first_said({user.pool_mode, database.pool_mode, config.pool.mode}));
  made.reset_always = database.reset_query_always;
  made.caps.pool = first_said({user.pool_size, database.pool_size, config.pool.default_pool_size});
  made.caps.database = first_said({0, database.max_db_connections, config.pool.max_db_connections});
  made.caps.user = first_said({0, user.max_user_connections, config.pool.max_user_connections});
  made.min_size = first_said({0, database.min_pool_size, config.pool.min_pool_size});
  made.max_database_clients =
      first_said({0, database.max_db_client_connections, config.limits.max_db_client_connections});
  made.server_database = database.database.empty() ? key.database : database.database;
  made.connect_options = database.connect_options;
  return made;
}

std::vector<PoolKey> standing_pools(const config::Config& config, const TargetOf& target_of) {
  std::set<std::string> served;
  for (const config::Listener& listener : config.listeners) served.insert(listener.backend);
  std::vector<PoolKey> all;
  for (const auto& [name, database] : config.databases) {
    if (name == "*" || database.user.empty()) continue;
    for (const std::string& backend :
         database.backend.empty() ? served : std::set{database.backend}) {
      const PoolKey key{target_of(backend), name, database.user, 0};
      if (key.target && settings_of(config, key).min_size > 0) all.push_back(key);
    }
  }
  return all;
}

std::uint32_t max_clients_of(const config::Config& config, const std::string& user) {
  const auto known = config.users.find(user);
  const std::uint32_t own =
      known == config.users.end() ? 0 : known->second.max_user_client_connections;
  return first_said({0, own, config.limits.max_user_client_connections});
}

std::optional<PoolKey> route(const config::Config& config, BackendTarget& home,
                             const TargetOf& target_of, const protocol::Identity& identity) {
  PoolKey key{&home, identity.database, identity.user, identity.variant};
  if (config.databases.empty()) return key;
  const config::Database* database = find_database(config, identity.database);
  // Where a login may name no database, one that names none asks for nothing in particular.
  if (!database) return identity.database.empty() ? std::optional(key) : std::nullopt;
  if (!database->backend.empty()) key.target = target_of(database->backend);
  if (!database->user.empty()) key.user = database->user;
  // The client has been greeted in the protocol of its listener.
  if (!key.target || &key.target->dialect() != &home.dialect()) return std::nullopt;
  return key;
}

}  // namespace weirpool::proxy
