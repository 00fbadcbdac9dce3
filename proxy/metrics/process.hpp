// What the kernel says about this process.
#pragma once

#include <cstdint>
#include <string_view>

namespace weirpool::metrics {

struct ProcessNumbers {
  double resident_bytes = 0;
  double cpu_seconds = 0;
  double start_time = 0;  ///< Unix seconds
  double open_fds = 0;
  double max_fds = 0;
};

/// Reads /proc and the limits; what cannot be read stays 0. Any thread.
ProcessNumbers read_process();

/// Resident memory alone, without an allocation: one small file; 0 if it cannot be read. Any
/// thread.
std::uint64_t resident_bytes();

/// The resident pages that a line of /proc/self/statm tells; 0 if it is none. Never more than are
/// mapped: the kernel adds up counters of processors that go on meanwhile, and its sum can be off.
std::uint64_t resident_pages(std::string_view statm);

}  // namespace weirpool::metrics
