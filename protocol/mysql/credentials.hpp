// What client logins are checked against: every password that is valid now, as both plugins need
// it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/mysql/auth_caching_sha2.hpp"
#include "protocol/mysql/auth_native.hpp"

namespace weirpool::protocol::mysql {

/// Overwrites a secret and leaves nothing of it.
void wipe(std::string& secret);

class Credentials final : public PreparedSecret {
 public:
  /// One or two passwords. Only digests of them are kept; the full path compares those too.
  explicit Credentials(const std::vector<std::string>& passwords);

  /// The empty password is one of them: a client may log in without any.
  bool without_password() const;
  bool native(const Scramble& scramble, Bytes token) const;
  bool sha2(const Scramble& scramble, Bytes token) const;
  bool plain(std::string_view password) const;

  /// Stands in for a user that does not exist, so that it costs what a wrong password costs.
  static std::shared_ptr<const Credentials> of_nobody();

 private:
  struct Entry {
    bool empty = false;
    Sha1Digest native{};
    Sha256Digest sha2{};
  };
  template <class Check>
  bool any(Check check) const;

  std::vector<Entry> entries_;
};

}  // namespace weirpool::protocol::mysql
