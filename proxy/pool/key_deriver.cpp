#include "proxy/pool/key_deriver.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <utility>

#include "protocol/sha256_crypt.hpp"

namespace weirpool::proxy {
namespace {

KeyDeriver::Key fingerprint_of(const protocol::KeyDerivation& wish) {
  protocol::Writer text;
  text.u8(static_cast<std::uint8_t>(wish.function));
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

KeyDeriver::Key pbkdf2(const protocol::KeyDerivation& wish) {
  KeyDeriver::Key key{};
  PKCS5_PBKDF2_HMAC(wish.password.data(), static_cast<int>(wish.password.size()), wish.salt.data(),
                    static_cast<int>(wish.salt.size()), static_cast<int>(wish.iterations),
                    EVP_sha256(), static_cast<int>(key.size()), key.data());
  return key;
}

KeyDeriver::Key make(protocol::KeyDerivation& wish) {
  const bool crypt = wish.function == protocol::KeyDerivation::Function::sha256_crypt;
  const KeyDeriver::Key key =
      crypt ? protocol::sha256_crypt(wish.password, wish.salt, wish.iterations) : pbkdf2(wish);
  OPENSSL_cleanse(wish.password.data(), wish.password.size());
  return key;
}

}  // namespace

bool KeyDeriver::Memory::find(const Key& fingerprint, Key& key) {
  const std::lock_guard lock(mutex);
  const auto found = keys.find(fingerprint);
  if (found == keys.end()) return false;
  key = found->second;
  return true;
}

void KeyDeriver::Memory::remember(const Key& fingerprint, const Key& key) {
  const std::lock_guard lock(mutex);
  // All at once: a bound that is reached by rotation alone is reached rarely.
  if (keys.size() >= config::kMaxDerivedKeys) keys.clear();
  keys[fingerprint] = key;
}

Task<KeyDeriver::Key> KeyDeriver::derive(Loop& loop, protocol::KeyDerivation wish) {
  const Key fingerprint = fingerprint_of(wish);
  Key key{};
  if (memory_->find(fingerprint, key)) co_return key;
  // Named: GCC 12 destroys a temporary that is passed inside a co_await twice.
  auto work = [memory = memory_, fingerprint, wish = std::move(wish)]() mutable {
    // Somebody before us in the line may have wanted the same.
    Key derived{};
    if (memory->find(fingerprint, derived)) return derived;
    derived = make(wish);
    if (wish.worth_keeping) memory->remember(fingerprint, derived);
    return derived;
  };
  key = co_await offload_.run(loop, std::move(work));
  co_return key;
}

}  // namespace weirpool::proxy
