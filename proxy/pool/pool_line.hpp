// Who waits at a shard: work that needs a backend, in the fair line of admission::WaitingLine, and
// logins that only want to know what a backend says about itself. The latter wait in the order of
// arrival, are answered by whatever backend logs in next and are never shed. Its worker's thread
// only.
#pragma once

#include <boost/intrusive/list.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/fault.hpp"
#include "proxy/admission/memory_guard.hpp"
#include "proxy/admission/waiting_line.hpp"
#include "proxy/metrics/counters.hpp"
#include "proxy/net/signal.hpp"
#include "proxy/pool/lease.hpp"
#include "proxy/pool/pool_key.hpp"

namespace weirpool::proxy {

class PoolShard;

struct ForFacts;
using FactsHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<ForFacts>,
                                     boost::intrusive::link_mode<boost::intrusive::safe_link>>;

/// A place in the line. Destroying it leaves the line; a backend granted but not taken goes back.
class Waiter : public admission::Ticket, public FactsHook {
 public:
  enum class Wish : std::uint8_t {
    backend,  ///< a lease
    facts,    ///< only that some backend has logged in: the target knows its facts then
  };

  /// `flow`: whose share a backend is taken from, of this shard; null: weirpool's own.
  Waiter(PoolShard& shard, Signal& signal, Wish wish, const admission::Flow* flow = nullptr);
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter();

  /// Still in the line: neither granted nor refused.
  bool waiting() const { return queued() || FactsHook::is_linked(); }
  /// Empty unless granted.
  Lease take();
  protocol::Fault refusal() const { return refusal_; }
  const std::string& detail() const { return detail_; }
  TimePoint since() const { return since_; }

 private:
  friend class PoolLine;
  friend class PoolShard;
  PoolShard& shard_;
  Signal& signal_;
  const Wish wish_;
  const admission::Flow& flow_;
  const TimePoint since_;
  std::unique_ptr<BackendConn> granted_;
  protocol::Fault refusal_ = protocol::Fault::none;
  std::string detail_;
};

class PoolLine {
 public:
  /// `key` and `metrics` outlive the line.
  PoolLine(ReadyQueue& ready, const PoolKey& key, metrics::PoolMetrics& metrics);

  admission::Flow flow(admission::Class importance, const admission::Source& source,
                       std::string_view application) {
    return line_.queue().flow(importance, source, application);
  }
  admission::Flow sibling(const admission::Flow& flow, admission::Class importance) {
    return line_.queue().sibling(flow, importance);
  }
  /// Of what weirpool does for itself.
  const admission::Flow& own_flow() const { return own_flow_; }

  bool empty() const { return size() == 0; }
  std::size_t size() const { return line_.queue().size() + facts_.size(); }
  /// When the one that has waited longest began; max: nobody waits.
  TimePoint oldest_since() const;

  // The line for backends, see admission::WaitingLine.
  admission::WaitingLine& work() { return line_; }
  const admission::WaitingLine& work() const { return line_; }

  void push(Waiter& waiter);
  void erase(Waiter& waiter);
  /// Who gets the backend that is free, taken out of the line; null: nobody.
  Waiter* next(TimePoint now);
  /// Refuses whoever has waited too long for an overloaded pool; true: there was somebody.
  bool shed_late(TimePoint now);
  /// The same for one that has to make room.
  void shed(Waiter& waiter, metrics::ShedReason reason, protocol::Fault fault);
  void refuse_all(protocol::Fault fault, const std::string& detail);
  /// Does such work wait for a server that cannot be reached? Other work is refused at once.
  static bool is_held(admission::Class importance) { return importance <= admission::Class::high; }
  /// The server cannot be reached: who is not held goes, and who has waited for `hold`, logins too.
  void refuse_while_down(TimePoint now, admission::Duration hold);
  /// Memory is short: refuses what may not wait then.
  void refuse_for_memory(admission::MemoryState state);
  /// Somebody waits for facts.
  bool curious() const { return !facts_.empty(); }
  void answer_facts();
  /// A refused client is told when to come again, and how it stood.
  std::string advice(const admission::Flow& flow, admission::Duration waited) const;

  metrics::ClassCounters& numbers(admission::Class importance) {
    return metrics_.classes[static_cast<std::size_t>(importance)];
  }
  /// Notes whether overload has begun or ended.
  void note_overload();

 private:
  using Facts = boost::intrusive::list<Waiter, boost::intrusive::base_hook<FactsHook>>;

  void publish();
  void refuse(Waiter& waiter, protocol::Fault fault, std::string detail);

  ReadyQueue& ready_;
  const PoolKey& key_;
  metrics::PoolMetrics& metrics_;
  admission::WaitingLine line_;
  admission::Flow own_flow_;
  Facts facts_;
  // Of the overload that goes on.
  TimePoint overload_began_{};
  std::uint64_t shed_before_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace weirpool::proxy
