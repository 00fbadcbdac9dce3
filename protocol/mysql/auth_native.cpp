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

Sha1Digest native_verifier(std::string_view password) { return sha1(sha1(bytes_of(password))); }

Sha1Digest native_token(std::string_view password, const Scramble& scramble) {
  Sha1Digest token = sha1(bytes_of(password));
  fold(token, mask_of(sha1(token), scramble));
  return token;
}

bool native_matches(const Sha1Digest& verifier, const Scramble& scramble, Bytes token) {
  Sha1Digest digest = mask_of(verifier, scramble);
  if (token.size() != digest.size()) return false;
  fold(digest, token);
  const Sha1Digest shown = sha1(digest);
  OPENSSL_cleanse(digest.data(), digest.size());
  return CRYPTO_memcmp(shown.data(), verifier.data(), shown.size()) == 0;
}

}  // namespace weirpool::protocol::mysql
