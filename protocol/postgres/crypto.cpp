#include "protocol/postgres/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stringprep.h>

#include <cstdlib>
#include <memory>

namespace weirpool::protocol::postgres {
namespace {

struct FreeFromC {
  void operator()(char* p) const { std::free(p); }  // NOLINT: libidn allocates with malloc
};

void hash(const EVP_MD* kind, Bytes data, std::uint8_t* out) {
  unsigned int size = 0;
  // Fails only without memory or with a FIPS policy that forbids the digest: nothing can go on.
  if (EVP_Digest(data.data(), data.size(), out, &size, kind, nullptr) != 1) std::abort();
}

}  // namespace

Digest sha256(Bytes data) {
  Digest out{};
  hash(EVP_sha256(), data, out.data());
  return out;
}

Digest hmac_sha256(Bytes key, std::string_view data) {
  Digest out{};
  unsigned int size = 0;
  static constexpr std::uint8_t kNoKey = 0;
  const Bytes text = bytes_of(data);
  if (HMAC(EVP_sha256(), key.empty() ? &kNoKey : key.data(), static_cast<int>(key.size()),
           text.data(), text.size(), out.data(), &size) == nullptr) {
    std::abort();
  }
  return out;
}

Digest pbkdf2_sha256(std::string_view password, Bytes salt, std::uint32_t iterations) {
  Digest out{};
  static constexpr std::uint8_t kNoSalt = 0;
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                        salt.empty() ? &kNoSalt : salt.data(), static_cast<int>(salt.size()),
                        static_cast<int>(iterations), EVP_sha256(), static_cast<int>(out.size()),
                        out.data()) != 1) {
    std::abort();
  }
  return out;
}

std::string md5_hex(std::string_view data) {
  std::array<std::uint8_t, 16> raw{};
  hash(EVP_md5(), bytes_of(data), raw.data());
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : raw) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string base64(Bytes data) {
  std::string out(4 * ((data.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), data.data(),
                                   static_cast<int>(data.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::vector<std::uint8_t>> unbase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::vector<std::uint8_t> out(text.size() / 4 * 3);
  if (!text.empty() &&
      EVP_DecodeBlock(out.data(), bytes_of(text).data(), static_cast<int>(text.size())) < 0) {
    return std::nullopt;
  }
  // EVP_DecodeBlock counts padding as zero bytes and takes blanks for nothing: encoding back tells.
  if (text.ends_with("==")) {
    out.resize(out.size() - 2);
  } else if (text.ends_with('=')) {
    out.resize(out.size() - 1);
  }
  if (base64(out) != text) return std::nullopt;
  return out;
}

bool equal_constant_time(Bytes a, Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void fill_random(MutableBytes out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) std::abort();
}

void wipe(std::string& secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

std::string saslprep(std::string_view password) {
  std::string raw(password);
  char* prepared = nullptr;
  if (stringprep_profile(raw.c_str(), &prepared, "SASLprep", STRINGPREP_NO_UNASSIGNED) !=
      STRINGPREP_OK) {
    return raw;
  }
  const std::unique_ptr<char, FreeFromC> owner(prepared);
  return prepared;
}

}  // namespace weirpool::protocol::postgres
