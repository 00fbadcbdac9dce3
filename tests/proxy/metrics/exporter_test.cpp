#include "proxy/metrics/exporter.hpp"

#include <gtest/gtest.h>

#include <set>

#include "proxy/metrics/metric_table.hpp"

namespace weirpool::metrics {
namespace {

Snapshot busy() {
  Snapshot now;
  now.clients.clients = {1, 2, 3, 4};
  now.clients.faults[static_cast<std::size_t>(protocol::Fault::pool_timeout)] = 6;
  now.turned_away[static_cast<std::size_t>(protocol::Fault::too_many_logins)] = 7;
  now.backends.push_back({"shop", "postgresql", 5, 20, 16, 0.25, 0, 1, 8, 9});
  now.scaling.push_back({.scope = "backend",
                         .of = {"shop", {}, {}},
                         .verdict = "scale_web_ok",
                         .known = true,
                         .demand = 4.5,
                         .saturation = 0.28125});
  now.scaling.push_back({.scope = "whole", .verdict = "hold_unknown"});
  now.clients.loop_lag.buckets[3] = 4;
  now.memory_high = 4096;
  now.memory_state = 1;
  PoolNumbers& pool = now.pools[{"shop", "db\"\\\n", "app"}];
  pool.active = 5;
  pool.wait_buckets[0] = 2;
  pool.wait_buckets[kWaitBuckets - 1] = 1;
  pool.wait_sum = 40.5;
  pool.pins["listen"] = 3;
  pool.classes[2] = {10, 8, {2}};
  pool.sources = {1, 2};
  return now;
}

bool has(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

TEST(Exporter, WritesEveryMetricOfTheTable) {
  const std::string text = Exporter(busy, "1.2.3").text();
  for (const MetricRow& row : metric_table) {
    EXPECT_NE(text.find("# HELP " + std::string(row.name) + " "), std::string::npos) << row.name;
  }
}

TEST(Exporter, WhatIsNotKnownForScalingIsLeftOut) {
  const std::string text = Exporter(busy, "1.2.3").text();
  const std::string server = "scope=\"backend\",backend=\"shop\",database=\"\",user=\"\"";
  EXPECT_TRUE(has(text, "weirpool_scaling_demand{" + server + "} 4.5")) << text;
  EXPECT_TRUE(has(text, "weirpool_scaling_saturation_ratio{" + server + "} 0.28125")) << text;
  EXPECT_TRUE(has(text, "weirpool_scaling_verdict{" + server + ",verdict=\"scale_web_ok\"} 1"));
  const std::string whole = "scope=\"whole\",backend=\"\",database=\"\",user=\"\"";
  EXPECT_TRUE(has(text, "weirpool_scaling_verdict{" + whole + ",verdict=\"hold_unknown\"} 1"));
  EXPECT_EQ(text.find("weirpool_scaling_demand{" + whole), std::string::npos);
}

TEST(Exporter, WritesValuesAndEscapesLabels) {
  const std::string text = Exporter(busy, "1.2.3").text();
  EXPECT_TRUE(has(text, "weirpool_build_info{version=\"1.2.3\"} 1")) << text;
  EXPECT_TRUE(has(text, "weirpool_client_connections{state=\"waiting\"} 4")) << text;
  EXPECT_TRUE(has(text, "weirpool_faults_total{reason=\"pool_timeout\"} 6")) << text;
  EXPECT_TRUE(
      has(text, "weirpool_client_connections_rejected_total{reason=\"too_many_logins\"} 7"));
  const std::string pool = "backend=\"shop\",database=\"db\\\"\\\\\\n\",user=\"app\"";
  EXPECT_TRUE(has(text, "weirpool_server_connections{" + pool + ",state=\"active\"} 5")) << text;
  EXPECT_TRUE(has(text, "weirpool_pins_total{" + pool + ",reason=\"listen\"} 3")) << text;
  EXPECT_TRUE(has(text, "weirpool_pool_sources{" + pool + "} 2")) << text;
  const std::string normal = pool + ",class=\"normal\"";
  EXPECT_TRUE(has(text, "weirpool_admission_offered_total{" + normal + "} 10")) << text;
  EXPECT_TRUE(has(text, "weirpool_admission_shed_total{" + normal + ",reason=\"overload\"} 2"));
  const std::string server = "backend=\"shop\",protocol=\"postgresql\"";
  EXPECT_TRUE(has(text, "weirpool_request_retries_total{" + server + ",result=\"ok\"} 8")) << text;
  EXPECT_TRUE(has(text, "weirpool_request_retries_total{" + server + ",result=\"refused\"} 9"));
  EXPECT_TRUE(has(text, "weirpool_loop_lag_seconds_bucket{le=\"0.0005\"} 0")) << text;
  EXPECT_TRUE(has(text, "weirpool_loop_lag_seconds_bucket{le=\"0.001\"} 4")) << text;
  EXPECT_TRUE(has(text, "weirpool_memory_high_bytes 4096")) << text;
  EXPECT_TRUE(has(text, "weirpool_memory_state 1")) << text;
  EXPECT_EQ(text.find("class=\"critical\""), std::string::npos) << "nobody has asked";
  EXPECT_TRUE(has(text, "weirpool_pool_wait_seconds_count{" + pool + "} 3")) << text;
  EXPECT_TRUE(has(text, "weirpool_pool_wait_seconds_bucket{" + pool + ",le=\"30\"} 2")) << text;
  EXPECT_TRUE(has(text, "weirpool_pool_wait_seconds_bucket{" + pool + ",le=\"+Inf\"} 3")) << text;
}

TEST(Exporter, NamesFollowTheConventions) {
  std::set<std::string_view> names;
  for (const MetricRow& row : metric_table) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(row.name.starts_with("weirpool_") || row.name.starts_with("process_")) << row.name;
    EXPECT_EQ(row.kind == Kind::counter, row.name.ends_with("_total")) << row.name;
    EXPECT_TRUE(row.help.ends_with('.')) << row.name;
  }
}

}  // namespace
}  // namespace weirpool::metrics
