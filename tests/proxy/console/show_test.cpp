#include "proxy/console/show.hpp"

#include <gtest/gtest.h>

#include "tests/proxy/console/report_fixture.hpp"

namespace weirpool::console {
namespace {

/// Name and PgBouncer's letter of each type, as its own source spells result sets.
std::string shape(std::string_view name) {
  const Show* show = find_show(name);
  if (show == nullptr) return "no such table";
  std::string text;
  for (const Column& column : show->columns) {
    constexpr std::string_view kLetters = "siqN";
    text += (text.empty() ? "" : " ") + column.name;
    text += std::string(":") + kLetters[static_cast<std::size_t>(column.type)];
  }
  return text;
}

TEST(ShowTest, TheColumnsExportersReadByPosition) {
  EXPECT_EQ(shape("POOLS"),
            "database:s user:s cl_active:i cl_waiting:i cl_active_cancel_req:i "
            "cl_waiting_cancel_req:i sv_active:i sv_active_cancel:i sv_being_canceled:i sv_idle:i "
            "sv_used:i sv_tested:i sv_login:i maxwait:i maxwait_us:i pool_mode:s "
            "load_balance_hosts:s");
  EXPECT_EQ(shape("LISTS"), "list:s items:i");
  EXPECT_EQ(shape("VERSION"), "version:s");
  EXPECT_EQ(find_show("STATS")->columns.size(), 23U);
  EXPECT_EQ(find_show("STATS_TOTALS")->columns.size(), 12U);
  EXPECT_EQ(find_show("STATS_AVERAGES")->columns.size(), 12U);
  EXPECT_EQ(find_show("DATABASES")->columns.size(), 17U);
  EXPECT_EQ(find_show("CLIENTS")->columns.size(), 21U);
  EXPECT_EQ(find_show("SERVERS")->columns, find_show("CLIENTS")->columns);
  EXPECT_EQ(find_show("SOCKETS")->columns.size(), 28U);
  EXPECT_EQ(find_show("USERS")->columns.size(), 8U);
  EXPECT_EQ(find_show("STATS")->columns[1].type, Type::numeric);
  EXPECT_EQ(find_show("STATS")->columns[0].type, Type::text);
}

TEST(ShowTest, EveryTableFillsItsColumns) {
  Report report = sample_report();
  report.clients.emplace_back();
  report.clients.back().pin = "listen";
  report.clients.back().state = "active";
  report.backends.emplace_back();
  report.statements.push_back({"postgresql", "weirpool_1", "select 1", 2});
  report.sizes.push_back({"client", 100, 2});
  report.paused_databases.insert("held");
  for (const Show& show : shows()) {
    for (const auto& row : show.rows(report)) {
      EXPECT_EQ(row.size(), show.columns.size()) << show.name;
    }
  }
}

TEST(ShowTest, CellsAndTimes) {
  const Report report = sample_report();
  EXPECT_EQ(number(std::uint64_t{1} << 40U), "1099511627776");
  EXPECT_EQ(small(std::uint64_t{1} << 40U), "2147483647");
  EXPECT_EQ(time_text(report, report.now - std::chrono::seconds(61)), "1970-01-01 23:58:59 UTC");
  EXPECT_EQ(time_text(report, {}), "");
  EXPECT_EQ(columns("a:s  b:N").size(), 2U);
}

}  // namespace
}  // namespace weirpool::console
