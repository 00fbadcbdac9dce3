// SCRAM-SHA-256 and, inside TLS, SCRAM-SHA-256-PLUS with the channel binding tls-server-end-point,
// both roles (RFC 5802, RFC 7677, RFC 5929). Messages are text without their PostgreSQL framing.
//
//   client                                     server
//   n,,n=user,r=NONCE                     ->   (PLUS: p=tls-server-end-point,,n=...)
//                                         <-   r=NONCE+MORE,s=SALT,i=ITERATIONS
//   c=biws,r=NONCE+MORE,p=PROOF           ->   (PLUS: c= also holds the certificate's hash)
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

/// What is stored about a password in place of it.
struct ScramVerifier {
  std::vector<std::uint8_t> salt;
  std::uint32_t iterations = kScramIterations;
  ScramKeys keys;
};

/// What a client needs to prove that it knows a password.
struct ScramProver {
  Digest client_key{};
  Digest server_key{};
};

/// `salted` is PBKDF2 of the prepared password.
ScramKeys scram_keys(const Digest& salted);

ScramProver scram_prover(const Digest& salted);

/// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, as pg_authid keeps it.
std::optional<ScramVerifier> parse_verifier(std::string_view text);

/// A verifier together with the client key that belongs to it: as good as the password for a server
/// that stores the same verifier. The verifier's text, a dollar sign, the key in base64. Secret.
struct ScramPass {
  ScramVerifier verifier;
  Digest client_key{};
};
std::string pass_text(std::string_view verifier, const Digest& client_key);
/// No value: not such a text, or the key does not belong to the verifier.
std::optional<ScramPass> parse_pass(std::string_view text);

/// 18 random bytes in base64.
std::string make_nonce();

/// We are the server of the exchange. A SCRAM user with several valid passwords has one salt.
class ScramServer {
 public:
  /// `end_point`: TlsFacts::end_point; not empty: PLUS is offered too.
  ScramServer(std::vector<std::uint8_t> salt, std::uint32_t iterations, std::string nonce,
              std::vector<std::uint8_t> end_point)
      : salt_(std::move(salt)),
        iterations_(iterations),
        nonce_(std::move(nonce)),
        end_point_(std::move(end_point)) {}

  /// The server-first message; no value: malformed, or asks for what was not offered, or says that
  /// PLUS was not offered although it was (somebody in between has taken it out).
  std::optional<std::string> first(std::string_view client_first, bool plus);
  /// Takes the client-final message; false: malformed, or bound to another channel.
  bool last(std::string_view client_final);
  /// Is the proof one of the password that `keys` stand for?
  bool proven_by(const ScramKeys& keys);

  // After proven_by() has said yes.
  const std::string& server_final() const { return final_; }
  const Digest& client_key() const { return client_key_; }

 private:
  std::vector<std::uint8_t> salt_;
  std::uint32_t iterations_;
  std::string nonce_;
  std::vector<std::uint8_t> end_point_;
  std::string binding_;  ///< what c= has to hold, in base64
  std::string first_bare_;
  std::string server_first_;
  std::string message_;  ///< what both sides sign
  Digest proof_{};
  std::string final_;
  Digest client_key_{};
};

/// We are the client of the exchange.
class ScramClient {
 public:
  enum class Binding : std::uint8_t {
    none,         ///< no TLS, or no hash of the server's certificate
    not_offered,  ///< we could, the server has not offered it
    end_point,    ///< PLUS
  };

  /// `end_point`: TlsFacts::end_point, for Binding::end_point.
  explicit ScramClient(std::string nonce, Binding binding = Binding::none, Bytes end_point = {});

  /// The user name stays empty: the database server takes it from the startup message.
  std::string first() const { return header_ + "n=,r=" + nonce_; }
  /// Takes the server-first message; false: malformed or beyond a bound.
  bool challenge(std::string_view server_first);
  const std::vector<std::uint8_t>& salt() const { return salt_; }
  std::uint32_t iterations() const { return iterations_; }
  /// The client-final message.
  std::string prove(const ScramProver& prover);
  /// Does the server know the password too?
  bool verify(std::string_view server_final) const;

 private:
  std::string nonce_;
  std::string header_;   ///< of GS2
  std::string binding_;  ///< c=, in base64
  std::string server_first_;
  std::string full_nonce_;
  std::vector<std::uint8_t> salt_;
  std::uint32_t iterations_ = 0;
  Digest signature_{};
  bool proven_ = false;
};

}  // namespace weirpool::protocol::postgres
