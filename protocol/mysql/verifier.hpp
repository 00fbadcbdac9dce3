// What a MySQL or MariaDB server stores in place of a password, as text: mysql.user's
// authentication_string.
//
//   mysql_native_password   *<SHA1(SHA1(password)), 40 hexadecimal digits>
//   caching_sha2_password   $A$<thousands of rounds, 3 hexadecimal digits>$<20 bytes of salt><43
//                           characters of SHA-256-crypt>, or all of it as 0x and hexadecimal
//                           digits, as SHOW CREATE USER prints it with print_identified_with_as_hex
//
// Source: MySQL's documentation, "Pluggable Authentication"; the second one's layout is that of
// sql/auth/sha2_password.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/mysql/auth_native.hpp"
#include "protocol/sha256_crypt.hpp"

namespace weirpool::protocol::mysql {

struct CryptVerifier {
  std::vector<std::uint8_t> salt;
  std::uint32_t rounds = 0;
  CryptDigest digest{};
};
using Verifier = std::variant<Sha1Digest, CryptVerifier>;

/// No value: it is a password.
std::optional<Verifier> parse_verifier(std::string_view text);

/// A verifier of mysql_native_password together with SHA1(password), which is as good as the
/// password for a server that stores the same: the verifier's text, a dollar sign, 40 hexadecimal
/// digits. Secret.
std::string pass_text(std::string_view verifier, const Sha1Digest& key);
/// The key. No value: not such a text, or the key does not belong to the verifier.
std::optional<Sha1Digest> parse_pass(std::string_view text);

}  // namespace weirpool::protocol::mysql
