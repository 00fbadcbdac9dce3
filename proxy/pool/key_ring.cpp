#include "proxy/pool/key_ring.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <iterator>

#include "config/limits.hpp"
#include "config/password.hpp"

namespace weirpool::proxy {

KeyRing::~KeyRing() { wipe(); }

void KeyRing::wipe() {
  for (auto& [verifier, secret] : known_) OPENSSL_cleanse(secret.data(), secret.size());
  known_.clear();
}

void KeyRing::remember(const protocol::Revealed& revealed) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(revealed.verifier);
  // A password is good for more than a key.
  if (found != known_.end() && !config::is_verifier(found->second)) return;
  // All at once: what is still in use comes back with the next login.
  if (found == known_.end() && known_.size() >= config::kMaxRevealed) wipe();
  known_[revealed.verifier] = revealed.password;
}

void KeyRing::forget(const std::vector<std::string>& refused) {
  const std::lock_guard lock(mutex_);
  for (auto at = known_.begin(); at != known_.end();) {
    std::string& secret = at->second;
    const bool wrong = std::find(refused.begin(), refused.end(), secret) != refused.end();
    if (wrong) OPENSSL_cleanse(secret.data(), secret.size());
    at = wrong ? known_.erase(at) : std::next(at);
  }
}

std::vector<std::string> KeyRing::usable(std::vector<std::string> stored) const {
  const std::lock_guard lock(mutex_);
  for (std::string& one : stored) {
    const auto found = known_.find(one);
    if (found != known_.end()) one = found->second;
  }
  return stored;
}

}  // namespace weirpool::proxy
