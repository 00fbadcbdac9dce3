// How much memory this process may really use: `limits.memory_high: auto`.
#pragma once

#include <cstdint>
#include <string>

namespace weirpool::config {

/// In bytes: the smaller of the machine's memory and every cgroup's bound on it, from this
/// process's group up to the root (v2's memory.max and memory.high, v1's limit); 0: not known.
/// `root` stands before /proc and /sys, for tests.
std::uint64_t usable_memory(const std::string& root = "");

/// The MiB of `usable` bytes from which on weirpool protects itself; 0 for 0.
std::uint32_t memory_high_of(std::uint64_t usable);

}  // namespace weirpool::config
