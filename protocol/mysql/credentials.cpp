#include "protocol/mysql/credentials.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstdlib>

namespace weirpool::protocol::mysql {
namespace {

/// Over digests, so that neither content nor length shows in the time it takes.
bool same_text(const Sha256Digest& verifier, std::string_view text) {
  const Sha256Digest other = sha2_verifier(text);
  return CRYPTO_memcmp(verifier.data(), other.data(), other.size()) == 0;
}

}  // namespace

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

Credentials::Credentials(const std::vector<std::string>& passwords) {
  entries_.reserve(passwords.size());
  for (const std::string& password : passwords) {
    entries_.push_back({password.empty(), native_verifier(password), sha2_verifier(password)});
  }
}

/// Looks at every entry whatever the first one says: time does not tell which one matched.
template <class Check>
bool Credentials::any(Check check) const {
  bool found = false;
  for (const Entry& entry : entries_) found = check(entry) || found;
  return found;
}

bool Credentials::without_password() const {
  return any([](const Entry& entry) { return entry.empty; });
}

bool Credentials::native(const Scramble& scramble, Bytes token) const {
  return any([&](const Entry& entry) {
    return native_matches(entry.native, scramble, token) && !entry.empty;
  });
}

bool Credentials::sha2(const Scramble& scramble, Bytes token) const {
  return any([&](const Entry& entry) {
    return sha2_matches(entry.sha2, scramble, token) && !entry.empty;
  });
}

bool Credentials::plain(std::string_view password) const {
  return any([&](const Entry& entry) { return same_text(entry.sha2, password); });
}

std::shared_ptr<const Credentials> Credentials::of_nobody() {
  static const std::shared_ptr<const Credentials> nobody = [] {
    std::string random(24, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(random.data());
    if (RAND_bytes(bytes, static_cast<int>(random.size())) != 1) std::abort();
    return std::make_shared<const Credentials>(std::vector<std::string>{random});
  }();
  return nobody;
}

}  // namespace weirpool::protocol::mysql
