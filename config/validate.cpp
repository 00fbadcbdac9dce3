#include "config/validate.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "config/network.hpp"
#include "config/option_table.hpp"
#include "config/scalar.hpp"
#include "config/suggest.hpp"
#include "config/validate_auth.hpp"

namespace weirpool::config {

namespace {

class Validator {
 public:
  Validator(const Config& config, const Positions& positions, Problems& problems)
      : config_(config), positions_(positions), problems_(problems) {}

  void run() {
    check_listeners();
    check_backends();
    check_databases();
    check_addresses();
    check_admin();
    check_admission();
    check_timeouts();
    check_files();
    validate_auth(config_, [this](const std::string& path, const std::string& message) {
      error(path, message);
    });
  }

 private:
  void error(const std::string& path, const std::string& message) {
    problems_.error(mark(path), path, message);
  }
  Mark mark(const std::string& path) const {
    const auto found = positions_.find(path);
    return found == positions_.end() ? Mark{} : found->second;
  }
  static std::string at(std::size_t i, std::string_view key) {
    return "listeners[" + std::to_string(i) + "]." + std::string(key);
  }

  void check_listeners();
  void check_backends();
  void check_databases();
  void check_addresses();
  void check_admin();
  void check_admission();
  void check_timeouts();
  void check_files();

  const Config& config_;
  const Positions& positions_;
  Problems& problems_;
};

template <class T>
std::vector<std::string> keys_of(const std::map<std::string, T>& map) {
  std::vector<std::string> keys;
  keys.reserve(map.size());
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

void Validator::check_listeners() {
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    const Listener& listener = config_.listeners[i];
    if (!listener.backend.empty() && !config_.backends.contains(listener.backend)) {
      error(at(i, "backend"), "there is no backend '" + listener.backend + "'" +
                                  suggestion(listener.backend, keys_of(config_.backends)));
    }
    for (std::size_t n = 0; n < listener.proxy_protocol_from.size(); ++n) {
      const Parsed<Network> network = parse_network(listener.proxy_protocol_from[n]);
      if (network.value) continue;
      error(at(i, "proxy_protocol_from[" + std::to_string(n) + "]"), network.error);
    }
    const ListenerTls& tls = listener.tls;
    const bool wanted = tls.mode != ClientTls::disable;
    if (wanted && (tls.cert_file.empty() || tls.key_file.empty())) {
      error(at(i, "tls.mode"), "needs tls.cert_file and tls.key_file");
    }
    if (!wanted && !(tls.cert_file.empty() && tls.key_file.empty())) {
      error(at(i, "tls.mode"), "is disable, so the certificate would never be used");
    }
  }
}

void Validator::check_backends() {
  for (const auto& [name, backend] : config_.backends) {
    const std::string path = "backends." + name;
    const auto serves = [&backend = backend](const Listener& listener) {
      return listener.backend == backend.name;
    };
    const auto named = [&backend = backend](const auto& entry) {
      return entry.second.backend == backend.name;
    };
    if (std::none_of(config_.listeners.begin(), config_.listeners.end(), serves) &&
        std::none_of(config_.databases.begin(), config_.databases.end(), named)) {
      error(path, "no listener leads to this backend");
    }
    if (backend.tls.cert_file.empty() != backend.tls.key_file.empty()) {
      error(path + ".tls", "cert_file and key_file belong together");
    }
    if (backend.allow_public_key_retrieval && backend.protocol != Protocol::mysql) {
      error(path + ".allow_public_key_retrieval", "is for MySQL only");
    }
    if (backend.allow_cleartext_password && backend.protocol != Protocol::mysql) {
      error(path + ".allow_cleartext_password", "is for MySQL only");
    }
    if (backend.compression != Compression::off && backend.protocol != Protocol::mysql) {
      error(path + ".compression", "is for MySQL only");
    }
  }
}

void Validator::check_databases() {
  for (const auto& [name, database] : config_.databases) {
    const std::string path = "databases." + name;
    if (!database.backend.empty() && !config_.backends.contains(database.backend)) {
      error(path + ".backend", "there is no backend '" + database.backend + "'" +
                                   suggestion(database.backend, keys_of(config_.backends)));
    }
    if (!database.user.empty() && !config_.users.contains(database.user)) {
      error(path + ".user", "there is no user '" + database.user + "'" +
                                suggestion(database.user, keys_of(config_.users)));
    }
  }
}

/// Would the second bind fail? The same address, or one of them is all addresses of its family.
bool collide(const Address& a, const Address& b) {
  if (a.port != b.port || a.port == 0) return false;
  const auto is_v6 = [](const Address& one) { return one.host.find(':') != std::string::npos; };
  const auto is_any = [](const Address& one) { return one.host == "0.0.0.0" || one.host == "::"; };
  return a.host == b.host || (is_v6(a) == is_v6(b) && (is_any(a) || is_any(b)));
}

void Validator::check_addresses() {
  const auto& listeners = config_.listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!collide(listeners[i].address, listeners[j].address)) continue;
      error(at(i, "address"),
            format_address(listeners[i].address) + " is already taken by " + at(j, "address"));
      break;
    }
    if (collide(listeners[i].address, config_.admin.http)) {
      error(at(i, "address"),
            format_address(listeners[i].address) + " is already taken by admin.http");
    }
  }
}

void Validator::check_admin() {
  const auto check = [this](const char* list, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (config_.users.contains(names[i])) continue;
      error("admin." + std::string(list) + "[" + std::to_string(i) + "]",
            "there is no user '" + names[i] + "'" + suggestion(names[i], keys_of(config_.users)));
    }
  };
  check("users", config_.admin.users);
  check("stats_users", config_.admin.stats_users);
}

void Validator::check_admission() {
  std::vector<std::string> listeners;
  for (const Listener& one : config_.listeners) listeners.push_back(format_address(one.address));
  for (std::size_t i = 0; i < config_.admission.rules.size(); ++i) {
    const AdmissionRule& rule = config_.admission.rules[i];
    const std::string path = "admission.rules[" + std::to_string(i) + "]";
    const bool known =
        std::find(listeners.begin(), listeners.end(), rule.listener) != listeners.end();
    if (!rule.listener.empty() && !known) {
      error(path + ".listener",
            "there is no listener " + rule.listener + suggestion(rule.listener, listeners));
    }
    if (!rule.tag.empty() && rule.tag.find('=') == std::string::npos) {
      error(path + ".tag", "needs the form key=value");
    }
  }
}

void Validator::check_timeouts() {
  if (config_.timeouts.connect_backoff_min > config_.timeouts.connect_backoff_max) {
    error("timeouts.connect_backoff_min", "is longer than connect_backoff_max");
  }
}

/// Why the file cannot be used; empty if it can.
std::string why_unreadable(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return std::strerror(errno);
  struct stat status {};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  ::close(descriptor);
  return regular ? "" : "is not a regular file";
}

void Validator::check_files() {
  Config copy = config_;
  walk(copy, [this](const Place& place) {
    if (place.option.type != Type::file) return;
    const std::string file = text_of(place.option, place.option.field(place.scope));
    if (file.empty()) return;
    const std::string why = why_unreadable(file);
    if (!why.empty()) error(place.path, file + ": " + why);
  });
}

}  // namespace

void validate(const Config& config, const Positions& positions, Problems& problems) {
  Validator(config, positions, problems).run();
}

}  // namespace weirpool::config
