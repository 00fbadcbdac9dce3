// The control groups this process is in, whatever their version, as its own files describe them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace weirpool::config {

/// The first line of a file; empty if there is none.
std::string first_line(const std::string& path);

/// Calls `visit` with the folder of every group that bounds `controller` (cpu, memory) for this
/// process, from its own up to the root: v2's hierarchy, and v1's of that controller. A container
/// sees its own group at the mount's root whatever its /proc/self/cgroup says, so the root is
/// always among them. Folders need not exist. `root` stands before /proc and /sys, for tests.
void visit_cgroups(const std::string& root, std::string_view controller,
                   const std::function<void(const std::string& folder)>& visit);

}  // namespace weirpool::config
