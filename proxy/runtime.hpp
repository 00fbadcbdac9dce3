// Everything a reload replaces at once: the configuration and what was made of it. Immutable; every
// worker holds the one it works by.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "proxy/session/session_host.hpp"

namespace weirpool::proxy {

using Targets = std::map<std::string, std::unique_ptr<BackendTarget>>;

struct Runtime {
  using Secrets = std::map<const Dialect*, std::shared_ptr<const protocol::PreparedSecret>>;

  config::Snapshot config;
  std::map<std::string, Secrets> secrets;                  ///< by user
  std::map<std::string, BackendTarget*> targets;           ///< those that `config` names
  std::vector<std::shared_ptr<const ListenerSite>> sites;  ///< as config->listeners
};

/// Prepares secrets and TLS for `config` and renews the targets' own TLS and bounds. Costs
/// milliseconds per user; throws std::runtime_error when a certificate or key cannot be used, and
/// then has changed nothing.
std::shared_ptr<const Runtime> make_runtime(config::Snapshot config, Targets& targets);

/// `runtime` with the secrets of these of its users made anew from what their files say now.
std::shared_ptr<const Runtime> with_new_secrets(const Runtime& runtime, const Targets& targets,
                                                const std::vector<std::string>& users);

}  // namespace weirpool::proxy
