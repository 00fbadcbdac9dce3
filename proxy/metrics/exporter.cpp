#include "proxy/metrics/exporter.hpp"

#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>

#include "protocol/fault.hpp"
#include "proxy/metrics/metric_table.hpp"
#include "proxy/metrics/process.hpp"

namespace weirpool::metrics {

namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;
using Label = prometheus::ClientMetric::Label;
using protocol::Fault;

Labels operator+(Labels labels, prometheus::ClientMetric::Label more) {
  labels.push_back(std::move(more));
  return labels;
}

std::string_view fault_label(std::size_t index) {
  return protocol::row_of(static_cast<Fault>(index)).label;
}

/// The families in the order of the table; those without a sample are left out.
class Page {
 public:
  Page() : families_(metric_table.size()) {
    for (std::size_t i = 0; i < families_.size(); ++i) {
      const MetricRow& row = metric_table[i];
      families_[i].name = row.name;
      families_[i].help = row.help;
      families_[i].type = row.kind == Kind::counter ? prometheus::MetricType::Counter
                          : row.kind == Kind::gauge ? prometheus::MetricType::Gauge
                                                    : prometheus::MetricType::Histogram;
    }
  }

  template <class Number>
  void add(Metric metric, Number number, Labels labels = {}) {
    prometheus::ClientMetric sample;
    sample.label = std::move(labels);
    if (row(metric).kind == Kind::counter) {
      sample.counter.value = static_cast<double>(number);
    } else {
      sample.gauge.value = static_cast<double>(number);
    }
    family(metric).metric.push_back(std::move(sample));
  }

  void add(Metric metric, const HistogramNumbers& numbers, Labels labels = {}) {
    prometheus::ClientMetric sample;
    sample.label = std::move(labels);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < kWaitBuckets; ++i) {
      count += numbers.buckets[i];
      prometheus::ClientMetric::Bucket bucket;
      bucket.cumulative_count = count;
      bucket.upper_bound =
          i < kWaitBounds.size() ? kWaitBounds[i] : std::numeric_limits<double>::infinity();
      sample.histogram.bucket.push_back(bucket);
    }
    sample.histogram.sample_count = count;
    sample.histogram.sample_sum = numbers.sum;
    family(metric).metric.push_back(std::move(sample));
  }

  std::vector<prometheus::MetricFamily> take() {
    std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
    return std::move(families_);
  }

 private:
  static const MetricRow& row(Metric metric) {
    return metric_table[static_cast<std::size_t>(metric)];
  }
  prometheus::MetricFamily& family(Metric metric) {
    return families_[static_cast<std::size_t>(metric)];
  }

  std::vector<prometheus::MetricFamily> families_;
};

void add_clients(Page& page, const Snapshot& now) {
  const ClientNumbers& clients = now.clients;
  for (std::size_t i = 0; i < kClientStates; ++i) {
    page.add(Metric::client_connections, clients.clients[i],
             {{"state", std::string(kClientStateLabels[i])}});
  }
  page.add(Metric::client_connections_limit, now.client_limit);
  page.add(Metric::clients_accepted, clients.accepted);
  page.add(Metric::logins, clients.logins_ok, {{"result", "ok"}});
  page.add(Metric::logins, clients.faults[static_cast<std::size_t>(Fault::login_denied)],
           {{"result", "denied"}});
  page.add(Metric::tls_handshakes, clients.tls_handshakes, {{"result", "ok"}});
  page.add(Metric::tls_handshakes, clients.tls_failed, {{"result", "failed"}});
  // From 1: none is no fault, it is how most clients leave.
  for (std::size_t i = 1; i < kFaults; ++i) {
    const std::string label(fault_label(i));
    page.add(Metric::faults, clients.faults[i] + now.turned_away[i], {{"reason", label}});
    const bool at_the_door = i == static_cast<std::size_t>(Fault::too_many_clients) ||
                             i == static_cast<std::size_t>(Fault::too_many_logins) ||
                             i == static_cast<std::size_t>(Fault::short_of_memory);
    if (at_the_door || now.turned_away[i] > 0) {
      page.add(Metric::clients_turned_away, now.turned_away[i], {{"reason", label}});
    }
  }
}

void add_admission(Page& page, const PoolNumbers& pool, const Labels& labels) {
  for (std::size_t i = 0; i < kClasses; ++i) {
    const ClassNumbers& numbers = pool.classes[i];
    // Most know one class only: the others would be zeros for ever.
    if (numbers.offered == 0) continue;
    const Labels of_class = labels + Label{"class", std::string(kClassLabels[i])};
    page.add(Metric::offered, numbers.offered, of_class);
    page.add(Metric::admitted, numbers.admitted, of_class);
    for (std::size_t reason = 0; reason < kShedReasons; ++reason) {
      page.add(Metric::shed, numbers.shed[reason],
               of_class + Label{"reason", std::string(kShedReasonLabels[reason])});
    }
  }
  page.add(Metric::overloaded, pool.overloaded, labels);
  page.add(Metric::overloads, pool.overloads, labels);
  page.add(Metric::sources, pool.sources.size(), labels);
}

void add_pool(Page& page, const PoolName& name, const PoolNumbers& pool) {
  const Labels labels{{"backend", name.backend}, {"database", name.database}, {"user", name.user}};
  const std::array<std::pair<const char*, std::int64_t>, 5> states{{{"connecting", pool.connecting},
                                                                    {"idle", pool.idle},
                                                                    {"active", pool.active},
                                                                    {"resetting", pool.resetting},
                                                                    {"closing", pool.closing}}};
  for (const auto& [state, count] : states) {
    page.add(Metric::server_connections, count, labels + Label{"state", state});
  }
  page.add(Metric::resting, pool.resting, labels);
  page.add(Metric::queue_length, pool.waiting, labels);
  page.add(Metric::oldest_wait, pool.oldest_wait_seconds, labels);
  page.add(Metric::wait, HistogramNumbers{pool.wait_buckets, pool.wait_sum}, labels);
  page.add(Metric::transactions, pool.transactions, labels);
  page.add(Metric::connects, pool.connects_ok, labels + Label{"result", "ok"});
  page.add(Metric::connects, pool.connects_failed, labels + Label{"result", "failed"});
  for (std::size_t i = 0; i < kCloseReasons; ++i) {
    page.add(Metric::closed, pool.closed[i],
             labels + Label{"reason", std::string(kCloseReasonLabels[i])});
  }
  page.add(Metric::hand_overs, pool.hand_overs, labels);
  page.add(Metric::cancels, pool.cancels, labels);
  add_admission(page, pool, labels);
  for (const auto& [reason, count] : pool.pins) {
    page.add(Metric::pins, count, labels + Label{"reason", std::string(reason)});
  }
}

/// All numbers or none: an autoscaler takes a missing one for an error, and a zero for a fact.
void add_scaling(Page& page, const ScalingNumbers& numbers) {
  const Labels labels{{"scope", std::string(numbers.scope)},
                      {"backend", numbers.of.backend},
                      {"database", numbers.of.database},
                      {"user", numbers.of.user}};
  page.add(Metric::scaling_verdict, 1, labels + Label{"verdict", std::string(numbers.verdict)});
  if (!numbers.known) return;
  page.add(Metric::scaling_offered, numbers.offered_per_second, labels);
  page.add(Metric::scaling_demand, numbers.demand, labels);
  page.add(Metric::scaling_useful, numbers.useful, labels);
  page.add(Metric::scaling_saturation, numbers.saturation, labels);
  page.add(Metric::scaling_wait_p95, numbers.wait_p95_seconds, labels);
  page.add(Metric::scaling_shed_ratio, numbers.shed_ratio, labels);
  page.add(Metric::scaling_sources, numbers.sources, labels);
}

void add_process(Page& page) {
  const ProcessNumbers process = read_process();
  page.add(Metric::process_memory, process.resident_bytes);
  page.add(Metric::process_cpu, process.cpu_seconds);
  page.add(Metric::process_fds, process.open_fds);
  page.add(Metric::process_max_fds, process.max_fds);
  page.add(Metric::process_start, process.start_time);
}

}  // namespace

std::vector<prometheus::MetricFamily> Exporter::Collect() const {
  const Snapshot now = source_();
  Page page;
  page.add(Metric::build_info, 1, {{"version", version_}});
  page.add(Metric::workers, now.workers);
  add_clients(page, now);
  for (const BackendNumbers& backend : now.backends) {
    const Labels labels{{"backend", backend.name}, {"protocol", backend.protocol}};
    page.add(Metric::backend_open, backend.open, labels);
    page.add(Metric::backend_limit, backend.max_connections, labels);
    page.add(Metric::backend_useful, backend.useful, labels);
    if (backend.elasticity) page.add(Metric::backend_elasticity, *backend.elasticity, labels);
    page.add(Metric::backend_circuit, backend.circuit, labels);
    page.add(Metric::backend_pace, backend.pace, labels);
    page.add(Metric::backend_retries, backend.retries, labels + Label{"result", "ok"});
    page.add(Metric::backend_retries, backend.retries_refused, labels + Label{"result", "refused"});
  }
  for (const auto& [name, pool] : now.pools) add_pool(page, name, pool);
  for (const ScalingNumbers& numbers : now.scaling) add_scaling(page, numbers);
  page.add(Metric::memory_high, now.memory_high);
  page.add(Metric::memory_state, now.memory_state);
  page.add(Metric::loop_lag, now.clients.loop_lag);
  page.add(Metric::workers_behind, now.workers_behind);
  page.add(Metric::held_accepts, now.held_accepts);
  page.add(Metric::draining, now.draining ? 1 : 0);
  page.add(Metric::reload_ok, now.last_reload_ok ? 1 : 0);
  page.add(Metric::reload_time, now.last_reload_ok_time);
  page.add(Metric::reloads, now.reloads_ok, {{"result", "ok"}});
  page.add(Metric::reloads, now.reloads_failed, {{"result", "failed"}});
  page.add(Metric::log_dropped, now.log_dropped);
  add_process(page);
  return page.take();
}

std::string Exporter::text() const { return prometheus::TextSerializer().Serialize(Collect()); }

}  // namespace weirpool::metrics
