#include "protocol/mysql/auth_ed25519.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_scalarmult_ed25519.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <memory>

namespace weirpool::protocol::mysql {
namespace {

using Digest = std::array<std::uint8_t, 64>;
using Scalar = std::array<std::uint8_t, crypto_core_ed25519_SCALARBYTES>;
using Point = std::array<std::uint8_t, crypto_core_ed25519_BYTES>;

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

Digest sha512(std::initializer_list<Bytes> parts) {
  Digest out{};
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  bool done = EVP_DigestInit_ex(context.get(), EVP_sha512(), nullptr) == 1;
  for (const Bytes part : parts) {
    done = done && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  if (!done || EVP_DigestFinal_ex(context.get(), out.data(), nullptr) != 1) std::abort();
  return out;
}

Scalar reduced(const Digest& digest) {
  Scalar out{};
  crypto_core_ed25519_scalar_reduce(out.data(), digest.data());
  return out;
}

/// Zero times the base point is an error to the library; no digest anybody can make leads there.
Point times_base(const Scalar& scalar) {
  Point out{};
  if (crypto_scalarmult_ed25519_base_noclamp(out.data(), scalar.data()) != 0) out = {};
  return out;
}

}  // namespace

Ed25519Signature ed25519_sign(std::string_view password, Bytes challenge) {
  // OpenSSL signs with 32-byte seeds only, hence the arithmetic of RFC 8032, section 5.1.6.
  Digest key = sha512({bytes_of(password)});
  key[0] &= 248;
  key[31] &= 63;
  key[31] |= 64;
  Scalar secret{};
  std::copy_n(key.begin(), secret.size(), secret.begin());
  const Point public_key = times_base(secret);
  Scalar once = reduced(sha512({Bytes(key).subspan(secret.size()), challenge}));
  const Point commitment = times_base(once);
  const Scalar hashed = reduced(sha512({commitment, public_key, challenge}));
  Scalar response{};
  crypto_core_ed25519_scalar_mul(response.data(), hashed.data(), secret.data());
  crypto_core_ed25519_scalar_add(response.data(), response.data(), once.data());
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(secret.data(), secret.size());
  OPENSSL_cleanse(once.data(), once.size());
  Ed25519Signature signature{};
  std::copy(response.begin(), response.end(),
            std::copy(commitment.begin(), commitment.end(), signature.begin()));
  return signature;
}

}  // namespace weirpool::protocol::mysql
