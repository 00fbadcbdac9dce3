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

#include "config/cores.hpp"
#include "proxy/admission/loop_lag.hpp"
#include "proxy/admission/memory_guard.hpp"
#include "proxy/client_id.hpp"
#include "proxy/metrics/counters.hpp"
#include "proxy/pool/key_ring.hpp"
#include "proxy/runtime.hpp"
#include "proxy/session/account_desk.hpp"
#include "proxy/session/session.hpp"
#include "proxy/steering.hpp"

namespace weirpool::proxy {

/// What all workers count together. Any thread.
struct Population {
  std::atomic<std::uint32_t> clients{0};  ///< sessions, logins included
  std::atomic<std::uint32_t> logins{0};   ///< sessions that have not finished their login
  std::atomic<std::uint32_t> most{0};     ///< clients that may be here at a time
  // Written by the main thread, see SelfProtection.
  std::atomic<admission::MemoryState> memory{admission::MemoryState::ample};
  std::atomic<std::uint64_t> memory_high{0};  ///< bytes; zero: no watermark
  std::atomic<std::uint32_t> workers_behind{0};
  std::atomic<std::uint64_t> held_accepts{0};  ///< times that nobody could be taken in
  Census census;
};

/// What all workers share beside their configuration. Any thread.
struct Shared {
  Population population;
  Offload offload;
  Offload handshakes{config::usable_cores()};
  KeyDeriver deriver{offload};
  KeyRing ring;
  AccountCache accounts;
};

class Worker final : public SessionHost {
 public:
  /// Sends a cancel key to the worker that `id` belongs to; `heard` is called there.
  using CancelRouter = std::function<void(std::uint32_t id, std::vector<std::uint8_t> key,
                                          std::function<void()> heard)>;

  /// Sends a kill request to the worker that its id belongs to; the answer is called there.
  using KillRouter = std::function<void(const protocol::KillRequest& request, const PoolKey& asker,
                                        std::function<void(protocol::KillResult)> answer)>;

  Worker(unsigned index, const config::Config& config, Shared& shared, CancelRouter route_cancel,
         KillRouter route_kill);
  ~Worker();  // NOLINT(bugprone-exception-escape)

  /// Who answers the console: any thread may ask; `done` is called on some other one. Before
  /// start().
  using ConsoleDesk = std::function<void(protocol::console::Request request,
                                         std::function<void(protocol::console::Answer)> done)>;
  void set_console(ConsoleDesk desk) { console_ = std::move(desk); }

  // From any thread.
  void start(std::shared_ptr<const Runtime> runtime);
  void stop();
  void adopt(int fd, std::size_t site, protocol::Fault refusal);
  void apply(std::shared_ptr<const Runtime> runtime);
  /// Nothing new begins; clients leave at their boundary.
  void begin_drain();
  /// How short of memory the process is.
  void set_memory(admission::MemoryState state);
  /// The drain's time is over: everybody leaves now.
  void evict_all();
  void cancel_here(std::uint32_t id, std::vector<std::uint8_t> key, std::function<void()> heard);
  void kill_here(const protocol::KillRequest& request, const PoolKey& asker,
                 std::function<void(protocol::KillResult)> answer);
  void slot_granted(const PoolKey& key);
  void share_raised(const PoolKey& key);
  void give_up_idle(const PoolKey& key);
  void hand_over_idle(const PoolKey& key, const PoolLedger::Place& to);
  void receive(const PoolKey& key, std::shared_ptr<BackendParts> parts);

  // What an administrator does and sees, see worker_console.cpp. `done` is called on this worker's
  // thread.
  void steer(std::shared_ptr<const Steering> steering);
  /// Of one database, or of all where it is empty.
  void recall(std::string database);
  void kill(std::string database);
  void kill_client(std::uint32_t id, std::function<void(bool known)> done);
  struct Count {
    std::size_t backends = 0;  ///< in whatever state
    std::size_t recalled = 0;  ///< waiting to be closed
  };
  void count(std::string database, std::function<void(Count)> done);
  struct Stillness {
    std::size_t unflushed = 0;  ///< sessions whose bytes still have to be taken by somebody
    std::size_t consoles = 0;
  };
  void stillness(std::function<void(Stillness)> done);
  struct Links {
    std::vector<metrics::Link> clients;
    std::vector<metrics::Link> backends;
  };
  void inspect(std::function<void(Links)> done);

  std::uint32_t sessions() const { return session_count_.load(std::memory_order_relaxed); }
  /// When the event loop last proved that it turns.
  TimePoint last_beat() const { return TimePoint(Clock::duration(beat_.load())); }
  unsigned index() const { return index_; }
  const admission::LoopLag& lag() const { return lag_; }
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
  Offload& handshakes() override { return shared_.handshakes; }
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
  void cancel(protocol::Bytes key, std::function<void()> heard) override;
  void kill(const protocol::KillRequest& request, const PoolKey& asker,
            std::function<void(protocol::KillResult)> answer) override;
  bool draining() const override { return draining_; }
  void ask_console(const protocol::console::Request& request,
                   std::shared_ptr<ConsoleCall> call) override;
  bool may_use_console(const std::string& user) const override;
  bool suspended() const override { return steering_->suspended; }
  bool disabled(const std::string& database) const override {
    return steering_->disabled.contains(database);
  }
  void login_over() override { shared_.population.logins.fetch_sub(1, std::memory_order_relaxed); }
  void login_again() override { shared_.population.logins.fetch_add(1, std::memory_order_relaxed); }
  void left(Session& session) override;

 private:
  using Sessions = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;

  std::uint32_t next_id();
  Task<std::vector<std::string>> read_passwords(PoolKey key);
  std::vector<std::string> found_elsewhere(const PoolKey& key) const;
  std::shared_ptr<metrics::PoolMetrics> numbers_of(const PoolKey& key);
  PoolShard* find(const PoolKey& key);
  void keep_standing();
  Task<void> sweep();
  Task<void> watch_lag();
  void look_up_names();
  struct Inspection;
  void inspect_some(std::shared_ptr<Inspection> inspection);

  const unsigned index_;
  const unsigned count_;  ///< of workers
  Shared& shared_;
  CancelRouter route_cancel_;
  KillRouter route_kill_;
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
  ConsoleDesk console_;
  std::shared_ptr<const Steering> steering_ = std::make_shared<const Steering>();
  bool draining_ = false;
  bool stopping_ = false;
  std::atomic<Clock::rep> beat_{Clock::now().time_since_epoch().count()};
  Signal sweep_wake_;
  admission::LoopLag lag_{Clock::now()};
  Signal lag_wake_;
  admission::MemoryState memory_ = admission::MemoryState::ample;

  mutable std::mutex numbers_mutex_;
  std::vector<PoolNumbers> numbers_;
  std::thread thread_;
};

}  // namespace weirpool::proxy
