#include "config/validate_auth.hpp"

#include <algorithm>

#include "config/auth_rules.hpp"
#include "config/suggest.hpp"

namespace weirpool::config {
namespace {

using Report = std::function<void(const std::string&, const std::string&)>;

void check_users(const Config& config, const Report& report) {
  if (config.users.empty() && config.auth.user_file.empty()) {
    report("users", "is missing, and so is auth.user_file: nobody could log in");
  }
  std::vector<std::string> names;
  for (const auto& [name, user] : config.users) names.push_back(name);
  for (const auto& [name, backend] : config.backends) {
    const std::string path = "backends." + name;
    const bool postgres = backend.protocol == Protocol::postgresql;
    if (!backend.auth_user.empty() && !postgres) {
      report(path + ".auth_user", "is for PostgreSQL only");
    } else if (!backend.auth_user.empty() && !config.users.contains(backend.auth_user)) {
      report(path + ".auth_user",
             "there is no user '" + backend.auth_user + "'" + suggestion(backend.auth_user, names));
    }
    if (!backend.auth_query.empty() && backend.auth_user.empty()) {
      report(path + ".auth_query", "needs auth_user");
    }
  }
}

bool asks_for_certificates(const Listener& listener) { return !listener.tls.ca_file.empty(); }

void check_rules(const Config& config, const Report& report) {
  const Auth& auth = config.auth;
  if (!auth.hba.empty() && !auth.hba_file.empty()) {
    report("auth.hba", "and hba_file exclude each other");
  }
  std::vector<RuleProblem> problems;
  const AuthRules rules = read_auth_rules(auth, problems);
  for (const RuleProblem& problem : problems) report(problem.option, problem.message);
  std::vector<RuleProblem> in_file;
  if (!auth.user_file.empty()) read_user_file(auth.user_file, in_file);
  for (const RuleProblem& problem : in_file) report(problem.option, problem.message);
  const bool wants = std::any_of(rules.hba.rules.begin(), rules.hba.rules.end(),
                                 [](const HbaRule& rule) { return rule.certificate; });
  const bool asks =
      std::any_of(config.listeners.begin(), config.listeners.end(), asks_for_certificates);
  if ((wants || auth.method == AuthMethod::cert) && !asks) {
    report(wants ? "auth.hba" : "auth.method",
           "client certificates are wanted, and no listener has tls.ca_file");
  }
}

void check_tls(const Config& config, const Report& report) {
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const ListenerTls& tls = config.listeners[i].tls;
    if (tls.mode == ClientTls::disable && !tls.ca_file.empty()) {
      report("listeners[" + std::to_string(i) + "].tls.ca_file", "needs TLS, and mode is disable");
    }
  }
  for (const auto& [name, backend] : config.backends) {
    const std::string path = "backends." + name;
    const bool postgres = backend.protocol == Protocol::postgresql;
    if (backend.max_protocol_version != PostgresVersion::v3_0 && !postgres) {
      report(path + ".max_protocol_version", "is for PostgreSQL only");
    }
    if (backend.tls.negotiation != TlsNegotiation::direct) continue;
    if (!postgres) report(path + ".tls.negotiation", "direct is for PostgreSQL only");
    if (backend.tls.mode < SslMode::require) {
      report(path + ".tls.negotiation", "direct needs tls.mode require or stronger");
    }
  }
}

}  // namespace

void validate_auth(const Config& config, const Report& report) {
  check_users(config, report);
  check_rules(config, report);
  check_tls(config, report);
}

}  // namespace weirpool::config
