#include "proxy/runtime.hpp"

#include <set>
#include <utility>

#include "config/password.hpp"

namespace weirpool::proxy {
namespace {

std::map<std::string, std::shared_ptr<const TlsContext>> backend_contexts(
    const config::Config& config) {
  std::map<std::string, std::shared_ptr<const TlsContext>> contexts;
  for (const auto& [name, backend] : config.backends) {
    if (backend.tls.mode != config::SslMode::disable) {
      contexts[name] = TlsContext::for_backend(backend.tls);
    }
  }
  return contexts;
}

Runtime::Secrets prepare(const std::string& name, const config::User& user,
                         const std::set<const Dialect*>& dialects) {
  const std::vector<std::string> passwords = config::read_passwords(user);
  Runtime::Secrets secrets;
  for (const Dialect* dialect : dialects) secrets[dialect] = dialect->prepare(name, passwords);
  return secrets;
}

std::set<const Dialect*> dialects_of(const Targets& targets) {
  std::set<const Dialect*> dialects;
  for (const auto& [name, target] : targets) dialects.insert(&target->dialect());
  return dialects;
}

}  // namespace

std::shared_ptr<const Runtime> with_new_secrets(const Runtime& runtime, const Targets& targets,
                                                const std::vector<std::string>& users) {
  auto renewed = std::make_shared<Runtime>(runtime);
  const std::set<const Dialect*> dialects = dialects_of(targets);
  for (const std::string& name : users) {
    renewed->secrets[name] = prepare(name, runtime.config->users.at(name), dialects);
  }
  return renewed;
}

std::shared_ptr<const Runtime> make_runtime(config::Snapshot config, Targets& targets) {
  auto runtime = std::make_shared<Runtime>();
  auto contexts = backend_contexts(*config);
  for (const config::Listener& listener : config->listeners) {
    auto site = std::make_shared<ListenerSite>();
    site->target = targets.at(listener.backend).get();
    if (listener.tls.mode != config::ClientTls::disable) {
      site->tls = TlsContext::for_clients(listener.tls.cert_file, listener.tls.key_file);
    }
    for (const std::string& text : listener.proxy_protocol_from) {
      site->proxy_networks.push_back(config::parse_network(text).value.value());
    }
    site->tls_required = listener.tls.mode == config::ClientTls::require;
    runtime->sites.push_back(std::move(site));
  }
  const std::set<const Dialect*> dialects = dialects_of(targets);
  for (const auto& [name, user] : config->users) {
    runtime->secrets[name] = prepare(name, user, dialects);
  }
  for (const auto& [name, target] : targets) {
    target->set_tls(contexts[name]);
    const auto backend = config->backends.find(name);
    if (backend != config->backends.end()) {
      runtime->targets[name] = target.get();
      target->ledger().set_limit(backend->second.max_connections);
    }
  }
  runtime->config = std::move(config);
  return runtime;
}

}  // namespace weirpool::proxy
