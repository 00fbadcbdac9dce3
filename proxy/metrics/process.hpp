// What the kernel says about this process.
#pragma once

#include <cstdint>

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

}  // namespace weirpool::metrics
