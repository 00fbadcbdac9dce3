#include "config/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "config/cgroups.hpp"

namespace weirpool::config {
namespace {

constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kKibi = 1024;

/// "max", and what is not there or no number, bounds nothing; v1 writes none as a huge one.
std::uint64_t bound_in(const std::string& path) {
  std::istringstream in(first_line(path));
  std::uint64_t bytes = 0;
  return in >> bytes && bytes != 0 ? bytes : kNone;
}

std::uint64_t memory_of_machine(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  std::string name;
  std::uint64_t kibi = 0;
  while (file >> name) {
    if (name == "MemTotal:") return file >> kibi ? kibi * kKibi : kNone;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return kNone;
}

}  // namespace

std::uint64_t usable_memory(const std::string& root) {
  std::uint64_t usable = memory_of_machine(root);
  visit_cgroups(root, "memory", [&](const std::string& folder) {
    for (const char* file : {"/memory.max", "/memory.high", "/memory.limit_in_bytes"}) {
      usable = std::min(usable, bound_in(folder + file));
    }
  });
  return usable == kNone ? 0 : usable;
}

std::uint32_t memory_high_of(std::uint64_t usable) {
  if (usable == 0) return 0;
  const std::uint64_t mebi = usable / 5 * 4 / (kKibi * kKibi);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(mebi, 1, 1'000'000'000));
}

}  // namespace weirpool::config
