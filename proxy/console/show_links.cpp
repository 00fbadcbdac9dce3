// SHOW CLIENTS, SERVERS, SOCKETS and PINS: one row per connection.
#include <array>
#include <chrono>
#include <cstdio>
#include <unordered_map>
#include <utility>

#include "proxy/console/show.hpp"

namespace weirpool::console {
namespace {

std::string pointer(std::uint64_t address) {
  if (address == 0) return {};
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(address));
  return text.data();
}

std::uint64_t waited(const Report& report, const Link& link) {
  if (link.waiting == TimePoint{} || link.waiting > report.now) return 0;
  const auto waited =
      std::chrono::duration_cast<std::chrono::microseconds>(report.now - link.waiting);
  return static_cast<std::uint64_t>(waited.count());
}

std::string_view replication_of(const Link& link) {
  return link.replication.empty() ? "none" : link.replication;
}

std::vector<Cell> link_row(const Report& report, const Link& link, std::string type) {
  constexpr std::uint64_t kMicrosecond = 1'000'000;  // per second
  const std::uint64_t wait = waited(report, link);
  const TimePoint requested = link.requested == TimePoint{} ? link.since : link.requested;
  return {std::move(type),
          link.user,
          link.database,
          std::string(replication_of(link)),
          std::string(link.state),
          link.peer.host,
          small(link.peer.port),
          link.local.host,
          small(link.local.port),
          time_text(report, link.since),
          time_text(report, requested),
          small(wait / kMicrosecond),
          small(wait % kMicrosecond),
          link.close_needed ? "1" : "0",
          pointer(link.address),
          pointer(link.other),
          small(link.remote_pid),
          link.tls ? "TLS" : "",
          link.application,
          small(link.prepared),
          number(link.id)};
}

Rows link_rows(const Report& report, const std::vector<Link>& links, const std::string& type) {
  Rows rows;
  rows.reserve(links.size());
  for (const Link& link : links) rows.push_back(link_row(report, link, type));
  return rows;
}

Rows with_buffers(Rows rows) {
  constexpr std::size_t kBufferColumns = 7;
  for (auto& row : rows) row.insert(row.end(), kBufferColumns, "0");
  return rows;
}

}  // namespace

Rows clients(const Report& report) { return link_rows(report, report.clients, "C"); }

/// A backend streams what the client streams that holds it.
Rows servers(const Report& report) {
  std::unordered_map<std::uint64_t, std::string_view> streams;
  for (const Link& client : report.clients) {
    if (!client.replication.empty()) streams.emplace(client.address, client.replication);
  }
  std::vector<Link> links = report.backends;
  for (Link& link : links) {
    const auto held = streams.find(link.other);
    if (held != streams.end()) link.replication = held->second;
  }
  return link_rows(report, links, "S");
}

Rows sockets(const Report& report) {
  Rows all = clients(report);
  for (auto& row : servers(report)) all.push_back(std::move(row));
  return with_buffers(std::move(all));
}

Rows active_sockets(const Report& report) {
  Rows all;
  for (auto& row : sockets(report)) {
    const Cell& state = row[4];
    if (state == "active" || state == "waiting") all.push_back(std::move(row));
  }
  return all;
}

Rows pins(const Report& report) {
  Rows rows;
  for (const Link& client : report.clients) {
    if (client.pin.empty()) continue;
    rows.push_back({small(client.id), client.backend, client.database, client.user,
                    client.application, std::string(client.pin),
                    time_text(report, client.requested), small(client.remote_pid)});
  }
  return rows;
}

}  // namespace weirpool::console
