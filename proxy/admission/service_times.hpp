// How long backends are held: the mean and the quantiles that every prediction of the waiting line
// rests on. Recording costs a few nanoseconds and no allocation; what was long ago fades. One
// thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

class ServiceTimes {
 public:
  void record(Duration held);
  /// Enough has been seen to predict with.
  bool known() const { return total_ >= kEnough; }
  /// Moving average over about the last 64; zero before the first.
  Duration mean() const { return Duration(static_cast<Duration::rep>(mean_)); }
  /// Within 19 % above; zero before the first.
  Duration quantile(double q) const;

 private:
  static constexpr std::uint32_t kEnough = 8;
  static constexpr double kMemory = 64;
  /// Counts are halved whenever there are this many.
  static constexpr std::uint32_t kFull = 1024;
  /// Four buckets to a doubling, from 2^13 ns (8 us) to 2^41 ns (37 min).
  static constexpr unsigned kLowest = 13;
  static constexpr std::size_t kBuckets = std::size_t{4} * 28;

  static std::size_t bucket_of(Duration held);
  static Duration upper_edge(std::size_t bucket);

  double mean_ = 0;  ///< nanoseconds
  std::uint32_t total_ = 0;
  std::array<std::uint32_t, kBuckets> counts_{};
};

}  // namespace weirpool::proxy::admission
