#include "proxy/observer.hpp"

#include <chrono>
#include <mutex>
#include <utility>

#include "config/limits.hpp"
#include "proxy/admin/admin_server.hpp"
#include "proxy/log/log.hpp"
#include "proxy/metrics/exporter.hpp"

namespace weirpool::proxy {
namespace {

double unix_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace

struct Observer::Impl {
  Impl(const Targets& all_targets, const std::vector<std::unique_ptr<Worker>>& all_workers,
       const Population& everybody)
      : targets(all_targets),
        workers(all_workers),
        population(everybody),
        exporter([this] { return gather(); }, WEIRPOOL_VERSION) {
    told.last_reload_ok_time = unix_now();
  }

  metrics::Snapshot gather() const;
  admin::Health live() const;
  admin::Health ready() const;

  const Targets& targets;
  const std::vector<std::unique_ptr<Worker>>& workers;
  const Population& population;
  metrics::Exporter exporter;
  std::atomic<bool> started{false};
  std::atomic<bool> draining{false};

  mutable std::mutex mutex;  ///< guards what the main thread writes and the admin thread reads
  metrics::Snapshot told;    ///< by the main thread: reloads, turned_away and scaling
  std::unique_ptr<admin::AdminServer> http;  ///< last: stops before what its pages refer to goes
};

metrics::Snapshot Observer::Impl::gather() const {
  metrics::Snapshot all;
  {
    const std::lock_guard lock(mutex);
    all = told;
  }
  const std::int64_t now = Clock::now().time_since_epoch().count();
  for (const auto& worker : workers) {
    all.clients.add(worker->metrics());
    for (const Worker::PoolNumbers& pool : worker->pools()) {
      const metrics::PoolName name{pool.key.target->backend().name, pool.key.database,
                                   pool.key.user};
      all.pools[name].add(*pool.metrics, now);
    }
  }
  for (const auto& [name, target] : targets) {
    const Arbiter::Finding finding = target->arbiter().finding();
    metrics::BackendNumbers& backend = all.backends.emplace_back();
    backend.name = name;
    backend.protocol = target->dialect().name();
    backend.open = target->ledger().open();
    backend.max_connections = target->ledger().limit();
    backend.useful = finding.useful == 0 ? target->ledger().usable() : finding.useful;
    backend.elasticity = finding.elasticity;
    backend.circuit = static_cast<std::uint32_t>(target->circuit());
    backend.pace = target->pace() / 100.0;
    backend.retries = target->retries();
    backend.retries_refused = target->retries_refused();
  }
  all.version = WEIRPOOL_VERSION;
  all.client_limit = population.most.load();
  all.workers = static_cast<std::uint32_t>(workers.size());
  all.workers_behind = population.workers_behind.load();
  all.memory_high = population.memory_high.load();
  all.memory_state = static_cast<std::uint32_t>(population.memory.load());
  all.held_accepts = population.held_accepts.load();
  all.draining = draining.load();
  all.log_dropped = log::dropped();
  return all;
}

admin::Health Observer::Impl::live() const {
  admin::Health health;
  for (const auto& worker : workers) {
    if (Clock::now() - worker->last_beat() > config::kWorkerStuckAfter) {
      health.ok = false;
      health.reasons.push_back("worker " + std::to_string(worker->index()) + " does not answer");
    }
  }
  return health;
}

admin::Health Observer::Impl::ready() const {
  admin::Health health;
  if (!started.load()) health.reasons.emplace_back("starting");
  if (draining.load()) health.reasons.emplace_back("draining");
  if (population.clients.load() >= population.most.load()) {
    health.reasons.emplace_back("max_client_conn");
  }
  if (population.memory.load() != admission::MemoryState::ample) {
    health.reasons.emplace_back("memory_high");
  }
  health.ok = health.reasons.empty();
  return health;
}

Observer::Observer(const config::Config& config, const Targets& targets,
                   const std::vector<std::unique_ptr<Worker>>& workers,
                   const Population& population, admin::Pages::Order order)
    : impl_(std::make_unique<Impl>(targets, workers, population)) {
  if (config.admin.http.port == 0) return;
  admin::Pages pages;
  pages.metrics = [impl = impl_.get()] { return impl->exporter.text(); };
  pages.live = [impl = impl_.get()] { return impl->live(); };
  pages.ready = [impl = impl_.get()] { return impl->ready(); };
  pages.order = std::move(order);
  impl_->http = std::make_unique<admin::AdminServer>(config.admin.http, std::move(pages));
}

Observer::~Observer() = default;

void Observer::set_ready() { impl_->started = true; }
void Observer::set_draining() { impl_->draining = true; }

metrics::Snapshot Observer::numbers() const { return impl_->gather(); }

void Observer::reloaded(bool ok) {
  const std::lock_guard lock(impl_->mutex);
  impl_->told.last_reload_ok = ok;
  if (ok) {
    impl_->told.last_reload_ok_time = unix_now();
    ++impl_->told.reloads_ok;
  } else {
    ++impl_->told.reloads_failed;
  }
}

void Observer::scaling(const scaling::Signals& signals) {
  const std::lock_guard lock(impl_->mutex);
  impl_->told.scaling = signals.numbers();
}

void Observer::turned_away(protocol::Fault fault) {
  const std::lock_guard lock(impl_->mutex);
  ++impl_->told.turned_away[static_cast<std::size_t>(fault)];
}

}  // namespace weirpool::proxy
