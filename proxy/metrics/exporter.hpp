// Snapshot -> Prometheus metrics. Everything is computed at scrape time, nothing on the data path.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <string>
#include <vector>

#include "proxy/metrics/numbers.hpp"

namespace weirpool::metrics {

class Exporter : public prometheus::Collectable {
 public:
  using Source = std::function<Snapshot()>;

  /// `source` is called on the scraping thread.
  Exporter(Source source, std::string version)
      : source_(std::move(source)), version_(std::move(version)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;
  /// The page: text format 0.0.4, labels escaped.
  std::string text() const;

 private:
  Source source_;
  std::string version_;
};

}  // namespace weirpool::metrics
