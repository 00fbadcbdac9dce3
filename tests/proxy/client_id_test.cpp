#include "proxy/client_id.hpp"

#include <gtest/gtest.h>

#include <set>

namespace weirpool::proxy {
namespace {

TEST(ClientIds, TellTheInstanceAndTheWorker) {
  ClientIds ids(7, 2, 3);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::uint32_t id = ids.next();
    EXPECT_TRUE(seen.insert(id).second);
    EXPECT_EQ(ClientIds::instance_of(id), 7U);
    EXPECT_EQ(ClientIds::worker_of(id, 3), 2U);
    EXPECT_GE(id, ClientIds::kFirst);
  }
}

TEST(ClientIds, RepeatWithoutEverLeavingTheirOwn) {
  ClientIds ids(255, 255, 256);
  std::uint32_t id = 0;
  for (int i = 0; i < 200'000; ++i) {
    id = ids.next();
    ASSERT_GE(id, 1U << 30) << "no server counts its connections that far";
    ASSERT_LT(id, 1U << 31) << "some libraries read it signed";
    ASSERT_EQ(ClientIds::instance_of(id), 255U);
    ASSERT_EQ(ClientIds::worker_of(id, 256), 255U);
  }
}

}  // namespace
}  // namespace weirpool::proxy
