#include "protocol/mysql/auth_caching_sha2.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace weirpool::protocol::mysql {
namespace {

constexpr unsigned kKeyBits = 2048;

struct FreeKey {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Bio = std::unique_ptr<BIO, FreeKey>;
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeKey>;

Sha256Digest sha256(Bytes input) {
  Sha256Digest out{};
  EVP_Digest(input.data(), input.size(), out.data(), nullptr, EVP_sha256(), nullptr);
  return out;
}

Sha256Digest mask_of(const Sha256Digest& verifier, const Scramble& scramble) {
  std::array<std::uint8_t, sizeof(Sha256Digest) + sizeof(Scramble)> joined;
  std::copy(scramble.begin(), scramble.end(),
            std::copy(verifier.begin(), verifier.end(), joined.begin()));
  return sha256(joined);
}

void fold(Sha256Digest& into, Bytes other) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] ^= other[i];
}

void fold_scramble(MutableBytes text, const Scramble& scramble) {
  for (std::size_t i = 0; i < text.size(); ++i) text[i] ^= scramble[i % scramble.size()];
}

}  // namespace

Sha256Digest sha2_verifier(std::string_view password) { return sha256(sha256(bytes_of(password))); }

Sha256Digest sha2_token(std::string_view password, const Scramble& scramble) {
  Sha256Digest token = sha256(bytes_of(password));
  fold(token, mask_of(sha256(token), scramble));
  return token;
}

bool sha2_matches(const Sha256Digest& verifier, const Scramble& scramble, Bytes token) {
  Sha256Digest digest = mask_of(verifier, scramble);
  if (token.size() != digest.size()) return false;
  fold(digest, token);
  const Sha256Digest shown = sha256(digest);
  OPENSSL_cleanse(digest.data(), digest.size());
  return CRYPTO_memcmp(shown.data(), verifier.data(), shown.size()) == 0;
}

std::vector<std::uint8_t> rsa_encrypt_password(std::string_view pem, std::string_view password,
                                               const Scramble& scramble) {
  std::vector<std::uint8_t> plain(password.begin(), password.end());
  plain.push_back(0);
  fold_scramble(plain, scramble);
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  std::vector<std::uint8_t> cipher;
  if (key && EVP_PKEY_is_a(key.get(), "RSA")) {
    const KeyContext context(EVP_PKEY_CTX_new(key.get(), nullptr));
    std::size_t length = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
    cipher.resize(length);
    const bool done =
        EVP_PKEY_encrypt_init(context.get()) > 0 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) > 0 &&
        EVP_PKEY_encrypt(context.get(), cipher.data(), &length, plain.data(), plain.size()) > 0;
    cipher.resize(done ? length : 0);
  }
  ERR_clear_error();
  OPENSSL_cleanse(plain.data(), plain.size());
  return cipher;
}

const RsaKey& RsaKey::of_process() {
  static const RsaKey key;
  return key;
}

RsaKey::RsaKey() : key_(EVP_RSA_gen(kKeyBits)) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (key_ == nullptr || PEM_write_bio_PUBKEY(bio.get(), static_cast<EVP_PKEY*>(key_)) != 1) {
    std::abort();  // OpenSSL cannot make keys at all: no login would be safe
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  pem_.assign(text, static_cast<std::size_t>(size));
}

RsaKey::~RsaKey() { EVP_PKEY_free(static_cast<EVP_PKEY*>(key_)); }

std::string RsaKey::decrypt_password(Bytes cipher, const Scramble& scramble) const {
  const KeyContext context(EVP_PKEY_CTX_new(static_cast<EVP_PKEY*>(key_), nullptr));
  std::vector<std::uint8_t> plain(kKeyBits / 8);
  std::size_t length = plain.size();
  const bool done =
      EVP_PKEY_decrypt_init(context.get()) > 0 &&
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) > 0 &&
      EVP_PKEY_decrypt(context.get(), plain.data(), &length, cipher.data(), cipher.size()) > 0;
  ERR_clear_error();
  std::string password;
  if (done) {
    fold_scramble(MutableBytes(plain).first(length), scramble);
    if (length > 0 && plain[length - 1] == 0) {
      password.assign(reinterpret_cast<const char*>(plain.data()), length - 1);
    }
  }
  OPENSSL_cleanse(plain.data(), plain.size());
  return password;
}

}  // namespace weirpool::protocol::mysql
