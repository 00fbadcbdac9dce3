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

}  // namespace

std::vector<std::uint8_t> salt_of(std::string_view user) {
  const Digest mac = hmac_sha256(process_key(), std::string("salt:").append(user));
  return {mac.begin(), mac.begin() + 16};
}

ScramVerifier mock_verifier(std::string_view user) {
  // As many keys as a normal user has, so that the comparison takes as long.
  ScramKeys keys;
  keys.stored_key = hmac_sha256(process_key(), std::string("mock:").append(user));
  return {salt_of(user), kScramIterations, {keys}};
}

Secret::Secret(const std::string& user, const std::vector<std::string>& passwords) {
  if (std::any_of(passwords.begin(), passwords.end(), is_md5_verifier)) {
    for (const std::string& password : passwords) {
      if (parse_verifier(password)) continue;
      md5_.push_back(is_md5_verifier(password) ? password : md5_verifier(user, password));
    }
    return;
  }
  scram_.salt = salt_of(user);
  bool given = false;
  for (const std::string& password : passwords) {
    auto verifier = parse_verifier(password);
    if (!verifier || given) continue;
    scram_ = std::move(*verifier);
    given = true;
  }
  for (const std::string& password : passwords) {
    if (parse_verifier(password)) continue;
    scram_.keys.push_back(
        scram_keys(pbkdf2_sha256(saslprep(password), scram_.salt, scram_.iterations)));
  }
}

}  // namespace weirpool::protocol::postgres
