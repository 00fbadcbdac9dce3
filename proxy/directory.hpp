// Whom the configuration and the user file know, and by which rules they are let in. Part of what a
// reload replaces at once: immutable, shared by all workers.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/auth_rules.hpp"
#include "config/config.hpp"
#include "proxy/dialect.hpp"
#include "proxy/session/session_host.hpp"

namespace weirpool::proxy {

class Directory {
 public:
  using Dialects = std::set<const Dialect*>;
  using Secrets = std::map<const Dialect*, std::shared_ptr<const protocol::PreparedSecret>>;

  /// Reads the files that `config` names: blocks on the disk. Throws std::runtime_error if one of
  /// them cannot be read any more; the configuration's own check has seen them all.
  static Directory read(const config::Config& config, const Dialects& dialects);
  /// The same with what the password files of `users` and the user file say now. A user file that
  /// is broken at the moment leaves everything as it was; `problem` says why.
  Directory renewed(const config::Config& config, const Dialects& dialects,
                    const std::vector<std::string>& users, bool user_file,
                    std::string& problem) const;

  /// Is it known what `user` has to show?
  bool knows(const std::string& user) const {
    const auto found = users_.find(user);
    return found != users_.end() && !found->second.passwordless;
  }
  /// Is there such a user, whatever is known of its password?
  bool names(const std::string& user) const { return users_.contains(user); }
  /// What is stored in the user file; empty: `user` is not from there.
  std::vector<std::string> stored(const std::string& user) const;
  /// Everything but the proof.
  protocol::Account account(const Dialect& dialect, const std::string& user) const;
  /// `tls` null: the client is not encrypted.
  Ruling rule(const Dialect& dialect, const config::Arrival& arrival, const TlsChannel* tls) const;
  /// The name of some user to log in as, the best known one; empty: there is none.
  std::string any_user() const;

 private:
  struct Entry {
    Secrets secrets;
    std::string stored;         ///< by the user file
    bool passwordless = false;  ///< in the user file, with an empty password
    bool in_full = false;       ///< a password is known, not only what is stored in its place
  };

  void add(const std::string& user, const std::vector<std::string>& passwords,
           const Dialects& dialects, std::string stored);
  void add_file(const config::UserList& list, const config::Config& config,
                const Dialects& dialects);
  void list_names();

  std::map<std::string, Entry> users_;
  std::vector<std::string> names_;  ///< of users_, in order
  config::AuthMethod method_ = config::AuthMethod::automatic;
  bool plaintext_passwords_ = false;
  config::AuthRules rules_;
};

}  // namespace weirpool::proxy
