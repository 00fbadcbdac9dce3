// Everything a reload replaces at once: the configuration and what was made of it. Immutable; every
// worker holds the one it works by.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "proxy/directory.hpp"
#include "proxy/secret_watch.hpp"
#include "proxy/session/session_host.hpp"

namespace weirpool::proxy {

using Targets = std::map<std::string, std::unique_ptr<BackendTarget>>;

struct Runtime {
  config::Snapshot config;
  std::shared_ptr<const Directory> directory;
  std::map<std::string, BackendTarget*> targets;           ///< those that `config` names
  std::vector<std::shared_ptr<const ListenerSite>> sites;  ///< as config->listeners
  std::vector<PoolKey> standing;                           ///< see standing_pools()

  /// Null: there is none of that name.
  BackendTarget* target(const std::string& name) const;
};

/// Prepares the directory and TLS for `config` and renews the targets' own TLS and bounds. Throws
/// std::runtime_error when a file, a certificate or a key cannot be used, and then has changed
/// nothing.
std::shared_ptr<const Runtime> make_runtime(config::Snapshot config, Targets& targets);

/// `runtime` with what has `changed` made anew from what the files say now. `problem`: why the user
/// file could not be read; then its former content still counts.
std::shared_ptr<const Runtime> with_new_secrets(const Runtime& runtime, const Targets& targets,
                                                const SecretWatch::Changes& changed,
                                                std::string& problem);

}  // namespace weirpool::proxy
