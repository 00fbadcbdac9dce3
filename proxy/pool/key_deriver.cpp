#include "proxy/pool/key_deriver.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <boost/asio/post.hpp>
#include <memory>
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

struct Job {
  protocol::KeyDerivation wish;
  KeyDeriver::Key key{};
  Signal done;
};

}  // namespace

KeyDeriver::~KeyDeriver() {
  thread_.stop();
  thread_.join();
}

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
  // Shared, because the job may outlive this coroutine when its worker stops.
  auto job = std::make_shared<Job>();
  job->wish = std::move(wish);
  auto work = [job, &loop] {
    PKCS5_PBKDF2_HMAC(job->wish.password.data(), static_cast<int>(job->wish.password.size()),
                      job->wish.salt.data(), static_cast<int>(job->wish.salt.size()),
                      static_cast<int>(job->wish.iterations), EVP_sha256(),
                      static_cast<int>(job->key.size()), job->key.data());
    OPENSSL_cleanse(job->wish.password.data(), job->wish.password.size());
    loop.post([job] { job->done.notify(); });
  };
  boost::asio::post(thread_, std::move(work));
  co_await job->done.wait();
  remember(fingerprint, job->key);
  co_return job->key;
}

}  // namespace weirpool::proxy
