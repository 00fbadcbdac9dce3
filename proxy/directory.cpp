#include "proxy/directory.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "config/password.hpp"

namespace weirpool::proxy {
namespace {

using config::AuthMethod;
using protocol::Fault;
using protocol::Proof;

void give_up_on(const std::vector<config::RuleProblem>& problems) {
  if (problems.empty()) return;
  throw std::runtime_error(problems.front().option + ": " + problems.front().message);
}

Proof proof_of(AuthMethod method) {
  switch (method) {
    case AuthMethod::automatic: return Proof::by_secret;
    case AuthMethod::password: return Proof::cleartext;
    case AuthMethod::md5: return Proof::md5;
    case AuthMethod::trust:
    case AuthMethod::cert:
    case AuthMethod::reject: return Proof::none;
    case AuthMethod::scram_sha_256: break;
  }
  return Proof::scram;
}

std::string unguessable() {
  std::array<unsigned char, 32> drawn{};
  if (RAND_bytes(drawn.data(), static_cast<int>(drawn.size())) != 1) std::abort();
  std::string text;
  for (const unsigned char byte : drawn) text += static_cast<char>('A' + byte % 26);
  return text;
}

}  // namespace

void Directory::add(const std::string& user, const std::vector<std::string>& passwords,
                    const Dialects& dialects, std::string stored) {
  Entry entry;
  for (const Dialect* dialect : dialects) {
    entry.secrets[dialect] = dialect->prepare(user, passwords);
  }
  entry.stored = std::move(stored);
  entry.in_full = !std::all_of(passwords.begin(), passwords.end(), config::is_verifier);
  users_[user] = std::move(entry);
}

void Directory::add_file(const config::UserList& list, const config::Config& config,
                         const Dialects& dialects) {
  for (const auto& [user, stored] : list) {
    if (config.users.contains(user)) continue;  // The configuration's word counts more.
    // An empty password is none: such a user comes in where nothing has to be shown, and looks like
    // any other elsewhere.
    add(user, {stored.empty() ? unguessable() : stored}, dialects, stored);
    users_[user].passwordless = stored.empty();
  }
}

void Directory::list_names() {
  names_.clear();
  for (const auto& [user, entry] : users_) names_.push_back(user);
}

Directory Directory::read(const config::Config& config, const Dialects& dialects) {
  Directory made;
  std::vector<config::RuleProblem> problems;
  made.method_ = config.auth.method;
  made.plaintext_passwords_ = config.auth.plaintext_passwords;
  made.rules_ = config::read_auth_rules(config.auth, problems);
  give_up_on(problems);
  for (const auto& [name, user] : config.users) {
    made.add(name, config::read_passwords(user), dialects, {});
  }
  if (!config.auth.user_file.empty()) {
    const config::UserList list = config::read_user_file(config.auth.user_file, problems);
    give_up_on(problems);
    made.add_file(list, config, dialects);
  }
  made.list_names();
  return made;
}

Directory Directory::renewed(const config::Config& config, const Dialects& dialects,
                             const std::vector<std::string>& users, bool user_file,
                             std::string& problem) const {
  Directory made = *this;
  for (const std::string& name : users) {
    made.add(name, config::read_passwords(config.users.at(name)), dialects, {});
  }
  if (!user_file) return made;
  std::vector<config::RuleProblem> problems;
  const config::UserList list = config::read_user_file(config.auth.user_file, problems);
  if (!problems.empty()) {
    problem = problems.front().message;
    return made;
  }
  std::erase_if(made.users_, [](const auto& entry) {
    return !entry.second.stored.empty() || entry.second.passwordless;
  });
  made.add_file(list, config, dialects);
  made.list_names();
  return made;
}

std::vector<std::string> Directory::stored(const std::string& user) const {
  const auto found = users_.find(user);
  if (found == users_.end() || found->second.stored.empty()) return {};
  return {found->second.stored};
}

protocol::Account Directory::account(const Dialect& dialect, const std::string& user) const {
  protocol::Account account;
  if (const auto found = users_.find(user); found != users_.end()) {
    account.secret = found->second.secrets.at(&dialect);
  } else if (!names_.empty()) {
    // Always the same one for a name, so that a second attempt looks like the first.
    const std::size_t drawn = std::hash<std::string>{}(user) % names_.size();
    account.like = users_.at(names_[drawn]).secrets.at(&dialect);
  }
  return account;
}

std::string Directory::any_user() const {
  const auto worth = [](const Entry& entry) {
    const bool configured = entry.stored.empty() && !entry.passwordless;
    return std::make_pair(entry.in_full && !entry.passwordless, configured);
  };
  const auto best = std::max_element(
      users_.begin(), users_.end(),
      [&](const auto& a, const auto& b) { return worth(a.second) < worth(b.second); });
  return best == users_.end() ? std::string() : best->first;
}

Ruling Directory::rule(const Dialect& dialect, const config::Arrival& arrival,
                       const TlsChannel* tls) const {
  AuthMethod method = dialect.chooses_proof() ? method_ : AuthMethod::automatic;
  bool certificate = method == AuthMethod::cert;
  bool named = certificate;
  std::string map;
  if (rules_.by_rule) {
    const config::HbaRule* const rule = rules_.hba.find(arrival);
    if (rule == nullptr) return {Fault::not_admitted, Proof::scram, "no rule matches"};
    if (rule->method == AuthMethod::reject) return {Fault::not_admitted, Proof::scram, "rejected"};
    if (dialect.chooses_proof()) method = rule->method;
    certificate = rule->certificate;
    named = rule->certificate_name;
    map = rule->map;
  }
  if (certificate && (tls == nullptr || !tls->peer_is_trusted())) {
    return {Fault::not_admitted, Proof::scram, "a valid client certificate is required"};
  }
  if (named) {
    const auto name = tls->peer_common_name();
    if (!name || !rules_.ident.admits(map, *name, arrival.user)) {
      return {Fault::not_admitted, Proof::scram, "the client certificate is for somebody else"};
    }
  }
  if (method == AuthMethod::password && tls == nullptr && !plaintext_passwords_) {
    return {Fault::tls_required, Proof::scram, {}};
  }
  return {Fault::none, proof_of(method), {}};
}

}  // namespace weirpool::proxy
