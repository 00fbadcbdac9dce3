#include "config/problems.hpp"

#include <gtest/gtest.h>

#include "config/limits.hpp"

namespace weirpool::config {
namespace {

TEST(Problems, ComeInTheOrderOfTheFile) {
  Problems problems("f");
  problems.warning({9, 1}, "b", "later");
  EXPECT_FALSE(problems.has_errors());
  problems.error({2, 5}, "a", "earlier");
  EXPECT_TRUE(problems.has_errors());
  const std::vector<Problem> list = problems.take();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].path, "a");
  EXPECT_EQ(list[1].gravity, Gravity::warning);
}

TEST(Problems, AreCappedWithACount) {
  Problems problems("f");
  for (int i = 0; i < 60; ++i) problems.error({i, 1}, "", "x");
  const std::vector<Problem> list = problems.take();
  ASSERT_EQ(list.size(), kMaxProblems + 1);
  EXPECT_EQ(list.back().message, "and 10 more like these");
}

}  // namespace
}  // namespace weirpool::config
