// One worker's part of one pool: its idle backends and its waiting line. That worker's thread only.
//
//   connecting -> idle <-> lent -> washing -> idle
//        \          \________\________\____-> parting -> slot freed
//
// A released backend goes to whoever is next in line directly; a newcomer cannot overtake.
#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/metrics/counters.hpp"
#include "proxy/metrics/link.hpp"
#include "proxy/pool/backend_conn.hpp"
#include "proxy/pool/backend_target.hpp"
#include "proxy/pool/connector.hpp"
#include "proxy/pool/key_deriver.hpp"
#include "proxy/pool/lease.hpp"
#include "proxy/pool/pool_ledger.hpp"
#include "proxy/pool/pool_line.hpp"
#include "proxy/pool/pool_settings.hpp"

namespace weirpool::proxy {

class PoolShard final : public IdleHome {
 public:
  /// The passwords weirpool logs in with, newest first, read anew for every login.
  using Passwords = std::function<Task<std::vector<std::string>>()>;
  /// Told which of them a server has taken for wrong.
  using Refused = std::function<void(const std::vector<std::string>& passwords)>;

  PoolShard(Loop& loop, unsigned worker, PoolKey key, Passwords passwords, Refused refused,
            KeyDeriver& deriver, std::shared_ptr<metrics::PoolMetrics> metrics);
  ~PoolShard();

  const PoolKey& key() const { return place_.key; }
  metrics::PoolMetrics& metrics() { return metrics_; }

  // pool_shard_line.cpp: who is served.
  /// Whose share the backends of a client are taken from. Flows do not outlive the shard.
  admission::Flow flow(admission::Class importance, const admission::Source& source,
                       std::string_view application) {
    return line_.flow(importance, source, application);
  }
  /// The same client's work of another class.
  admission::Flow sibling(const admission::Flow& flow, admission::Class importance) {
    return line_.sibling(flow, importance);
  }
  /// A live idle backend at once, or none; then ask to be admitted. Null: weirpool itself asks.
  Lease take_idle(const admission::Flow* flow = nullptr);
  /// May work that can wait for `patience` (max: for ever) stand in line? Else why not, with what
  /// the client is advised.
  struct Refusal {
    protocol::Fault fault = protocol::Fault::none;
    std::string detail;
    bool hopeless = false;  ///< it would have been served, but not in its time
  };
  Refusal admit(const admission::Flow& flow, admission::Duration patience);
  /// Its backend was lost before it was given a byte of the request: may another one have it?
  bool may_retry();
  /// For a request that may not: what the client is advised.
  std::string no_retry(const admission::Flow& flow);
  /// It has stood in line since `since`, and its time is over.
  std::string gave_up(const admission::Flow& flow, TimePoint since);
  /// Somebody waits for what others hold, here or elsewhere on this database server.
  bool line_stands() const { return !line_.empty() || target_.ledger().wanted(); }
  const PoolLine& line() const { return line_; }
  /// Asks the server to cancel what the backend runs.
  void cancel(const BackendConn& backend);

  /// The client of a lent backend lets it wait, `inside` a transaction or not, or does not any
  /// more.
  void rests(BackendConn& backend, bool resting, bool inside);

  // From other threads, through the messengers of the ledger and the arbiter.
  void share_raised();
  void slot_granted();
  void give_up_idle();
  /// An idle backend to move elsewhere; empty if there is none.
  std::unique_ptr<BackendParts> release_idle();
  void receive(BackendParts parts);

  /// Retires what is idle for too long or too old, gives up servers that have fallen silent, and
  /// keeps the pool's minimum open; once per sweep interval.
  void sweep();
  /// While memory is short, what is not important does not wait.
  void set_memory(admission::MemoryState state);
  /// From now on nothing is opened or kept.
  void drain();
  // What an administrator does, see recall.cpp.
  /// While paused nothing is lent or opened, and what comes back is closed; clients wait.
  void set_paused(bool paused);
  /// What is open now is closed as soon as it is free.
  void recall();
  /// Those of them that are still there.
  std::size_t recalled() const;
  /// In whatever state, connecting and closing ones included.
  std::size_t backends() const { return backends_; }
  /// The logged-in ones.
  std::vector<metrics::Link> inspect() const;

  /// Nothing idle, lent, connecting, waiting or being cancelled: may be forgotten.
  bool unused() const {
    return backends_ == 0 && line_.empty() && cancelling_ == 0 && !killing_ && !retry_pending_ &&
           !tending_;
  }

  void idle_backend_stirred(BackendConn& backend) override;

 private:
  friend class Lease;
  friend class Waiter;
  using All = boost::intrusive::list<BackendConn, boost::intrusive::constant_time_size<false>>;
  using Idle = std::vector<std::unique_ptr<BackendConn>>;

  void enqueue(Waiter& waiter);
  void leave(Waiter& waiter);
  Waiter* next_in_line(TimePoint now);
  void serve_line();
  void note_part();
  /// `in_hand`: backends that are about to be lent.
  void supply_line(TimePoint now, std::size_t in_hand = 0);
  void note_served(BackendConn& backend, TimePoint now);
  void note_busy(BackendConn& backend, TimePoint now, bool inside);
  /// Idle backends that only class critical is given.
  std::size_t reserve() const;
  bool within_reserve(admission::Class importance) const {
    return importance != admission::Class::critical && idle_.size() <= reserve();
  }
  /// For whom in line backends are looked for: class critical may use what is kept for it.
  admission::Class foremost() const;
  std::size_t executing() const {
    return static_cast<std::size_t>(metrics_.active.get() - metrics_.resting.get());
  }
  /// May one more statement execute, as far as the arbiter of the server is concerned?
  bool within_share(admission::Class importance, std::size_t soon = 0) const;
  bool wants_backends() const;
  protocol::Fault make_room(const admission::Flow& flow);
  void tend(TimePoint now);
  Task<void> tend_line();
  void note_sources(TimePoint now);
  void note_requests();
  std::uint64_t admitted() const;
  void take_back(std::unique_ptr<BackendConn> backend, const Standing& standing, bool executing);
  /// To the head of the line, to a worker that waits longer, or to the idle ones.
  void lend(std::unique_ptr<BackendConn> backend);
  void look_up_names(TimePoint now);
  bool lend_elsewhere(std::unique_ptr<BackendConn>& backend);
  /// It has been idle for so long that only a round trip can tell whether it lives.
  bool needs_check(const BackendConn& backend, TimePoint now) const;
  /// It was opened at an address that is gone, or at a server that is not what it was.
  bool outdated(BackendConn& backend) const;
  void grant(Waiter& waiter, std::unique_ptr<BackendConn> backend);
  void put_idle(std::unique_ptr<BackendConn> backend);
  std::unique_ptr<BackendConn> pop_idle(bool newest);
  /// Null: it was too old, or not what it should be, and goes.
  std::unique_ptr<BackendConn> sound(std::unique_ptr<BackendConn> idle, TimePoint now);
  std::unique_ptr<BackendConn> take_out(Idle::iterator at);
  void retire(std::unique_ptr<BackendConn> backend, Parting parting, metrics::CloseReason reason);
  void open_where_needed();
  void open_what_fits();
  bool open_with_slot();
  bool worth_trying() const;
  TimePoint next_attempt() const;
  bool has_backends() const;
  bool keeps_trying() const;
  void attempt_ended(ConnectPacer::Outcome outcome, TimePoint began);
  void give_up_silent(TimePoint now);
  void shrink(const PoolSettings& settings);
  void fill_up(const PoolSettings& settings);
  void retry_later();
  void stop_wanting();
  void refuse_all(protocol::Fault fault, const std::string& detail);
  void refuse_while_down();
  void publish_idle();

  Task<void> open_one();
  Task<void> retry(TimePoint at);
  Task<void> wash_and_lend(std::unique_ptr<BackendConn> backend, Washing what);
  Task<void> part(std::unique_ptr<BackendConn> backend, Parting parting);
  Task<void> run_cancel(const BackendConn& backend);
  void order_kill(const BackendConn& backend);
  Task<void> run_kills();
  Task<void> run_kills_on(std::unique_ptr<BackendConn> via);
  void give_up_kills(const PeerAddress& address);
  Task<void> part_with_side(std::unique_ptr<BackendConn> via, Parting parting);
  void drop_void_kills();
  void connect_failed(const Connected& result);

  Loop& loop_;
  PoolLedger::Place place_;
  BackendTarget& target_;
  Passwords passwords_;
  Refused tell_refused_;
  KeyDeriver& deriver_;
  std::shared_ptr<metrics::PoolMetrics> shared_metrics_;
  metrics::PoolMetrics& metrics_;  ///< *shared_metrics_, which the scraper reads
  std::shared_ptr<std::atomic<std::uint32_t>> idle_count_;
  std::shared_ptr<const Arbiter::Share> share_;
  PartOfPool part_;

  Idle idle_;  ///< newest last
  PoolLine line_;
  Signal line_wake_;
  Deadline line_clock_;
  bool tending_ = false;
  std::size_t backends_ = 0;  ///< all of this shard, connecting and parting ones included
  std::size_t connecting_ = 0;
  std::size_t washing_ = 0;       ///< between two clients: soon somebody's
  std::size_t cancelling_ = 0;    ///< cancel requests on their way
  std::vector<KillOrder> kills_;  ///< one connection carries them out one by one
  bool killing_ = false;
  Signal kill_wake_;
  bool wanting_ = false;  ///< the ledger has our want
  bool retry_pending_ = false;
  Signal retry_wake_;
  bool draining_ = false;
  bool paused_ = false;
  admission::MemoryState memory_ = admission::MemoryState::ample;
  std::uint64_t noted_requests_ = 0;  ///< that the retry budget knows of
  TimePoint recalled_at_{};
  All all_;  ///< every logged-in backend of this shard, for people to see

  /// A refusal the server will repeat (no such database, our password): remembered for a moment, in
  /// which nothing is opened. Whom no backend serves hears it.
  protocol::Fault refused_ = protocol::Fault::none;
  std::string refused_detail_;
  TimePoint refused_until_{};
};

}  // namespace weirpool::proxy
