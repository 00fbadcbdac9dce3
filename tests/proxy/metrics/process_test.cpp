#include "proxy/metrics/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

namespace weirpool::metrics {
namespace {

TEST(Process, TellsTheTruth) {
  const ProcessNumbers before = read_process();
  const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const ProcessNumbers after = read_process();
  ::close(descriptor);
  EXPECT_EQ(after.open_fds, before.open_fds + 1);
  EXPECT_GT(after.resident_bytes, 100'000);
  EXPECT_GE(after.max_fds, after.open_fds);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_LE(after.start_time, now + 2);
  EXPECT_GT(after.start_time, now - 86'400);
  EXPECT_GE(after.cpu_seconds, 0);
}

TEST(Process, TheQuickLookAtMemorySaysTheSame) {
  const auto resident = static_cast<double>(resident_bytes());
  const double other = read_process().resident_bytes;
  EXPECT_GT(resident, other / 2);
  EXPECT_LT(resident, other * 2);
}

TEST(Process, NoMoreIsResidentThanIsMapped) {
  EXPECT_EQ(resident_pages("765 443 415 5 0 123 0\n"), 443U);
  EXPECT_EQ(resident_pages("765 18446744073709551615 415 5 0 123 0\n"), 765U);
  for (const char* none : {"", "765", "x 443", " "}) EXPECT_EQ(resident_pages(none), 0U) << none;
}

}  // namespace
}  // namespace weirpool::metrics
