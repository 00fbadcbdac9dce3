// One configured database server as all workers see it: how to reach it, what it said about itself,
// how much of it may be used, and whether it is worth trying now. Thread-safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "config/network.hpp"
#include "protocol/engine.hpp"
#include "proxy/admission/retry_budget.hpp"
#include "proxy/dialect.hpp"
#include "proxy/net/tls_context.hpp"
#include "proxy/pool/arbiter.hpp"
#include "proxy/pool/connect_pacer.hpp"
#include "proxy/pool/pool_ledger.hpp"

namespace weirpool::proxy {

class BackendTarget {
 public:
  /// `dialect` outlives the target.
  BackendTarget(config::Backend backend, const Dialect& dialect);

  const config::Backend& backend() const { return backend_; }
  const Dialect& dialect() const { return dialect_; }
  PoolLedger& ledger() { return ledger_; }
  Arbiter& arbiter() { return arbiter_; }

  /// TLS towards this server; null: plaintext. Replaced at reload, for new connections.
  std::shared_ptr<const TlsContext> tls() const;
  void set_tls(std::shared_ptr<const TlsContext> context);

  // What is known from logins that succeeded.
  /// Null: nothing that is believed. Who is content with `whatever` gets what was believed last, as
  /// must be while there is nobody to ask.
  std::shared_ptr<const protocol::BackendFacts> facts(const PoolKey& key,
                                                      bool whatever = false) const;
  /// Facts of any pool: enough for a greeting that comes before the client has a name.
  std::shared_ptr<const protocol::BackendFacts> any_facts(bool whatever = false) const;
  void publish(const PoolKey& key, std::shared_ptr<const protocol::BackendFacts> facts);
  /// A backend has been lost. With the last one goes the belief in its facts: the server that comes
  /// back may have been promoted, or be another version.
  void lost_one();

  // Hosts: a backend is opened at one of several, and names move.
  /// In the order in which they are to be tried: the one that served last comes first.
  std::vector<config::Address> hosts() const;
  void served_by(const config::Address& host);
  /// Where the name of a host leads now; empty where it could not be found out: nothing changes.
  void resolved(const config::Address& host, std::vector<config::IpBytes> addresses);
  /// Its server is not what it was: no backend opened before is lent again.
  void distrust();
  /// Names are to be looked up out of turn; seldom enough? Then it is noted as done.
  bool may_look_up(TimePoint now);
  /// Changes whenever outdated() may say something new. One load, no lock.
  std::uint32_t generation() const { return generation_.load(std::memory_order_relaxed); }
  /// May a backend opened `since` at `address` not be lent any more?
  bool outdated(const config::IpBytes& address, TimePoint since) const;
  bool wants_writer() const {
    return backend_.target_session_attrs == config::TargetSession::read_write ||
           backend_.target_session_attrs == config::TargetSession::primary;
  }
  /// Does a server of this role do? With `fallback` also what is only the second best.
  bool role_fits(const protocol::ServerRole& role, bool fallback) const;

  // The pace of opening connections: one for the whole server, see ConnectPacer.
  TimePoint retry_at(const ConnectPacer::Limits& limits) const;
  /// Asked right before an attempt; true: it has begun, and attempt_ended() is due.
  bool begin_attempt(const ConnectPacer::Limits& limits);
  void attempt_ended(ConnectPacer::Outcome outcome, Clock::duration took,
                     const ConnectPacer::Limits& limits);
  /// One load, no lock, as the next one.
  Circuit circuit() const { return circuit_.load(std::memory_order_relaxed); }
  /// One more backend, or one less, is logged in and not on its way out.
  void serves(int more) { serving_.fetch_add(more, std::memory_order_relaxed); }
  /// It cannot be reached, and nothing is left of what has been opened before.
  bool down() const {
    return circuit() != Circuit::closed && serving_.load(std::memory_order_relaxed) == 0;
  }
  /// Of the configured pace, in percent: less than 100 where the server is slow, full or just back.
  std::uint32_t pace() const { return pace_.load(std::memory_order_relaxed); }

  // Requests that were lost with a backend, see admission::RetryBudget.
  /// So many have been given to backends of this server.
  void note_requests(std::uint64_t count);
  /// May one be given to another one?
  bool take_retry();
  std::uint64_t retries() const { return retries_.load(std::memory_order_relaxed); }
  std::uint64_t retries_refused() const { return retries_refused_.load(std::memory_order_relaxed); }

  /// A place among the few parallel cancel connections; false: not now.
  bool begin_cancel(std::uint32_t limit);
  void end_cancel() { cancels_.fetch_sub(1); }

 private:
  void publish_pace();

  const config::Backend backend_;
  const Dialect& dialect_;
  PoolLedger ledger_;
  Arbiter arbiter_;
  std::atomic<std::uint32_t> cancels_{0};

  std::atomic<std::uint32_t> generation_{0};
  std::atomic<Circuit> circuit_{Circuit::closed};
  std::atomic<std::uint32_t> pace_{100};
  std::atomic<int> serving_{0};
  std::atomic<std::uint64_t> retries_{0};
  std::atomic<std::uint64_t> retries_refused_{0};

  mutable std::mutex mutex_;  ///< guards everything below
  std::shared_ptr<const TlsContext> tls_;
  struct Told {
    std::shared_ptr<const protocol::BackendFacts> facts;
    std::uint32_t era = 0;
  };
  std::shared_ptr<const protocol::BackendFacts> believed(const Told& told, bool whatever) const;
  std::map<std::tuple<std::string, std::string, std::uint32_t>, Told> facts_;
  Told any_facts_;
  std::uint32_t era_ = 0;  ///< facts of an earlier one are not believed
  ConnectPacer pacer_;
  admission::RetryBudget retry_budget_;
  std::map<std::pair<std::string, std::uint16_t>, std::vector<config::IpBytes>> resolved_;
  config::Address preferred_;
  TimePoint trusted_since_{};
  TimePoint looked_up_{};
};

}  // namespace weirpool::proxy
