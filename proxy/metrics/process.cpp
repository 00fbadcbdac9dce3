#include "proxy/metrics/process.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

namespace weirpool::metrics {

namespace {

/// The fields of /proc/self/stat after the command's name, which may hold spaces: state is [0].
std::istringstream stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t end = text.rfind(')');
  return std::istringstream(end == std::string::npos ? "" : text.substr(end + 1));
}

double boot_time() {
  std::ifstream file("/proc/stat");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

double count_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  double count = 0;
  for (const std::filesystem::directory_iterator end; !error && entry != end;
       entry.increment(error)) {
    ++count;
  }
  // The directory being read is one of them.
  return count > 0 ? count - 1 : 0;
}

}  // namespace

ProcessNumbers read_process() {
  ProcessNumbers numbers;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::istringstream fields = stat_fields();
  std::string skipped;
  double user = 0;
  double system = 0;
  double start = 0;
  double pages = 0;
  for (int i = 0; i < 11; ++i) fields >> skipped;  // state .. cmajflt
  fields >> user >> system;
  for (int i = 0; i < 6; ++i) fields >> skipped;  // cutime .. itrealvalue
  fields >> start >> skipped >> pages;            // starttime, vsize, rss
  if (fields) {
    numbers.cpu_seconds = (user + system) / ticks;
    numbers.start_time = boot_time() + start / ticks;
    numbers.resident_bytes = pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }
  numbers.open_fds = count_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    numbers.max_fds = static_cast<double>(limit.rlim_cur);
  }
  return numbers;
}

std::uint64_t resident_bytes() {
  std::array<char, 128> text{};
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t count = file < 0 ? -1 : ::read(file, text.data(), text.size());
  if (file >= 0) ::close(file);
  if (count <= 0) return 0;
  const std::string_view statm(text.data(), static_cast<std::size_t>(count));
  return resident_pages(statm) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t resident_pages(std::string_view statm) {
  // size resident shared ..., in pages
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  const char* const end = statm.data() + statm.size();
  const auto first = std::from_chars(statm.data(), end, size);
  if (first.ec != std::errc() || first.ptr == end) return 0;
  std::from_chars(first.ptr + 1, end, resident);
  return std::min(size, resident);
}

}  // namespace weirpool::metrics
