#include "protocol/fault.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "protocol/fault_table.hpp"

namespace weirpool::protocol {
namespace {

TEST(Fault, EveryFaultFindsItsOwnRow) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Fault::count_); ++i) {
    EXPECT_EQ(row_of(static_cast<Fault>(i)).fault, static_cast<Fault>(i));
  }
}

TEST(Fault, LabelsAreUniqueAndFitForMetrics) {
  std::set<std::string_view> labels;
  for (const FaultRow& row : fault_table) {
    EXPECT_TRUE(labels.insert(row.label).second) << row.label;
    EXPECT_EQ(row.label.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), row.label.npos);
  }
}

TEST(Fault, EverythingSaidHasCodesOfBothProtocols) {
  for (const FaultRow& row : fault_table) {
    if (row.fault == Fault::none) continue;
    EXPECT_EQ(row.sqlstate.size(), 5U) << row.label;
    EXPECT_EQ(row.mysql_sqlstate.size(), 5U) << row.label;
    EXPECT_NE(row.mysql_errno, 0) << row.label;
    EXPECT_FALSE(row.message.empty()) << row.label;
    EXPECT_FALSE(row.message.ends_with('.')) << row.label;
  }
}

TEST(Fault, OnlyWaitingAndALostTransactionCanFailWithoutEndingTheSession) {
  const std::set<Fault> keeping{
      Fault::pool_timeout,       Fault::pool_queue_full,     Fault::pool_overloaded,
      Fault::source_quota,       Fault::own_deadline,        Fault::cancelled,
      Fault::backend_down,       Fault::transaction_lost,    Fault::transaction_failed,
      Fault::line_out_of_memory, Fault::refused_as_conflict, Fault::refused_as_lock_wait};
  for (const FaultRow& row : fault_table) {
    const bool kept = keeping.contains(row.fault);
    EXPECT_EQ(row.severity == Severity::error, kept) << row.label;
  }
}

}  // namespace
}  // namespace weirpool::protocol
