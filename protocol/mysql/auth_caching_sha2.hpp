// caching_sha2_password. The fast path is a challenge like the native one; where the server has no
// SHA-256 of the password at hand it asks for the password itself, inside TLS or under an RSA key.
//   fast: token = SHA256(password) XOR SHA256(SHA256(SHA256(password)) · scramble)
//   full: RSA-OAEP(SHA-1) of (password · 0) XOR (scramble, repeated)
// Source: dev.mysql.com, "Caching_sha2_password information".
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/mysql/handshake_messages.hpp"

namespace weirpool::protocol::mysql {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// The second byte of AuthMoreData, and what a client says between.
inline constexpr std::uint8_t kAuthMoreData = 0x01;
inline constexpr std::uint8_t kFastAuthOk = 0x03;
inline constexpr std::uint8_t kFullAuthNeeded = 0x04;
inline constexpr std::uint8_t kPublicKeyRequest = 0x02;
/// The same question in sha256_password, whose only way is the full one.
inline constexpr std::uint8_t kSha256KeyRequest = 0x01;

/// SHA256(SHA256(password)).
Sha256Digest sha2_verifier(std::string_view password);
Sha256Digest sha2_token(std::string_view password, const Scramble& scramble);
/// Constant time in everything but the token's length.
bool sha2_matches(const Sha256Digest& verifier, const Scramble& scramble, Bytes token);

/// What a client encrypts. Empty: the key is none, or too small for this password.
std::vector<std::uint8_t> rsa_encrypt_password(std::string_view pem, std::string_view password,
                                               const Scramble& scramble);

/// The key pair this process shows to clients without TLS: 2048 bits, made at its first use, which
/// costs some 100 ms once: see Dialect::get_ready(). Thread-safe.
class RsaKey {
 public:
  static const RsaKey& of_process();

  /// SubjectPublicKeyInfo, PEM.
  std::string_view public_pem() const { return pem_; }
  /// The password without its zero byte. Empty when `cipher` was not made for this key and
  /// scramble.
  std::string decrypt_password(Bytes cipher, const Scramble& scramble) const;

  RsaKey(const RsaKey&) = delete;
  RsaKey& operator=(const RsaKey&) = delete;

 private:
  RsaKey();
  ~RsaKey();

  void* key_;  ///< EVP_PKEY, owned
  std::string pem_;
};

}  // namespace weirpool::protocol::mysql
