// How many cores this process may really use: `workers: auto`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weirpool::config {

/// The quota in a cgroup v2 cpu.max ("150000 100000"), rounded up to whole cores; 0: no quota.
std::uint32_t cores_of_quota(std::string_view cpu_max);

/// The smaller of the CPU affinity mask and every cgroup quota from this process's group up to the
/// root (v2, or v1's cpu controller), at least 1. `root` stands before /proc and /sys, for tests.
std::uint32_t usable_cores(const std::string& root = "");

}  // namespace weirpool::config
