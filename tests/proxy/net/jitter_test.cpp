#include "proxy/net/jitter.hpp"

#include <gtest/gtest.h>

#include <set>

namespace weirpool::proxy {
namespace {

TEST(JitterTest, StaysBetweenFourFifthsAndAllOfIt) {
  for (int i = 0; i < 10000; ++i) {
    const config::Duration drawn = jittered(config::Duration(1000));
    ASSERT_GE(drawn.count(), 800);
    ASSERT_LE(drawn.count(), 1000);
  }
}

TEST(JitterTest, SpreadsOverTheWholeRange) {
  std::set<config::Duration::rep> drawn;
  for (int i = 0; i < 10000; ++i) drawn.insert(jittered(config::Duration(1000)).count());
  EXPECT_GT(drawn.size(), 150U);
  EXPECT_LT(*drawn.begin(), 810);
  EXPECT_GT(*drawn.rbegin(), 990);
}

TEST(JitterTest, LeavesWhatIsTooShortToSpread) {
  EXPECT_EQ(jittered(config::Duration(0)).count(), 0);
  EXPECT_EQ(jittered(config::Duration(1)).count(), 1);
}

}  // namespace
}  // namespace weirpool::proxy
