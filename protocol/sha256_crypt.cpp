#include "protocol/sha256_crypt.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

namespace weirpool::protocol {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_) std::abort();
    start();
  }

  void add(Bytes bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

  /// And begins anew.
  CryptDigest finish() {
    CryptDigest digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    start();
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };

  void start() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }

  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// `size` bytes: the digest over and over.
std::vector<std::uint8_t> stretched(const CryptDigest& digest, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = digest[i % digest.size()];
  return bytes;
}

CryptDigest first_round(Sha256& hash, Bytes password, Bytes salt) {
  hash.add(password);
  hash.add(salt);
  hash.add(password);
  const CryptDigest inner = hash.finish();
  hash.add(password);
  hash.add(salt);
  hash.add(stretched(inner, password.size()));
  for (std::size_t bits = password.size(); bits > 0; bits >>= 1) {
    hash.add(bits & 1 ? Bytes(inner) : password);
  }
  return hash.finish();
}

CryptDigest repeated(Sha256& hash, Bytes bytes, std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) hash.add(bytes);
  return hash.finish();
}

/// Which bytes of the digest each group of four characters carries, the lowest bits first.
constexpr std::array<std::array<std::uint8_t, 3>, 10> kGroups{{{20, 10, 0},
                                                               {11, 1, 21},
                                                               {2, 22, 12},
                                                               {23, 13, 3},
                                                               {14, 4, 24},
                                                               {5, 25, 15},
                                                               {26, 16, 6},
                                                               {17, 7, 27},
                                                               {8, 28, 18},
                                                               {29, 19, 9}}};
constexpr std::size_t kTextSize = kGroups.size() * 4 + 3;
constexpr std::string_view kAlphabet =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

}  // namespace

CryptDigest sha256_crypt(std::string_view password, Bytes salt, std::uint32_t rounds) {
  Sha256 hash;
  const Bytes word = bytes_of(password);
  CryptDigest digest = first_round(hash, word, salt);
  std::vector<std::uint8_t> p = stretched(repeated(hash, word, word.size()), word.size());
  const std::vector<std::uint8_t> s = stretched(repeated(hash, salt, 16U + digest[0]), salt.size());
  for (std::uint32_t round = 0; round < rounds; ++round) {
    const bool odd = round % 2 == 1;
    hash.add(odd ? Bytes(p) : Bytes(digest));
    if (round % 3 != 0) hash.add(s);
    if (round % 7 != 0) hash.add(p);
    hash.add(odd ? Bytes(digest) : Bytes(p));
    digest = hash.finish();
  }
  OPENSSL_cleanse(p.data(), p.size());
  return digest;
}

std::optional<CryptDigest> parse_crypt_digest(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  const auto bits_of = [&](std::size_t at, std::size_t characters) -> std::optional<std::uint32_t> {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < characters; ++i) {
      const std::size_t value = kAlphabet.find(text[at + i]);
      if (value == kAlphabet.npos) return std::nullopt;
      bits |= static_cast<std::uint32_t>(value) << (6 * i);
    }
    return bits;
  };
  CryptDigest digest{};
  for (std::size_t group = 0; group < kGroups.size(); ++group) {
    const auto bits = bits_of(4 * group, 4);
    if (!bits) return std::nullopt;
    for (std::size_t i = 0; i < 3; ++i) {
      digest[kGroups[group][i]] = static_cast<std::uint8_t>(*bits >> (8 * i));
    }
  }
  const auto rest = bits_of(4 * kGroups.size(), 3);
  if (!rest || *rest >> 16 != 0) return std::nullopt;
  digest[30] = static_cast<std::uint8_t>(*rest);
  digest[31] = static_cast<std::uint8_t>(*rest >> 8);
  return digest;
}

}  // namespace weirpool::protocol
