#include "protocol/postgres/sql_statements.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/wire_text.hpp"

namespace weirpool::test::pg {
namespace {

using protocol::postgres::difference;
using protocol::postgres::SqlErrand;
using protocol::postgres::SqlStatement;
using protocol::postgres::SqlStatementsCatalog;

using Errands = std::vector<std::pair<bool, std::string>>;

const SqlStatement kP{"p", "prepare p as select 1"};
const SqlStatement kOtherP{"p", "prepare p as select 2"};
const SqlStatement kQ{"q", "prepare q as select 1"};

Errands brief(const std::vector<SqlErrand>& errands) {
  Errands out;
  for (const SqlErrand& errand : errands) out.emplace_back(errand.prepares, errand.statement.name);
  return out;
}

std::string said(const SqlErrand& errand) {
  protocol::Writer out;
  errand.serialize(out);
  return std::string(protocol::text_of(out.view()));
}

TEST(SqlStatements, EqualSetsAreTheSame) {
  SqlStatementsCatalog catalog;
  const auto one = catalog.of("", {kP, kQ});
  EXPECT_EQ(one, catalog.of("", {kQ, kP}));
  EXPECT_NE(one, catalog.of("", {kOtherP, kQ}));
  EXPECT_NE(one, catalog.of("x", {kP, kQ}));
  EXPECT_EQ(catalog.of("x", {}), nullptr);
  EXPECT_NE(catalog.of("ab", {{"c", "d"}}), catalog.of("a", {{"bc", "d"}}));
  EXPECT_NE(catalog.of("", {{"a", "b"}, {"c", "d"}}),
            catalog.of("", {{"a", std::string("b\0c", 3)}, {"d", ""}}));
}

TEST(SqlStatements, AreFoundByName) {
  SqlStatementsCatalog catalog;
  const auto set = catalog.of("m", {kQ, kP});
  EXPECT_EQ(set->find("p")->text, kP.text);
  EXPECT_EQ(set->find("P"), nullptr);
  EXPECT_TRUE(set->has(kP));
  EXPECT_FALSE(set->has(kOtherP));
  EXPECT_EQ(catalog.without(set, "p"), catalog.of("m", {kQ}));
  EXPECT_EQ(catalog.without(set, "x"), set);
  EXPECT_EQ(catalog.without(catalog.without(set, "p"), "q"), nullptr);
  EXPECT_EQ(catalog.without(nullptr, "p"), nullptr);
}

TEST(SqlStatements, AnotherMeaningMakesAnotherSet) {
  SqlStatementsCatalog catalog;
  const auto set = catalog.of("m", {kP});
  EXPECT_EQ(catalog.with_meaning(set, "m"), set);
  EXPECT_EQ(catalog.with_meaning(set, "n"), catalog.of("n", {kP}));
  EXPECT_EQ(catalog.with_meaning(nullptr, "n"), nullptr);
}

TEST(SqlStatements, TheDifferenceIsWhatHasToGoAndWhatIsMissing) {
  SqlStatementsCatalog catalog;
  const auto set = catalog.of("m", {kP, kQ});
  EXPECT_EQ(brief(difference(set, set)), Errands{});
  EXPECT_EQ(brief(difference(nullptr, nullptr)), Errands{});
  EXPECT_EQ(brief(difference(nullptr, set)), (Errands{{true, "p"}, {true, "q"}}));
  EXPECT_EQ(brief(difference(set, nullptr)), (Errands{{false, "p"}, {false, "q"}}));
  EXPECT_EQ(brief(difference(set, catalog.of("m", {kOtherP, kQ}))),
            (Errands{{false, "p"}, {true, "p"}}));
  // Read under other parameters, the same text is another statement.
  EXPECT_EQ(brief(difference(catalog.of("n", {kP}), catalog.of("m", {kP}))),
            (Errands{{false, "p"}, {true, "p"}}));
}

TEST(SqlStatements, ErrandsAreBatchesOfTheirOwn) {
  const std::string rest =
      message('B', std::string(8, '\0')) + message('E', z("") + be32(0)) + message('S');
  EXPECT_EQ(said({true, kP}), parse("", kP.text) + rest);
  EXPECT_EQ(said({false, {"we\"ird", "x"}}), parse("", "DEALLOCATE \"we\"\"ird\"") + rest);
}

}  // namespace
}  // namespace weirpool::test::pg
