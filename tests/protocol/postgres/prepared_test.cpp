#include "protocol/postgres/prepared.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::postgres {
namespace {

StatementRef named(StatementCatalog& catalog, std::string_view body) {
  return catalog.named(bytes_of(body), body, {}, Reading{});
}

TEST(Prepared, TextAndTypesMakeAStatement) {
  StatementCatalog catalog;
  const StatementRef a = named(catalog, std::string_view("select $1\0\0\0", 12));
  const StatementRef b = named(catalog, std::string_view("select $1\0\0\1\0\0\0\x17", 16));
  EXPECT_NE(a->backend_name, b->backend_name);
  EXPECT_EQ(a, named(catalog, std::string_view("select $1\0\0\0", 12)));
}

TEST(Prepared, TheSameTextMayMeanSomethingElse) {
  StatementCatalog catalog;
  const StatementRef a = named(catalog, "select 1");
  const StatementRef b = catalog.named(bytes_of("select 1"), "select 1", "m", Reading{});
  EXPECT_NE(a, b);
  EXPECT_EQ(b->body(), "select 1");
  EXPECT_EQ(b->meaning(), "m");
  EXPECT_EQ(catalog.renamed(*a, "m"), b);
  EXPECT_EQ(catalog.renamed(*b, ""), a);
}

TEST(Prepared, ACommentAtTheEndMakesNoOtherStatement) {
  StatementCatalog catalog;
  const auto of = [&catalog](const std::string& text) {
    const std::string body = text + std::string(3, '\0');
    return catalog.named(bytes_of(body), text, {}, Reading{});
  };
  const StatementRef plain = of("select 1");
  EXPECT_EQ(plain, of("select 1 /*traceparent='00-1'*/"));
  EXPECT_EQ(plain->body(), std::string("select 1\0\0\0", 11));
  for (const char* other :
       {"select 1/*+ hint */", "/* x */", "select '/* x */", "select '*/", "select 1 /* /* */ */",
        "select $$ /* x */", "select 1//* x */", "/*/", "-- x", "select '-- x", "select $a$ -- x",
        "select '--' -- x", "select 1 - -1", "select /* -- x", "select 1 -- x\n+ 1", ""}) {
    EXPECT_EQ(without_last_comment(other, Reading{}), other);
  }
  EXPECT_EQ(without_last_comment("select 1/**/; ", Reading{}), "select 1");
  for (const char* same : {"select 1 -- /* x */", "select 1--x", "select 1; -- x\n;\n",
                           "select 1 /* y */ -- x;", "select 1\n--x -- y"}) {
    EXPECT_EQ(without_last_comment(same, Reading{}), "select 1") << same;
  }
  EXPECT_EQ(without_last_comment("select '\\' --'\n", Reading{}), "select '\\'");
  EXPECT_EQ(without_last_comment("select '\\' /*'*/", Reading{}), "select '\\'");
  EXPECT_EQ(without_last_comment("select '\\' /*'*/", Reading{Strings::escapes}),
            "select '\\' /*'*/");
}

TEST(Prepared, ACommentOfTracingAtTheFrontLeavesOnlyItsPlace) {
  StatementCatalog catalog;
  const StatementRef first = named(catalog, "/*traceparent='00-1'*/ select 1");
  EXPECT_EQ(first, named(catalog, "/*traceparent='00-2'*/ select 1"));
  EXPECT_EQ(first->body(), std::string(22, ' ') + " select 1");
  EXPECT_NE(first, named(catalog, "/*traceparent='0-2'*/ select 1"));
  EXPECT_EQ(with_blank_front("-- a=1\n /* b */ /*c=2*/ x -- d=3"),
            "      \n /* b */         x -- d=3");
  for (const char* other :
       {"", "select 1", "/*NO LOAD BALANCE*/ select 1", "/* shard: 1 */ select 1",
        "/* a=1 */ /*+ Hint(t) */ select 1", "/*! a=1 */ select 1", "/* a=1 select",
        "select /* a=1 */ 1", "/* \xC3\xA4=1 */ select 1"}) {
    EXPECT_EQ(with_blank_front(other), std::nullopt) << other;
  }
}

TEST(Prepared, NamesAreNeverUsedAgain) {
  StatementCatalog catalog;
  const std::string first = named(catalog, "select 1")->backend_name;
  EXPECT_EQ(catalog.size(), 0U);
  EXPECT_NE(named(catalog, "select 1")->backend_name, first);
}

TEST(Prepared, ClientsCannotNameWeirpoolsStatements) {
  EXPECT_EQ(foreign_name("s1"), "s1");
  EXPECT_EQ(foreign_name("weirpool_1"), "weirpool_1_");
}

TEST(Prepared, TheLeastRecentlyUsedIsEvicted) {
  StatementCatalog catalog;
  BackendStatements backend(2);
  const StatementRef a = named(catalog, "a");
  const StatementRef b = named(catalog, "b");
  backend.add(a);
  EXPECT_FALSE(backend.evict_for_one_more());
  backend.add(b);
  EXPECT_TRUE(backend.has(*a));  // Used: b is the older one now.
  EXPECT_EQ(backend.evict_for_one_more()->statement, b);
  EXPECT_FALSE(backend.has(*b));
  backend.erase(*b);
  backend.add(a);
  EXPECT_EQ(backend.size(), 1U);
  backend.erase(*a);
  EXPECT_EQ(backend.size(), 0U);
  backend.add(b);
  backend.clear();
  EXPECT_FALSE(backend.has(*b));
}

TEST(Prepared, AnEarlierGenerationIsOfNoUse) {
  StatementCatalog catalog;
  BackendStatements backend(2);
  const StatementRef a = named(catalog, "a");
  EXPECT_FALSE(backend.outdated(*a));
  backend.add(a);
  EXPECT_TRUE(backend.has(*a));
  EXPECT_EQ(backend.find(a->number), a);
  a->columns.outdate();
  EXPECT_FALSE(backend.has(*a));
  EXPECT_TRUE(backend.outdated(*a));
  backend.add(a);
  EXPECT_TRUE(backend.has(*a));
  backend.add({a, 1});
  EXPECT_TRUE(backend.outdated(*a));
  EXPECT_EQ(backend.size(), 1U);
  EXPECT_EQ(backend.find(a->number + 1), nullptr);
}

TEST(Prepared, ALimitOfZeroIsOne) {
  StatementCatalog catalog;
  BackendStatements backend(0);
  EXPECT_FALSE(backend.evict_for_one_more());
}

TEST(Columns, WhoKnowsThoseOfTheSameTextKnowsTheseUnlessTheyDiffer) {
  Columns columns;
  const std::uint32_t believed = columns.generation();
  EXPECT_EQ(columns.for_who_knows(7), believed);
  EXPECT_EQ(columns.for_who_knows(7), believed);
  EXPECT_EQ(columns.for_who_knows(9), Columns::kOthers);
  const std::uint32_t found = columns.are(9);
  EXPECT_NE(found, believed);
  EXPECT_EQ(columns.for_who_knows(7), Columns::kOthers);
  EXPECT_EQ(columns.for_who_knows(9), found);
}

TEST(Columns, AnotherAnswerIsAnotherGeneration) {
  Columns columns;
  EXPECT_EQ(columns.digest(), 0U);
  const std::uint32_t first = columns.generation();
  EXPECT_EQ(columns.are(7), first);
  EXPECT_EQ(columns.are(7), first);
  EXPECT_EQ(columns.digest(), 7U);
  EXPECT_EQ(columns.are(9), first + 1);
  columns.outdate();
  EXPECT_EQ(columns.generation(), first + 2);
  EXPECT_EQ(columns.digest(), 0U);
  EXPECT_EQ(columns.are(7), first + 2);
}

}  // namespace
}  // namespace weirpool::protocol::postgres
