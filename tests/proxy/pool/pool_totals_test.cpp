#include "proxy/pool/pool_totals.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy {
namespace {

TEST(PoolTotals, OneShardAloneHasWhatItHas) {
  PartOfPool only(std::make_shared<PoolTotals>());
  only.note(5, 100);
  EXPECT_EQ(only.backends_elsewhere(), 0U);
  EXPECT_EQ(only.serving(4), 4U);
}

TEST(PoolTotals, LinesShareAllBackendsByTheirLength) {
  const auto all = std::make_shared<PoolTotals>();
  PartOfPool poor(all);
  PartOfPool rich(all);
  poor.note(0, 299);
  rich.note(20, 100);
  EXPECT_EQ(poor.serving(0), 15U) << "although it has none at the moment";
  EXPECT_EQ(rich.serving(20), 5U);
  rich.note(20, 0);
  EXPECT_EQ(poor.serving(0), 20U) << "what others do not need comes over";
  EXPECT_EQ(rich.serving(20), 1U) << "a newcomer there stands behind all of them";
}

TEST(PoolTotals, WhoGoesTakesItsPartAlong) {
  const auto all = std::make_shared<PoolTotals>();
  PartOfPool stays(all);
  {
    PartOfPool goes(all);
    goes.note(3, 7);
    EXPECT_EQ(stays.backends_elsewhere(), 3U);
    goes.note(1, 2);
    EXPECT_EQ(stays.backends_elsewhere(), 1U);
  }
  EXPECT_EQ(stays.backends_elsewhere(), 0U);
  EXPECT_EQ(all->waiting.load(), 0U);
}

}  // namespace
}  // namespace weirpool::proxy
