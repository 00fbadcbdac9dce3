// SCRAM-SHA-256 without channel binding, both roles (RFC 5802, RFC 7677). Messages are text without
// their PostgreSQL framing.
//
//   client                                     server
//   n,,n=user,r=NONCE                     ->
//                                         <-   r=NONCE+MORE,s=SALT,i=ITERATIONS
//   c=biws,r=NONCE+MORE,p=PROOF           ->
//                                         <-   v=SIGNATURE
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/postgres/crypto.hpp"

namespace weirpool::protocol::postgres {

inline constexpr std::uint32_t kScramIterations = 4096;  ///< what the database server uses itself
inline constexpr std::uint32_t kMaxScramIterations = 1'000'000;
inline constexpr std::size_t kMaxNonce = 256;  ///< bytes, of either side's whole nonce
inline constexpr std::size_t kMaxSalt = 256;   ///< bytes

/// What proves and recognizes a password, without being one.
struct ScramKeys {
  Digest stored_key{};
  Digest server_key{};
};

/// A salt and the keys of every password that is valid under it.
struct ScramVerifier {
  std::vector<std::uint8_t> salt;
  std::uint32_t iterations = kScramIterations;
  std::vector<ScramKeys> keys;
};

/// `salted` is PBKDF2 of the prepared password.
ScramKeys scram_keys(const Digest& salted);

/// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, as pg_authid keeps it.
std::optional<ScramVerifier> parse_verifier(std::string_view text);

/// 18 random bytes in base64.
std::string make_nonce();

/// We are the server of the exchange.
class ScramServer {
 public:
  /// `verifier` outlives the exchange. Without `real`, the exchange runs to its end and fails.
  ScramServer(const ScramVerifier& verifier, bool real, std::string nonce)
      : verifier_(verifier), real_(real), nonce_(std::move(nonce)) {}

  /// The server-first message; no value: malformed, or asks for what was not offered.
  std::optional<std::string> first(std::string_view client_first);

  enum class Outcome { proven, denied, malformed };
  Outcome last(std::string_view client_final);
  /// After proven: the server-final message.
  const std::string& server_final() const { return final_; }

 private:
  const ScramVerifier& verifier_;
  bool real_;
  std::string nonce_;
  std::string header_;  ///< gs2 header, repeated in base64 by c=
  std::string first_bare_;
  std::string server_first_;
  std::string final_;
};

/// We are the client of the exchange.
class ScramClient {
 public:
  explicit ScramClient(std::string nonce) : nonce_(std::move(nonce)) {}

  /// The user name stays empty: the database server takes it from the startup message.
  std::string first() const { return "n,,n=,r=" + nonce_; }
  /// Takes the server-first message; false: malformed or beyond a bound.
  bool challenge(std::string_view server_first);
  const std::vector<std::uint8_t>& salt() const { return salt_; }
  std::uint32_t iterations() const { return iterations_; }
  /// The client-final message, from the PBKDF2 of the password under salt() and iterations().
  std::string prove(const Digest& salted);
  /// Does the server know the password too?
  bool verify(std::string_view server_final) const;

 private:
  std::string nonce_;
  std::string server_first_;
  std::string full_nonce_;
  std::vector<std::uint8_t> salt_;
  std::uint32_t iterations_ = 0;
  Digest signature_{};
  bool proven_ = false;
};

}  // namespace weirpool::protocol::postgres
