#include "config/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <sstream>

#include "config/cgroups.hpp"

namespace weirpool::config {

namespace {

std::uint32_t cores_of_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
}

/// cpu.max of one group, or the same from v1's two files.
std::string quota_text(const std::string& folder) {
  const std::string quota = first_line(folder + "/cpu.cfs_quota_us");
  if (quota.empty()) return first_line(folder + "/cpu.max");
  return quota + " " + first_line(folder + "/cpu.cfs_period_us");
}

}  // namespace

std::uint32_t cores_of_quota(std::string_view cpu_max) {
  std::istringstream in{std::string(cpu_max)};
  std::int64_t quota = 0;
  std::int64_t period = 0;
  if (!(in >> quota >> period) || quota <= 0 || period <= 0) return 0;
  const std::int64_t cores = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<std::uint32_t>(std::min<std::int64_t>(cores, 1'000'000));
}

std::uint32_t usable_cores(const std::string& root) {
  std::uint32_t cores = cores_of_affinity();
  visit_cgroups(root, "cpu", [&](const std::string& folder) {
    const std::uint32_t quota = cores_of_quota(quota_text(folder));
    if (quota != 0) cores = std::min(cores, quota);
  });
  return cores;
}

}  // namespace weirpool::config
