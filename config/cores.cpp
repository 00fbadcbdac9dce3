#include "config/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace weirpool::config {

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

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

/// Lowers `cores` by every quota from `mount + group` up to `mount`. A container sees its own group
/// at the mount's root whatever its /proc/self/cgroup says, so the root is always looked at.
void apply_quotas(const std::string& mount, std::string group, std::uint32_t& cores) {
  for (;;) {
    const std::uint32_t quota = cores_of_quota(quota_text(mount + group));
    if (quota != 0) cores = std::min(cores, quota);
    if (group.empty()) return;
    group.resize(std::min(group.rfind('/'), group.size()));
  }
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
  std::ifstream groups(root + "/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {  // hierarchy:controllers:/group
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    if (controllers.empty()) apply_quotas(root + "/sys/fs/cgroup", group, cores);
    const bool cpu = ("," + controllers + ",").find(",cpu,") != std::string::npos;
    if (cpu) apply_quotas(root + "/sys/fs/cgroup/cpu", group, cores);
  }
  return cores;
}

}  // namespace weirpool::config
