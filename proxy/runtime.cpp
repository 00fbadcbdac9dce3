#include "proxy/runtime.hpp"

#include <utility>

#include "proxy/pool/pool_settings.hpp"

namespace weirpool::proxy {
namespace {

std::map<std::string, std::shared_ptr<const TlsContext>> backend_contexts(
    const config::Config& config, const Targets& targets) {
  std::map<std::string, std::shared_ptr<const TlsContext>> contexts;
  for (const auto& [name, backend] : config.backends) {
    if (backend.tls.mode != config::SslMode::disable) {
      contexts[name] = TlsContext::for_backend(backend.tls, targets.at(name)->dialect().alpn());
    }
  }
  return contexts;
}

Directory::Dialects dialects_of(const Targets& targets) {
  Directory::Dialects dialects;
  for (const auto& [name, target] : targets) dialects.insert(&target->dialect());
  return dialects;
}

}  // namespace

std::shared_ptr<const Runtime> with_new_secrets(const Runtime& runtime, const Targets& targets,
                                                const SecretWatch::Changes& changed,
                                                std::string& problem) {
  auto renewed = std::make_shared<Runtime>(runtime);
  renewed->directory = std::make_shared<const Directory>(runtime.directory->renewed(
      *runtime.config, dialects_of(targets), changed.users, changed.user_file, problem));
  return renewed;
}

std::shared_ptr<const Runtime> make_runtime(config::Snapshot config, Targets& targets) {
  auto runtime = std::make_shared<Runtime>();
  auto contexts = backend_contexts(*config, targets);
  for (const config::Listener& listener : config->listeners) {
    auto site = std::make_shared<ListenerSite>();
    site->target = targets.at(listener.backend).get();
    site->address = config::format_address(listener.address);
    if (listener.tls.mode != config::ClientTls::disable) {
      site->tls = TlsContext::for_clients(listener.tls, site->target->dialect().alpn());
    }
    for (const std::string& text : listener.proxy_protocol_from) {
      site->proxy_networks.push_back(config::parse_network(text).value.value());
    }
    site->tls_required = listener.tls.mode == config::ClientTls::require;
    runtime->sites.push_back(std::move(site));
  }
  runtime->directory =
      std::make_shared<const Directory>(Directory::read(*config, dialects_of(targets)));
  for (const auto& [name, target] : targets) {
    target->set_tls(contexts[name]);
    const auto backend = config->backends.find(name);
    if (backend != config->backends.end()) {
      runtime->targets[name] = target.get();
      target->ledger().set_limit(backend->second.max_connections);
    }
  }
  runtime->config = std::move(config);
  runtime->standing = standing_pools(
      *runtime->config, [&](const std::string& name) { return runtime->target(name); });
  return runtime;
}

BackendTarget* Runtime::target(const std::string& name) const {
  const auto found = targets.find(name);
  return found == targets.end() ? nullptr : found->second;
}

}  // namespace weirpool::proxy
