// What databases have said about users, remembered for a while, and who is asking at the moment, so
// that many logins of one user ask once. Shared by all workers; any thread.
#pragma once

#include <boost/container_hash/hash.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/fault.hpp"
#include "proxy/net/deadlines.hpp"

namespace weirpool::proxy {

class BackendTarget;

/// The answer to one question. Immutable once it is finished.
struct Finding {
  protocol::Fault fault = protocol::Fault::none;           ///< could not ask: not remembered
  std::shared_ptr<const protocol::PreparedSecret> secret;  ///< null: there is no such user
  std::string stored;                                      ///< what the database stores. Secret.
  TimePoint asked{};
  TimePoint expires{};
};
using FindingRef = std::shared_ptr<const Finding>;

class AccountCache {
 public:
  struct Key {
    BackendTarget* target = nullptr;
    std::string user;
    bool operator==(const Key&) const = default;
  };
  using Done = std::function<void(const FindingRef&)>;

  /// What is known and still believed; null: ask.
  FindingRef find(const Key& key, TimePoint now) const;
  /// The secret of one of the users that `target` knows, always the same one's: how a stranger's
  /// exchange must look. Null: none is known yet.
  std::shared_ptr<const protocol::PreparedSecret> sample(BackendTarget* target) const;
  /// What was known last, believed or not; null: nothing.
  FindingRef last(const Key& key) const;
  /// True: the caller asks and calls finish(). `done` is called, on the thread that finishes,
  /// whoever asks.
  bool begin(const Key& key, Done done);
  void finish(const Key& key, const FindingRef& finding);
  /// To be asked about again, if the answer is older than the bound between two questions.
  void doubt(const Key& key, TimePoint now);

 private:
  struct Hash {
    std::size_t operator()(const Key& key) const {
      std::size_t seed = 0;
      boost::hash_combine(seed, key.target);
      boost::hash_combine(seed, key.user);
      return seed;
    }
  };
  using Map = std::unordered_map<Key, FindingRef, Hash>;

  FindingRef in(const Map& map, const Key& key) const;
  static void put(Map& map, std::size_t most, const Key& key, const FindingRef& finding);

  mutable std::mutex mutex_;
  Map known_;
  Map strangers_;  ///< apart, because anybody can make up as many as they like
  struct Sample {
    std::string user;
    std::shared_ptr<const protocol::PreparedSecret> secret;
  };
  std::unordered_map<BackendTarget*, Sample> samples_;
  std::unordered_map<Key, std::vector<Done>, Hash> asking_;
};

}  // namespace weirpool::proxy
