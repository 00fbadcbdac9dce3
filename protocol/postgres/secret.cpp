#include "protocol/postgres/secret.hpp"

#include <algorithm>

#include "protocol/postgres/md5.hpp"

namespace weirpool::protocol::postgres {
namespace {

const Digest& process_key() {
  static const Digest key = [] {
    Digest drawn{};
    fill_random(drawn);
    return drawn;
  }();
  return key;
}

/// The salt weirpool gives to this user.
std::vector<std::uint8_t> salt_of(std::string_view user) {
  const Digest mac = hmac_sha256(process_key(), std::string("salt:").append(user));
  return {mac.begin(), mac.begin() + 16};
}

}  // namespace

Secret::Secret(const std::string& user, const std::vector<std::string>& passwords) {
  for (const std::string& password : passwords) {
    if (is_md5_verifier(password)) {
      md5_.push_back(password);
    } else if (auto verifier = parse_verifier(password)) {
      scram_.push_back({password, std::move(*verifier)});
    } else {
      plain_.push_back(password);
    }
  }
  salt_ = scram_.empty() ? salt_of(user) : scram_.front().verifier.salt;
  if (!scram_.empty()) iterations_ = scram_.front().verifier.iterations;
}

Secret::~Secret() {
  for (std::string& text : plain_) wipe(text);
}

Mock::Mock(std::string_view user, const Secret* like) : salt(salt_of(user)) {
  keys.stored_key = hmac_sha256(process_key(), std::string("mock:").append(user));
  if (like == nullptr) return;
  salt.resize(std::min(salt.size(), like->salt().size()));
  while (salt.size() < like->salt().size()) {
    const Digest more = hmac_sha256(process_key(), text_of(salt));
    const std::size_t missing = std::min(more.size(), like->salt().size() - salt.size());
    salt.insert(salt.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(missing));
  }
  iterations = like->iterations();
  best = like->best();
  derives = !like->scram().empty();
}

}  // namespace weirpool::protocol::postgres
