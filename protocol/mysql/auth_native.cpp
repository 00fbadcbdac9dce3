#include "protocol/mysql/auth_native.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace weirpool::protocol::mysql {
namespace {

Sha1Digest sha1(Bytes input) {
  Sha1Digest out{};
  EVP_Digest(input.data(), input.size(), out.data(), nullptr, EVP_sha1(), nullptr);
  return out;
}

Sha1Digest mask_of(const Sha1Digest& verifier, const Scramble& scramble) {
  std::array<std::uint8_t, sizeof(Scramble) + sizeof(Sha1Digest)> joined;
  std::copy(verifier.begin(), verifier.end(),
            std::copy(scramble.begin(), scramble.end(), joined.begin()));
  return sha1(joined);
}

void fold(Sha1Digest& into, Bytes other) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] ^= other[i];
}

}  // namespace

Sha1Digest native_key(std::string_view password) { return sha1(bytes_of(password)); }

Sha1Digest native_verifier(const Sha1Digest& key) { return sha1(key); }

Sha1Digest native_token(const Sha1Digest& key, const Scramble& scramble) {
  Sha1Digest token = key;
  fold(token, mask_of(native_verifier(key), scramble));
  return token;
}

std::optional<Sha1Digest> native_proof(const Sha1Digest& verifier, const Scramble& scramble,
                                       Bytes token) {
  Sha1Digest key = mask_of(verifier, scramble);
  if (token.size() != key.size()) return std::nullopt;
  fold(key, token);
  const Sha1Digest shown = native_verifier(key);
  if (CRYPTO_memcmp(shown.data(), verifier.data(), shown.size()) != 0) return std::nullopt;
  return key;
}

}  // namespace weirpool::protocol::mysql
