#include "config/cgroups.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace weirpool::config {
namespace {

std::vector<std::string> groups_of(const std::string& own, std::string_view controller) {
  const std::filesystem::path root =
      std::filesystem::temp_directory_path() / ("weirpool_cgroups_" + std::to_string(::getpid()));
  std::filesystem::create_directories(root / "proc/self");
  std::ofstream(root / "proc/self/cgroup") << own;
  std::vector<std::string> found;
  visit_cgroups(root, controller, [&](const std::string& folder) {
    found.push_back(folder.substr(root.string().size()));
  });
  std::filesystem::remove_all(root);
  return found;
}

TEST(Cgroups, OneHierarchyIsClimbedFromTheOwnGroupToTheRoot) {
  const std::vector<std::string> all{"/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"};
  EXPECT_EQ(groups_of("0::/a/b\n", "cpu"), all);
}

TEST(Cgroups, OfTheOldHierarchiesOnlyTheControllersOwnCounts) {
  const std::string own = "5:memory,pids:/m\n4:cpu,cpuacct:/c\n1:cpuset:/s\nnonsense\n";
  EXPECT_EQ(groups_of(own, "memory"),
            (std::vector<std::string>{"/sys/fs/cgroup/memory/m", "/sys/fs/cgroup/memory"}));
  EXPECT_EQ(groups_of(own, "cpu"),
            (std::vector<std::string>{"/sys/fs/cgroup/cpu/c", "/sys/fs/cgroup/cpu"}));
}

TEST(Cgroups, TheRootIsLookedAtOnce) {
  EXPECT_EQ(groups_of("0::/\n", "cpu"), std::vector<std::string>{"/sys/fs/cgroup"});
}

}  // namespace
}  // namespace weirpool::config
