#include "config/cores.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weirpool::config {
namespace {

TEST(Cores, QuotaIsRoundedUp) {
  EXPECT_EQ(cores_of_quota("200000 100000"), 2U);
  EXPECT_EQ(cores_of_quota("150000 100000"), 2U);
  EXPECT_EQ(cores_of_quota("50000 100000"), 1U);
  for (const char* none : {"", "max 100000", "-1 100000", "100000 0", "x"}) {
    EXPECT_EQ(cores_of_quota(none), 0U) << none;
  }
}

TEST(Cores, TheSmallestQuotaUpTheTreeCounts) {
  const std::filesystem::path root =
      std::filesystem::temp_directory_path() / ("weirpool_cores_" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "proc/self");
  std::filesystem::create_directories(root / "sys/fs/cgroup/a/b");
  std::ofstream(root / "proc/self/cgroup") << "0::/a/b\n";
  std::ofstream(root / "sys/fs/cgroup/a/b/cpu.max") << "max 100000\n";
  const std::uint32_t free = usable_cores(root);
  EXPECT_GE(free, 1U);
  std::ofstream(root / "sys/fs/cgroup/a/cpu.max") << "60000 100000\n";
  EXPECT_EQ(usable_cores(root), 1U);
  std::filesystem::remove_all(root);
}

TEST(Cores, AreAtLeastOneHere) { EXPECT_GE(usable_cores(), 1U); }

}  // namespace
}  // namespace weirpool::config
