#include "proxy/scaling/signal.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace weirpool::scaling {
namespace {

/// The upper bound, in seconds, of the bucket that holds this share of the waits between two
/// readings.
double quantile(const Reading& older, const Reading& newer, double share) {
  std::array<std::uint64_t, metrics::kWaitBuckets> counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = newer.wait_buckets[i] - older.wait_buckets[i];
  }
  const auto all = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  const auto rank = static_cast<std::uint64_t>(static_cast<double>(all) * share);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < metrics::kWaitBounds.size(); ++i) {
    seen += counts[i];
    if (seen > rank) return metrics::kWaitBounds[i];
  }
  return all == 0 ? 0 : metrics::kWaitBounds.back();
}

/// What a pool has counted is forgotten with the pool.
bool went_back(const Reading& older, const Reading& newer) {
  return newer.offered < older.offered || newer.admitted < older.admitted ||
         newer.shed < older.shed || newer.lent_microseconds < older.lent_microseconds;
}

}  // namespace

void Reading::add(const metrics::PoolNumbers& pool) {
  for (const metrics::ClassNumbers& numbers : pool.classes) {
    offered += numbers.offered;
    admitted += numbers.admitted;
    shed += numbers.all_shed();
  }
  lent_microseconds += pool.lent_microseconds;
  connects_ok += pool.connects_ok;
  connects_failed += pool.connects_failed;
  for (std::size_t i = 0; i < wait_buckets.size(); ++i) wait_buckets[i] += pool.wait_buckets[i];
  connected += pool.active + pool.idle + pool.resetting;
  active += pool.active;
  sources.insert(pool.sources.begin(), pool.sources.end());
}

void Watch::read(const Reading& reading, double seconds) {
  constexpr double kMicroseconds = 1e6;
  const std::optional<Reading> older = std::exchange(last_, reading);
  signal_.sources = reading.sources.size();
  signal_.useful = reading.useful;
  if (!older || went_back(*older, reading)) return;
  const auto between = [&](std::uint64_t Reading::*count) {
    return static_cast<double>(reading.*count - (*older).*count);
  };
  const double offered = between(&Reading::offered);
  const double admitted = between(&Reading::admitted);
  if (admitted > 0) {
    held_seconds_ = between(&Reading::lent_microseconds) / kMicroseconds / admitted;
  }
  signal_.offered_per_second = offered / seconds;
  // What has not come back yet has not been counted, but it is there.
  signal_.demand = std::max(signal_.offered_per_second * held_seconds_,
                            offered == 0 ? static_cast<double>(reading.active) : 0.0);
  signal_.shed_ratio = offered > 0 ? std::min(between(&Reading::shed) / offered, 1.0) : 0;
  signal_.wait_p95_seconds = quantile(*older, reading, 0.95);
  const bool failed = between(&Reading::connects_failed) > 0 &&
                      reading.connects_ok == older->connects_ok && reading.connected == 0;
  judge(!failed);
}

void Watch::judge(bool reachable) {
  const bool shedding = signal_.shed_ratio > kShedding;
  const bool hot = signal_.saturation() >= kHot || shedding;
  hot_ = (hot_ << 1U | (hot ? 1U : 0U)) & ((1U << kOfWindows) - 1);
  calm_ = signal_.saturation() < kCalm && !shedding ? calm_ + 1 : 0;
  if (static_cast<unsigned>(std::popcount(hot_)) >= kHotWindows) bound_ = true;
  if (calm_ >= kCalmWindows) bound_ = false;
  if (!reachable) {
    signal_.verdict = Verdict::hold_unknown;
    signal_.reason = "database_unreachable";
  } else if (bound_) {
    signal_.verdict = Verdict::hold_database_bound;
    signal_.reason = shedding ? "shedding" : "concurrency";
  } else {
    signal_.verdict = Verdict::scale_web_ok;
    signal_.reason = "none";
  }
}

Signal joined(const std::vector<Signal>& servers) {
  Signal all;
  if (servers.empty()) return all;
  all.verdict = Verdict::scale_web_ok;
  all.reason = "none";
  double shed = 0;
  for (const Signal& one : servers) {
    all.offered_per_second += one.offered_per_second;
    all.demand += one.demand;
    all.useful += one.useful;
    all.wait_p95_seconds = std::max(all.wait_p95_seconds, one.wait_p95_seconds);
    shed += one.shed_ratio * one.offered_per_second;
    const bool graver =
        one.verdict == Verdict::hold_database_bound ||
        (one.verdict == Verdict::hold_unknown && all.verdict == Verdict::scale_web_ok);
    if (!graver) continue;
    all.verdict = one.verdict;
    all.reason = one.reason;
  }
  if (all.offered_per_second > 0) all.shed_ratio = shed / all.offered_per_second;
  return all;
}

}  // namespace weirpool::scaling
