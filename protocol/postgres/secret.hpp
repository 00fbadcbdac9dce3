// What client passwords are checked against: made once when the configuration is loaded, so that a
// login costs a few hashes and never a key derivation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/postgres/scram.hpp"

namespace weirpool::protocol::postgres {

class Secret final : public PreparedSecret {
 public:
  /// Passwords, newest first: plain text, or a verifier as pg_authid keeps it (md5..., SCRAM-...).
  /// One md5 verifier among them makes the login an md5 one. A SCRAM verifier brings its own salt,
  /// so of several only the first can be checked. Milliseconds per plain password.
  Secret(const std::string& user, const std::vector<std::string>& passwords);

  bool uses_md5() const { return !md5_.empty(); }
  /// Every valid "md5..." verifier; empty unless uses_md5().
  const std::vector<std::string>& md5() const { return md5_; }
  const ScramVerifier& scram() const { return scram_; }

 private:
  std::vector<std::string> md5_;
  ScramVerifier scram_;
};

/// The salt weirpool gives this user, known or not: it depends on nothing but the name and a key
/// drawn once per process, so it tells nobody whether the user exists.
std::vector<std::uint8_t> salt_of(std::string_view user);

/// A verifier nobody can satisfy, for users that do not exist.
ScramVerifier mock_verifier(std::string_view user);

}  // namespace weirpool::protocol::postgres
