// What client logins are checked against: every password that is valid now, or what a server stores
// in its place, as each plugin needs it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/mysql/auth_caching_sha2.hpp"
#include "protocol/mysql/verifier.hpp"

namespace weirpool::protocol::mysql {

/// Overwrites a secret and leaves nothing of it.
void wipe(std::string& secret);

class Credentials final : public PreparedSecret {
 public:
  /// A client's proof, looked at.
  struct Finding {
    bool right = false;
    std::optional<Revealed> revealed{};
  };

  /// One or two passwords or verifiers. Only digests of passwords are kept; the full path compares
  /// those too.
  explicit Credentials(const std::vector<std::string>& stored);

  /// The empty password is one of them: a client may log in without any.
  bool without_password() const;
  /// mysql_native_password can be checked: there is more than verifiers of another plugin.
  bool checks_native() const;
  Finding native(const Scramble& scramble, Bytes token) const;
  bool sha2(const Scramble& scramble, Bytes token) const;
  Finding plain(std::string_view password) const;
  /// Where plain() is not right, verifiers may be left whose check costs milliseconds: so many.
  std::size_t expensive() const;
  /// What makes the key that derived() wants for one of them.
  KeyDerivation derivation(std::size_t which, std::string_view password) const;
  Finding derived(std::size_t which, Bytes key, std::string_view password) const;

  /// Stands in for a user that does not exist: to log in as that costs what a wrong password of
  /// `like` costs. Null: of any user with a password.
  static std::shared_ptr<const Credentials> of_nobody(const Credentials* like);

 private:
  struct Entry {
    bool empty = false;
    std::optional<Sha1Digest> native{};
    std::optional<Sha256Digest> sha2{};
    std::string verifier{};  ///< as it is stored; empty: a password is
  };
  struct Crypted {
    CryptVerifier verifier;
    std::size_t entry = 0;
  };

  Credentials() = default;
  template <class Check>
  bool any(Check check) const;
  Finding shown(std::size_t entry, std::string_view password) const;

  std::vector<Entry> entries_;
  std::vector<Crypted> crypted_;
  mutable std::mutex mutex_;
  /// For the fast path, by entry: what the full one has brought to light about verifiers. Empty
  /// where there are none.
  mutable std::vector<std::optional<Sha256Digest>> shown_;
};

}  // namespace weirpool::protocol::mysql
