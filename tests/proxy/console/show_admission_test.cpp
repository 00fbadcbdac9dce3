#include <gtest/gtest.h>

#include "tests/proxy/console/report_fixture.hpp"

namespace weirpool::console {
namespace {

TEST(ShowAdmissionTest, OneRowForEachClassThatHasAskedForAnything) {
  Report report = sample_report();
  EXPECT_TRUE(admission(report).empty());
  metrics::PoolNumbers& pool = report.numbers.pools[{"shop", "app", "ann"}];
  pool.classes[0] = {5, 5, {}};
  pool.classes[2] = {100, 90, {4, 3, 2, 1, 0, 0, 6}};
  pool.overloaded = 2;
  pool.overloads = 7;
  pool.sources = {1, 2, 3};
  const Rows rows = admission(report);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(line(rows[0]), "shop|app|ann|critical|5|5|0|0|0|0|0|0|0|0|2|1|7|3");
  EXPECT_EQ(line(rows[1]), "shop|app|ann|normal|100|90|16|4|3|2|1|0|0|6|2|1|7|3");
  EXPECT_EQ(rows[0].size(), find_show("ADMISSION")->columns.size());
}

}  // namespace
}  // namespace weirpool::console
