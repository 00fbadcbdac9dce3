// One thread, one event loop, and everything that lives on it: sessions and pool shards. Shares
// with other workers only the ledgers, the runtime snapshot and messages posted into the loops.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/client_id.hpp"
#include "proxy/metrics/counters.hpp"
#include "proxy/pool/key_ring.hpp"
#include "proxy/runtime.hpp"
#include "proxy/session/account_desk.hpp"
#include "proxy/session/session.hpp"

namespace weirpool::proxy {

/// What all workers count together. Any thread.
struct Population {
  std::atomic<std::uint32_t> clients{0};  ///< sessions, logins included
  std::atomic<std::uint32_t> logins{0};   ///< sessions that have not finished their login
  Census census;
};

/// What all workers share beside their configuration. Any thread.
struct Shared {
  Population population;
  Offload offload;
  KeyDeriver deriver{offload};
  KeyRing ring;
  AccountCache accounts;
};

class Worker final : public SessionHost {
 public:
  /// Sends a cancel key to the worker that `id` belongs to.
  using CancelRouter = std::function<void(std::uint32_t id, std::vector<std::uint8_t> key)>;

  Worker(unsigned index, const config::Config& config, Shared& shared, CancelRouter route_cancel);
  ~Worker();

  // From any thread.
  void start(std::shared_ptr<const Runtime> runtime);
  void stop();
  void adopt(int fd, std::size_t site, protocol::Fault refusal);
  void apply(std::shared_ptr<const Runtime> runtime);
  /// Nothing new begins; clients leave at their boundary.
  void begin_drain();
  /// The drain's time is over: everybody leaves now.
  void evict_all();
  void cancel_here(std::uint32_t id, std::vector<std::uint8_t> key);
  void slot_granted(const PoolKey& key);
  void give_up_idle(const PoolKey& key);
  void hand_over_idle(const PoolKey& key, const PoolLedger::Place& to);
  void receive(const PoolKey& key, std::shared_ptr<BackendParts> parts);
  std::uint32_t sessions() const { return session_count_.load(std::memory_order_relaxed); }
  /// When the event loop last proved that it turns.
  TimePoint last_beat() const { return TimePoint(Clock::duration(beat_.load())); }
  unsigned index() const { return index_; }
  metrics::WorkerMetrics& metrics() override { return metrics_; }

  /// One pool's numbers on this worker, for the scraper. Any thread.
  struct PoolNumbers {
    PoolKey key;
    std::shared_ptr<metrics::PoolMetrics> metrics;
  };
  std::vector<PoolNumbers> pools() const;

  // SessionHost, on this worker's thread.
  Loop& loop() override { return loop_; }
  KeyDeriver& deriver() override { return shared_.deriver; }
  std::shared_ptr<PoolShard> shard(const PoolKey& key) override;
  Ruling rule(const BackendTarget& target, const config::Arrival& arrival,
              const TlsChannel* tls) override {
    return runtime_->directory->rule(target.dialect(), arrival, tls);
  }
  void look_up(AccountWait& wait) override;
  void reveal(const protocol::Revealed& revealed) override { shared_.ring.remember(revealed); }
  void doubt(BackendTarget& target, const std::string& user) override;
  std::string probe_user() override;
  std::optional<PoolKey> route(const ListenerSite& site,
                               const protocol::Identity& identity) override;
  Census& census() override { return shared_.population.census; }
  void cancel(protocol::Bytes key) override;
  bool draining() const override { return draining_; }
  void login_over() override { shared_.population.logins.fetch_sub(1, std::memory_order_relaxed); }
  void login_again() override { shared_.population.logins.fetch_add(1, std::memory_order_relaxed); }
  void left(Session& session) override;

 private:
  using Sessions = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;

  std::uint32_t next_id();
  Task<std::vector<std::string>> read_passwords(PoolKey key);
  std::shared_ptr<metrics::PoolMetrics> numbers_of(const PoolKey& key);
  PoolShard* find(const PoolKey& key);
  Task<void> sweep();
  void look_up_names();

  const unsigned index_;
  Shared& shared_;
  CancelRouter route_cancel_;
  metrics::WorkerMetrics metrics_;
  std::atomic<std::uint32_t> session_count_{0};

  Loop loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> stay_;
  std::shared_ptr<const Runtime> runtime_;
  std::unordered_map<PoolKey, std::shared_ptr<PoolShard>, PoolKeyHash> shards_;
  AccountDesk desk_;
  boost::unordered_flat_map<std::uint32_t, Session*> by_id_;
  ClientIds ids_;
  TimePoint names_looked_up_ = Clock::now();
  bool draining_ = false;
  bool stopping_ = false;
  std::atomic<Clock::rep> beat_{Clock::now().time_since_epoch().count()};
  Signal sweep_wake_;

  mutable std::mutex numbers_mutex_;
  std::vector<PoolNumbers> numbers_;
  std::thread thread_;
};

}  // namespace weirpool::proxy
