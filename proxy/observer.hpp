// What people and machines see of the process: gathers the numbers of all workers for the metrics
// page and answers health questions. Owns the admin listener, which has a thread of its own.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "config/config.hpp"
#include "proxy/admin/routes.hpp"
#include "proxy/metrics/counters.hpp"
#include "proxy/metrics/numbers.hpp"
#include "proxy/runtime.hpp"
#include "proxy/scaling/board.hpp"
#include "proxy/worker.hpp"

namespace weirpool::proxy {

class Observer {
 public:
  /// All references outlive the observer. Throws std::system_error when the address is taken.
  /// `order` carries out a console command for HTTP: any thread, answers on any thread, once.
  Observer(const config::Config& config, const Targets& targets,
           const std::vector<std::unique_ptr<Worker>>& workers, const Population& population,
           admin::Pages::Order order);
  ~Observer();

  // From the main thread.
  void set_ready();
  void set_draining();
  void reloaded(bool ok);
  void scaling(const scaling::Signals& signals);
  /// A client that never became a session.
  void turned_away(protocol::Fault fault);

  /// What all have counted. Any thread.
  metrics::Snapshot numbers() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weirpool::proxy
