// What client logins are checked against: made when the configuration or the directory is read,
// without any key derivation. Keys of plain passwords are derived when a client comes and
// remembered by whoever derives them.
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
  /// A SCRAM verifier brings its own salt, so of several only the first can be checked by SCRAM.
  Secret(const std::string& user, const std::vector<std::string>& passwords);
  ~Secret() override;

  /// How a client proves itself where nobody says how. One md5 verifier makes the login an md5 one:
  /// with it and a plain password, that is the only exchange that takes either.
  Proof best() const { return md5_.empty() ? Proof::scram : Proof::md5; }

  const std::vector<std::string>& plain() const { return plain_; }
  const std::vector<std::string>& md5() const { return md5_; }  ///< "md5..." texts

  struct Scram {
    std::string text;
    ScramVerifier verifier;
  };
  const std::vector<Scram>& scram() const { return scram_; }
  /// Of every SCRAM exchange with this user.
  const std::vector<std::uint8_t>& salt() const { return salt_; }
  std::uint32_t iterations() const { return iterations_; }

 private:
  std::vector<std::string> plain_;
  std::vector<std::string> md5_;
  std::vector<Scram> scram_;
  std::vector<std::uint8_t> salt_;
  std::uint32_t iterations_ = kScramIterations;
};

/// What the exchange with a user looks like who does not exist and takes after `like` (null: after
/// one with a plain password). It depends on nothing but the name and a key drawn once per process,
/// so it tells nobody whether the user exists.
struct Mock {
  Mock(std::string_view user, const Secret* like);

  std::vector<std::uint8_t> salt;
  std::uint32_t iterations = kScramIterations;
  ScramKeys keys;  ///< nobody's
  Proof best = Proof::scram;
  bool derives = false;  ///< a password in clear text would have to be derived to be checked
};

}  // namespace weirpool::protocol::postgres
