// The budget of one database server, shared by all workers: how many connections are open in
// whatever state, and who waits for one. The only lock of the pool; touched on a miss and at a
// close, never while idle backends are at hand.
//
// A slot is the right to one connection. It is held from before connect() until the server has
// closed its side, so the server never sees more than max_connections. A freed slot goes directly
// to the want that is oldest; nobody can take it in between.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "proxy/net/deadlines.hpp"
#include "proxy/pool/pool_key.hpp"
#include "proxy/pool/pool_totals.hpp"

namespace weirpool::proxy {

struct BackendParts;

class PoolLedger {
 public:
  /// One shard, seen from outside its worker.
  struct Place {
    unsigned worker = 0;
    PoolKey key;
    bool operator==(const Place&) const = default;
  };
  /// What bounds one pool beside the limit of the server; zero: nothing.
  struct Caps {
    std::uint32_t pool = 0;
    std::uint32_t database = 0;  ///< all its users together
    std::uint32_t user = 0;      ///< all its databases together
  };
  struct Want {
    Place place;
    TimePoint since;  ///< when its oldest client began to wait
    Caps caps;
    bool hand_over_only = false;  ///< no slot: it is not the time to open a connection
  };
  /// How the ledger reaches a worker; called without the lock, must only post.
  struct Messenger {
    /// A slot is now the shard's.
    std::function<void(const Place& to)> slot_granted;
    /// Retire one idle backend, if there is one.
    std::function<void(const Place& from)> give_up_idle;
    /// Send one idle backend, if there is one.
    std::function<void(const Place& from, const Place& to)> hand_over_idle;
    /// A backend with its slot.
    std::function<void(const Place& to, std::shared_ptr<BackendParts> backend)> deliver;
  };

  /// `keeps_reserve`: some of the slots are only for ending statements, see try_open_reserved().
  explicit PoolLedger(std::uint32_t max_connections, bool keeps_reserve = false)
      : keeps_reserve_(keeps_reserve), limit_(max_connections) {}

  /// Before the first worker runs.
  void set_messenger(Messenger messenger) { messenger_ = std::move(messenger); }
  const Messenger& messenger() const { return messenger_; }
  /// A new bound, at reload. Above it nothing is closed at once: slots are not reissued.
  void set_limit(std::uint32_t max_connections);

  /// The server has refused a connection because it has too many: for a while no more than were
  /// open besides, and then one more per kFullStep. Before the attempt's slot is given back.
  void server_full(TimePoint now);
  /// The same of one pool, whose user or database has a limit of its own at the server: others are
  /// not concerned.
  void account_full(const PoolKey& key, TimePoint now);
  /// Once per sweep.
  void recover(TimePoint now);

  /// A slot, if one is free within `caps` and nobody waits longer for one.
  bool try_open(const PoolKey& key, const Caps& caps);
  /// The connection of a slot of this pool is gone at the server too.
  void closed(const PoolKey& key);
  /// A slot of the reserve: for a connection that ends a statement and then goes. Works also when
  /// everything else is in use; that is when statements have to be ended.
  bool try_open_reserved();
  void closed_reserved();
  /// Register or update a shard's wish; makes an idle backend elsewhere move or go.
  void want(const Want& want);
  void unwant(const Place& place);
  /// Somebody waits for a slot. One load, no lock: asked at every release, after the released
  /// backend has been counted idle. want() publishes itself before it looks at idle counts, so with
  /// sequential consistency one of the two sees the other.
  bool wanted() const { return wants_waiting_.load() > 0; }
  /// The oldest want of another shard, if it is older than `than`.
  std::optional<Want> oldest_want(const Place& not_of, TimePoint than) const;

  /// A new shard: the counter is where it tells how many idle backends it has.
  std::shared_ptr<std::atomic<std::uint32_t>> enroll(const Place& place);
  /// What all shards of this pool tell each other.
  std::shared_ptr<PoolTotals> totals(const PoolKey& key);
  /// The shard is gone.
  void forget(const Place& place);

  std::uint32_t open() const;
  /// Of one pool, on all workers.
  std::uint32_t open_of(const PoolKey& key) const;
  /// How many of those that count against one of the pool's bounds are too many, after one has been
  /// lowered.
  std::uint32_t excess_of(const PoolKey& key, const Caps& caps) const;
  std::uint32_t limit() const;
  /// How many may be open just now for clients: without the reserve, and what the server takes.
  std::uint32_t usable() const;

 private:
  struct Shard {
    Place place;
    std::shared_ptr<std::atomic<std::uint32_t>> idle;
  };

  struct Ceiling {
    std::uint32_t bound = 0;
    TimePoint until;
  };

  static constexpr std::uint32_t kNoCeiling = std::numeric_limits<std::uint32_t>::max();

  // All of these under the lock.
  std::uint32_t bound() const { return std::min(common(), ceiling_.load()); }
  void publish_wants() { wants_waiting_.store(wants_.size()); }
  /// What the server takes of this pool just now.
  std::uint32_t bound_of(const PoolKey& key) const;
  /// May one more be opened for `key`, when one of `closing` has gone before?
  bool fits(const PoolKey& key, const Caps& caps, const PoolKey* closing = nullptr) const;
  void count(const PoolKey& key);
  void uncount(const PoolKey& key);
  /// The shard to take an idle backend from, of those where that helps: same pool first.
  const Shard* idle_for(const Want& want) const;
  /// The place whose want is the oldest of those that fit; it has its slot then.
  std::optional<Place> grant_oldest();
  /// How many slots are for everybody.
  std::uint32_t common() const;

  const bool keeps_reserve_;
  mutable std::mutex mutex_;
  std::uint32_t limit_;
  std::uint32_t open_ = 0;  ///< without those of the reserve
  std::uint32_t open_reserved_ = 0;
  std::atomic<std::uint32_t> ceiling_{kNoCeiling};  ///< what the server takes just now
  TimePoint ceiling_until_{};
  std::unordered_map<PoolKey, Ceiling, PoolKeyHash> account_ceilings_;
  std::atomic<bool> accounts_full_{false};  ///< there is one of those
  std::unordered_map<PoolKey, std::uint32_t, PoolKeyHash> by_pool_;
  std::map<std::string, std::uint32_t> by_database_;
  std::map<std::string, std::uint32_t> by_user_;
  std::list<Want> wants_;  ///< few: one per waiting shard
  std::list<Shard> shards_;
  std::unordered_map<PoolKey, std::weak_ptr<PoolTotals>, PoolKeyHash> totals_;
  std::atomic<std::size_t> wants_waiting_{0};
  Messenger messenger_;
};

}  // namespace weirpool::proxy
