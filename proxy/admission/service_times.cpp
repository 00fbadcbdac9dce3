#include "proxy/admission/service_times.hpp"

#include <algorithm>
#include <bit>

namespace weirpool::proxy::admission {

std::size_t ServiceTimes::bucket_of(Duration held) {
  const auto ns = static_cast<std::uint64_t>(std::max<Duration::rep>(held.count(), 1));
  const auto octave = static_cast<unsigned>(std::bit_width(ns)) - 1;
  if (octave < kLowest) return 0;
  const std::uint64_t quarter = ns >> (octave - 2) & 3U;
  return std::min<std::size_t>((octave - kLowest) * 4 + quarter, kBuckets - 1);
}

Duration ServiceTimes::upper_edge(std::size_t bucket) {
  const std::uint64_t octave = std::uint64_t{1} << (kLowest + bucket / 4);
  return Duration(static_cast<Duration::rep>(octave + octave / 4 * (bucket % 4 + 1)));
}

void ServiceTimes::record(Duration held) {
  const auto ns = static_cast<double>(held.count());
  ++counts_[bucket_of(held)];
  ++total_;
  // The first ones are averaged plainly, so that the beginning is not held against a pool for long.
  mean_ += (ns - mean_) / std::min<double>(total_, kMemory);
  if (total_ < kFull) return;
  total_ = 0;
  for (std::uint32_t& count : counts_) {
    count /= 2;
    total_ += count;
  }
}

Duration ServiceTimes::quantile(double q) const {
  if (total_ == 0) return {};
  auto left = static_cast<std::int64_t>(q * total_);
  for (std::size_t i = 0; i < kBuckets; ++i) {
    left -= counts_[i];
    if (left < 0) return upper_edge(i);
  }
  return upper_edge(kBuckets - 1);
}

}  // namespace weirpool::proxy::admission
