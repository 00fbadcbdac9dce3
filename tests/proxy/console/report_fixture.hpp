// A report with two servers, whose database "app" both have.
#pragma once

#include <memory>
#include <string>

#include "proxy/console/report.hpp"
#include "proxy/console/show.hpp"

namespace weirpool::console {

inline Report sample_report() {
  auto config = std::make_shared<config::Config>();
  config::Backend shop;
  shop.name = "shop";
  shop.address.host = "db.example.com";
  shop.address.port = 5432;
  shop.max_connections = 20;
  config->backends["shop"] = shop;
  config::Listener listener;
  listener.address = {"127.0.0.1", 6432};
  listener.backend = "shop";
  config->listeners.push_back(listener);
  config->users["ann"].name = "ann";
  config->users["bob"].name = "bob";
  config->limits.max_client_conn = 500;
  config->admin.users = {"ann"};
  config->admin.stats_users = {"bob"};
  Report report;
  metrics::PoolNumbers pool;
  pool.clients = 7;
  pool.waiting = 2;
  pool.active = 3;
  pool.idle = 1;
  pool.resetting = 1;
  pool.connecting = 1;
  pool.oldest_wait_seconds = 3.25;
  pool.wait_buckets[0] = 90;
  pool.wait_buckets[4] = 10;
  pool.wait_sum = 0.5;
  pool.work = {100, 200, 5, 4, 3};
  pool.received = 1000;
  pool.sent = 2000;
  pool.transaction_microseconds = 50000;
  pool.query_microseconds = 40000;
  report.numbers.pools[{"shop", "app", "ann"}] = pool;
  report.numbers.pools[{"other", "app", "ann"}] = pool;
  report.numbers.backends.push_back({"shop", "postgresql", 5, 20, 16, {}});
  report.numbers.clients.console = 1;
  report.numbers.clients.clients = {1, 2, 3, 4};
  report.numbers.version = "9.9";
  report.numbers.client_limit = 500;
  report.config = config;
  report.now = TimePoint(std::chrono::seconds(1000));
  report.wall = std::chrono::system_clock::from_time_t(86400);
  return report;
}

/// One row as text, cells separated by |, NULL as ~.
inline std::string line(const std::vector<Cell>& row) {
  std::string text;
  for (const Cell& cell : row) text += (text.empty() ? "" : "|") + cell.value_or("~");
  return text;
}

}  // namespace weirpool::console
