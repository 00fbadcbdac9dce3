#include "config/memory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace weirpool::config {
namespace {

class MemoryTest : public testing::Test {
 protected:
  MemoryTest() { write("proc/meminfo", "MemTotal:  1048576 kB\nMemFree: 5 kB\n"); }
  ~MemoryTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::uint64_t usable() const { return usable_memory(root_); }

  const std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("weirpool_memory_" + std::to_string(::getpid()));
};

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

TEST_F(MemoryTest, WithoutABoundTheMachinesCounts) {
  EXPECT_EQ(usable(), 1024 * kMebi);
  write("proc/self/cgroup", "0::/a\n");
  write("sys/fs/cgroup/a/memory.max", "max\n");
  EXPECT_EQ(usable(), 1024 * kMebi);
}

TEST_F(MemoryTest, TheSmallestBoundUpTheTreeCounts) {
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/memory.max", "536870912\n");
  EXPECT_EQ(usable(), 512 * kMebi);
  write("sys/fs/cgroup/a/memory.high", "268435456\n");
  EXPECT_EQ(usable(), 256 * kMebi);
}

TEST_F(MemoryTest, TheOldHierarchyBoundsAsWell) {
  write("proc/self/cgroup", "4:memory:/m\n0::/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(usable(), 1024 * kMebi);
  write("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "134217728\n");
  EXPECT_EQ(usable(), 128 * kMebi);
}

TEST_F(MemoryTest, AMachineThatSaysNothingHasNoWatermark) {
  std::filesystem::remove(root_ / "proc/meminfo");
  EXPECT_EQ(usable(), 0U);
  EXPECT_EQ(memory_high_of(0), 0U);
}

TEST_F(MemoryTest, TheWatermarkIsFourFifths) {
  EXPECT_EQ(memory_high_of(1000 * kMebi), 800U);
  EXPECT_EQ(memory_high_of(1), 1U);
}

TEST_F(MemoryTest, HereItIsKnown) { EXPECT_GT(memory_high_of(usable_memory()), 16U); }

}  // namespace
}  // namespace weirpool::config
