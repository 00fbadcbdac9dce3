// One connection, a client's or a backend's, as people want to see it: plain values, taken by the
// worker it lives on.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace weirpool::metrics {

struct Link {
  using TimePoint = std::chrono::steady_clock::time_point;

  std::uint64_t id = 0;       ///< clients: as in logs; backends: 0
  std::uint64_t address = 0;  ///< tells objects apart while they live
  std::uint64_t other = 0;    ///< the address at the other end of the lease; 0: none
  std::string backend;
  std::string database;
  std::string user;
  std::string_view state;  ///< idle, active, waiting, tested
  config::Address peer;
  config::Address local;
  TimePoint since{};      ///< when it was connected
  TimePoint requested{};  ///< when it last wanted, or was given, its other end; zero: never
  TimePoint waiting{};    ///< since when it waits; zero: it does not
  bool close_needed = false;
  std::uint64_t remote_pid = 0;  ///< the database server's id of the backend; 0: none
  bool tls = false;
  std::string application;
  std::size_t prepared = 0;      ///< statements
  std::string_view replication;  ///< logical or physical; empty: none
  std::string_view pin;          ///< why the client keeps its backend; empty: it does not
};

}  // namespace weirpool::metrics
