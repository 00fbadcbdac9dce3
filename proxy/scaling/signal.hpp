// The one thing that the CPU of web nodes cannot tell their autoscaler: would another one help, or
// is it the database that has no more to give? Made of what every pool counts, in windows of fixed
// length:
//
//   demand      offered transactions/s x mean time that one holds a backend (Little's law): how
//               many backends the clients could keep busy
//   useful      how many there may be
//   saturation  demand / useful; from 1 on another web node only makes the line longer
//
// One bad window is weather. Bound is what was hot in three of five; free again only after two
// calm minutes, so that the answer does not flap with what it causes. Pure: no clock, no thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "proxy/metrics/numbers.hpp"

namespace weirpool::scaling {

enum class Verdict : std::uint8_t { scale_web_ok, hold_database_bound, hold_unknown, count_ };
inline constexpr std::array<std::string_view, 3> kVerdictLabels{
    "scale_web_ok", "hold_database_bound", "hold_unknown"};

struct Signal {
  double offered_per_second = 0;
  double demand = 0;
  double useful = 0;
  double wait_p95_seconds = 0;  ///< of those that were served
  double shed_ratio = 0;        ///< of what was offered
  std::uint64_t sources = 0;    ///< web nodes seen lately
  Verdict verdict = Verdict::hold_unknown;
  std::string_view reason = "starting";

  double saturation() const { return useful > 0 ? demand / useful : 0; }
  std::string_view label() const { return kVerdictLabels[static_cast<std::size_t>(verdict)]; }
};

/// What all pools of one thing have counted since the start.
struct Reading {
  std::uint64_t offered = 0;
  std::uint64_t admitted = 0;
  std::uint64_t shed = 0;
  std::uint64_t lent_microseconds = 0;
  std::uint64_t connects_ok = 0;
  std::uint64_t connects_failed = 0;
  std::array<std::uint64_t, metrics::kWaitBuckets> wait_buckets{};
  std::int64_t connected = 0;  ///< backends now
  std::int64_t active = 0;     ///< lent now
  std::set<std::uint64_t> sources;
  double useful = 0;

  void add(const metrics::PoolNumbers& pool);
};

/// Follows one thing: a pool, a database server.
class Watch {
 public:
  /// Once per window of `seconds`.
  void read(const Reading& reading, double seconds);
  const Signal& signal() const { return signal_; }

 private:
  void judge(bool reachable);

  static constexpr double kHot = 0.9;
  static constexpr double kCalm = 0.75;
  static constexpr double kShedding = 0.01;
  static constexpr unsigned kHotWindows = 3;
  static constexpr unsigned kOfWindows = 5;
  static constexpr unsigned kCalmWindows = 12;

  Signal signal_;
  std::optional<Reading> last_;
  double held_seconds_ = 0;  ///< by one transaction, when last seen
  std::uint32_t hot_ = 0;    ///< one bit per window, the newest lowest
  unsigned calm_ = 0;        ///< windows in a row
  bool bound_ = false;
};

/// Of everything: one server that is bound holds them all, for a web node uses all.
Signal joined(const std::vector<Signal>& servers);

}  // namespace weirpool::scaling
