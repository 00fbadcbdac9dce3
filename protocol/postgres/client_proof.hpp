// How a client proves that it is who it says: the part of its login between look-up and
// AuthenticationOk.
//
//   none        nothing is asked
//   cleartext   <- AuthenticationCleartextPassword    -> PasswordMessage
//   md5         <- AuthenticationMD5Password          -> PasswordMessage
//   scram       <- AuthenticationSASL                 -> SASLInitialResponse
//               <- AuthenticationSASLContinue         -> SASLResponse
//               <- AuthenticationSASLFinal
//
// A key that has to be derived first is asked for by Outcome::derive. An unknown user goes through
// the same messages as a known one. PostgreSQL documentation, 55.2.1 and 55.3.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/postgres/scram.hpp"
#include "protocol/postgres/secret.hpp"

namespace weirpool::protocol::postgres {

class ClientProof {
 public:
  enum class Outcome : std::uint8_t {
    next,     ///< another message of the client is needed
    derive,   ///< derivation() says which key is needed
    proven,   ///< everything has been said
    denied,   ///< wrong
    illegal,  ///< not what the exchange allows here
  };

  /// `end_point`: TlsFacts::end_point.
  ClientProof(std::string user, const Account& account, std::vector<std::uint8_t> end_point);

  /// Writes the request.
  Outcome begin(Writer& out);
  /// The payload of a 'p' message.
  Outcome on_message(Bytes payload, Writer& out);
  KeyDerivation derivation() const;
  Outcome derived(Bytes key, Writer& out);
  /// The longest message that makes sense now, as its length word has it.
  std::uint32_t longest_message() const;
  std::optional<Revealed> revealed() const { return revealed_; }

 private:
  enum class Step : std::uint8_t { cleartext, md5, sasl_initial, sasl_response };

  Proof choose(Proof asked) const;
  Outcome on_cleartext(Bytes payload);
  Outcome on_md5(Bytes payload);
  Outcome on_sasl_initial(Bytes payload, Writer& out);
  Outcome on_sasl_response(Bytes payload, Writer& out);
  Outcome try_keys(const ScramKeys& keys, Writer& out);
  Outcome next_candidate();
  const std::vector<std::uint8_t>& salt() const;
  std::uint32_t iterations() const;

  std::string user_;
  std::shared_ptr<const Secret> secret_;  ///< null: no such user
  Mock mock_;
  Proof proof_;
  Step step_ = Step::sasl_initial;
  std::vector<std::uint8_t> end_point_;
  std::array<std::uint8_t, 4> md5_salt_{};
  std::optional<ScramServer> scram_;
  std::size_t candidate_ = 0;  ///< of the plain passwords, the one whose key is being tried
  std::string claimed_;        ///< what a client has sent in clear text
  std::optional<Revealed> revealed_;
};

}  // namespace weirpool::protocol::postgres
