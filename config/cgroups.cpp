#include "config/cgroups.hpp"

#include <algorithm>
#include <fstream>

namespace weirpool::config {
namespace {

void climb(const std::string& mount, std::string group,
           const std::function<void(const std::string& folder)>& visit) {
  for (;;) {
    visit(mount + group);
    if (group.empty()) return;
    group.resize(std::min(group.rfind('/'), group.size()));
  }
}

}  // namespace

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

void visit_cgroups(const std::string& root, std::string_view controller,
                   const std::function<void(const std::string& folder)>& visit) {
  const std::string wanted = "," + std::string(controller) + ",";
  std::ifstream groups(root + "/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {  // hierarchy:controllers:/group
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (group == "/") group.clear();
    const std::string mount = root + "/sys/fs/cgroup";
    if (controllers.empty()) climb(mount, group, visit);
    const bool meant = ("," + controllers + ",").find(wanted) != std::string::npos;
    if (meant) climb(mount + "/" + std::string(controller), group, visit);
  }
}

}  // namespace weirpool::config
