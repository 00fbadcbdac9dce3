#include "protocol/mysql/credentials.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <utility>

namespace weirpool::protocol::mysql {
namespace {

/// Over digests, so that neither content nor length shows in the time it takes.
template <class Digest>
bool same(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

template <class Digest>
void draw(Digest& into) {
  if (RAND_bytes(into.data(), static_cast<int>(into.size())) != 1) std::abort();
}

/// The server takes no longer ones either.
constexpr std::size_t kMaxCryptedPassword = 256;

}  // namespace

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

Credentials::Credentials(const std::vector<std::string>& stored) {
  for (const std::string& text : stored) {
    Entry entry;
    auto verifier = parse_verifier(text);
    if (!verifier) {
      entry.empty = text.empty();
      entry.native = native_verifier(native_key(text));
      entry.sha2 = sha2_verifier(text);
    } else {
      shown_.resize(stored.size());
      entry.verifier = text;
      if (const auto* native = std::get_if<Sha1Digest>(&*verifier)) {
        entry.native = *native;
      } else {
        crypted_.push_back({std::get<CryptVerifier>(std::move(*verifier)), entries_.size()});
      }
    }
    entries_.push_back(std::move(entry));
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

bool Credentials::checks_native() const {
  return any([](const Entry& entry) { return entry.native.has_value(); }) || entries_.empty();
}

Credentials::Finding Credentials::native(const Scramble& scramble, Bytes token) const {
  Finding finding;
  finding.right = any([&](const Entry& entry) {
    if (!entry.native || entry.empty) return false;
    auto key = native_proof(*entry.native, scramble, token);
    if (!key) return false;
    if (!entry.verifier.empty()) {
      finding.revealed = Revealed{entry.verifier, pass_text(entry.verifier, *key)};
    }
    OPENSSL_cleanse(key->data(), key->size());
    return true;
  });
  return finding;
}

bool Credentials::sha2(const Scramble& scramble, Bytes token) const {
  bool right = any([&](const Entry& entry) {
    return entry.sha2 && sha2_matches(*entry.sha2, scramble, token) && !entry.empty;
  });
  if (shown_.empty()) return right;
  const std::lock_guard lock(mutex_);
  for (const auto& one : shown_) right = (one && sha2_matches(*one, scramble, token)) || right;
  return right;
}

Credentials::Finding Credentials::plain(std::string_view password) const {
  const Sha256Digest sha2 = sha2_verifier(password);
  const Sha1Digest native = native_verifier(native_key(password));
  Finding finding;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.sha2) {
      finding.right = same(*entry.sha2, sha2) || finding.right;
    } else if (entry.native && same(*entry.native, native)) {
      finding = shown(i, password);
    }
  }
  return finding;
}

std::size_t Credentials::expensive() const { return crypted_.size(); }

KeyDerivation Credentials::derivation(std::size_t which, std::string_view password) const {
  const CryptVerifier& verifier = crypted_[which].verifier;
  if (password.size() > kMaxCryptedPassword) password = {};
  return {std::string(password), verifier.salt, verifier.rounds, false,
          KeyDerivation::Function::sha256_crypt};
}

Credentials::Finding Credentials::derived(std::size_t which, Bytes key,
                                          std::string_view password) const {
  const Crypted& crypted = crypted_[which];
  const CryptDigest& digest = crypted.verifier.digest;
  const bool right = key.size() == digest.size() && !password.empty() &&
                     CRYPTO_memcmp(key.data(), digest.data(), digest.size()) == 0 &&
                     password.size() <= kMaxCryptedPassword;
  return right ? shown(crypted.entry, password) : Finding{};
}

/// `password` is that of a verifier.
Credentials::Finding Credentials::shown(std::size_t entry, std::string_view password) const {
  const std::lock_guard lock(mutex_);
  shown_[entry] = sha2_verifier(password);
  return {true, Revealed{entries_[entry].verifier, std::string(password)}};
}

std::shared_ptr<const Credentials> Credentials::of_nobody(const Credentials* like) {
  // Two loads of the same configuration draw different ones: nothing depends on them.
  const std::shared_ptr<Credentials> nobody(new Credentials);
  const Credentials any_user({"x"});
  const Credentials& model = like == nullptr ? any_user : *like;
  for (const Entry& entry : model.entries_) {
    Entry drawn;
    if (entry.native) draw(drawn.native.emplace());
    if (entry.sha2) draw(drawn.sha2.emplace());
    nobody->entries_.push_back(std::move(drawn));
  }
  nobody->crypted_ = model.crypted_;
  for (Crypted& crypted : nobody->crypted_) draw(crypted.verifier.digest);
  return nobody;
}

}  // namespace weirpool::protocol::mysql
