// What clients' logins have shown about secrets of which only verifiers are stored, so that
// weirpool can log in to a backend as they do. In memory only. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "protocol/engine.hpp"

namespace weirpool::proxy {

class KeyRing {
 public:
  KeyRing() = default;
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;
  ~KeyRing();

  void remember(const protocol::Revealed& revealed);
  /// A server has refused these: what is known to stand for a verifier and is one of them does not,
  /// or not there. To try it again and again could lock the account.
  void forget(const std::vector<std::string>& refused);
  /// `stored` with every verifier replaced by what is known to stand for it. A verifier that has
  /// been changed since is another one: what its predecessor stood for is not found any more.
  std::vector<std::string> usable(std::vector<std::string> stored) const;

 private:
  void wipe();

  mutable std::mutex mutex_;
  std::map<std::string, std::string> known_;  ///< by verifier
};

}  // namespace weirpool::proxy
