#include "proxy/pool/key_deriver.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <utility>

namespace weirpool::proxy {
namespace {

KeyDeriver::Key fingerprint_of(const protocol::KeyDerivation& wish) {
  protocol::Writer text;
  text.be32(static_cast<std::uint32_t>(wish.password.size()));
  text.text(wish.password);
  text.be32(wish.iterations);
  text.bytes(wish.salt);
  KeyDeriver::Key digest{};
  EVP_Digest(text.view().data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::vector<std::uint8_t> spent = text.take();
  OPENSSL_cleanse(spent.data(), spent.size());
  return digest;
}

KeyDeriver::Key pbkdf2(protocol::KeyDerivation& wish) {
  KeyDeriver::Key key{};
  PKCS5_PBKDF2_HMAC(wish.password.data(), static_cast<int>(wish.password.size()), wish.salt.data(),
                    static_cast<int>(wish.salt.size()), static_cast<int>(wish.iterations),
                    EVP_sha256(), static_cast<int>(key.size()), key.data());
  OPENSSL_cleanse(wish.password.data(), wish.password.size());
  return key;
}

}  // namespace

bool KeyDeriver::find(const Key& fingerprint, Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(fingerprint);
  if (found == keys_.end()) return false;
  key = found->second;
  return true;
}

void KeyDeriver::remember(const Key& fingerprint, const Key& key) {
  const std::lock_guard lock(mutex_);
  if (keys_.size() >= kRemembered) keys_.clear();
  keys_[fingerprint] = key;
}

Task<KeyDeriver::Key> KeyDeriver::derive(Loop& loop, protocol::KeyDerivation wish) {
  const Key fingerprint = fingerprint_of(wish);
  Key key{};
  if (find(fingerprint, key)) co_return key;
  // Named: GCC 12 destroys a temporary that is passed inside a co_await twice.
  auto work = [wish = std::move(wish)]() mutable { return pbkdf2(wish); };
  key = co_await offload_.run(loop, std::move(work));
  remember(fingerprint, key);
  co_return key;
}

}  // namespace weirpool::proxy
