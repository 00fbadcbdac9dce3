// Where a worker's sessions learn about users that only the database knows: from the cache, or by a
// query on a backend that is opened for such queries alone, within the server's budget.
//
// One worker's thread.
#pragma once

#include <boost/intrusive/list.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "proxy/net/loop.hpp"
#include "proxy/net/task.hpp"
#include "proxy/pool/pool_shard.hpp"
#include "proxy/session/account_cache.hpp"
#include "proxy/session/account_wait.hpp"

namespace weirpool::proxy {

class AccountDesk {
 public:
  using ShardOf = std::function<std::shared_ptr<PoolShard>(const PoolKey&)>;

  AccountDesk(Loop& loop, AccountCache& cache, ShardOf shard_of)
      : loop_(loop), cache_(cache), shard_of_(std::move(shard_of)) {}

  /// Answers `wait` now or later; its target has an auth_user.
  void look_up(AccountWait& wait);

 private:
  using Key = AccountCache::Key;
  using Waits = boost::intrusive::list<AccountWait, boost::intrusive::constant_time_size<false>>;

  protocol::Account account(BackendTarget& target, const Finding& finding) const;
  void answered(const Key& key, const FindingRef& finding);
  void start_next(BackendTarget& target);
  Task<void> ask(Key key);
  Task<FindingRef> question(Key key);
  Task<Lease> backend_for(const Key& key, TimePoint until, protocol::Fault& fault);

  Loop& loop_;
  AccountCache& cache_;
  ShardOf shard_of_;
  std::map<std::pair<BackendTarget*, std::string>, Waits> waiting_;
  struct Line {
    unsigned asking = 0;
    std::deque<Key> next;
  };
  std::map<BackendTarget*, Line> lines_;
};

}  // namespace weirpool::proxy
