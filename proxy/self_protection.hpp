// Weirpool looks after itself, so that it does not go down with what it protects: short of memory
// it takes in nobody new and sheds what waits, least important first (admission::MemoryGuard);
// workers that do not keep up get no new clients (admission::LoopLag, AcceptGate). The main
// thread's only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "config/config.hpp"
#include "protocol/fault.hpp"
#include "proxy/admission/accept_gate.hpp"
#include "proxy/admission/memory_guard.hpp"
#include "proxy/worker.hpp"

namespace weirpool::proxy {

class SelfProtection {
 public:
  struct Powers {
    std::function<config::Snapshot()> config;
    std::function<std::uint64_t()> resident;  ///< bytes of memory in use now
  };

  /// All references outlive it.
  SelfProtection(boost::asio::io_context& io, const std::vector<std::unique_ptr<Worker>>& workers,
                 Population& population, Powers powers);

  /// Looks now, and at short intervals for as long as `io` runs.
  void start();
  void look();

  /// May one more client be accepted now? Asked before each.
  bool takes_in();
  /// Where it belongs: with the fewest sessions of those that keep up.
  Worker& host() const;
  /// What a newcomer is refused with; none: it is not.
  protocol::Fault refusal() const;
  /// As many log in as may at a time.
  bool logins_full() const;
  /// A refused newcomer is heard out before, for it may be an administrator.
  bool hears_out() const;

 private:
  bool behind(const Worker& worker, TimePoint now) const;
  bool all_behind(TimePoint now) const;
  void look_at_memory(TimePoint now);
  void look_at_workers(TimePoint now);
  void tell_memory(TimePoint now, std::uint64_t resident, std::uint64_t high) const;

  boost::asio::steady_timer timer_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  Population& population_;
  const Powers powers_;
  admission::MemoryGuard memory_;
  admission::AcceptGate gate_;
  TimePoint trimmed_{};
  TimePoint behind_since_{};  ///< all workers; zero: they are not
};

}  // namespace weirpool::proxy
