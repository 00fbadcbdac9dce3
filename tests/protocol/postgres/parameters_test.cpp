#include "protocol/postgres/parameters.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::postgres {
namespace {

BackendParameters fresh() {
  BackendParameters backend;
  backend.report("DateStyle", "ISO, MDY");
  backend.report("TimeZone", "UTC");
  backend.report("server_version", "15.4");
  backend.login_finished();
  return backend;
}

TEST(Parameters, EqualProfilesAreOne) {
  ProfileCatalog catalog;
  const ProfileRef a = catalog.of({{"TimeZone", "UTC"}, {"a", "1"}, {"a", "2"}});
  EXPECT_EQ(a, catalog.of({{"A", "2"}, {"timezone", "UTC"}}));
  EXPECT_EQ(*a->find("a"), "2");
  EXPECT_EQ(a->find("b"), nullptr);
  EXPECT_EQ(catalog.with(catalog.of({{"a", "2"}}), "TimeZone", "UTC"), a);
  EXPECT_NE(a, catalog.of({{"a", "2"}}));
  EXPECT_EQ(catalog.without(a, "timezone"), catalog.of({{"a", "2"}}));
}

TEST(Parameters, ValuesCannotBeMistakenForNames) {
  ProfileCatalog catalog;
  EXPECT_NE(catalog.of({{"a", "b"}, {"c", "d"}}), catalog.of({{"a", ""}, {"b", "c"}}));
}

TEST(Parameters, WhatAPlanWasMadeUnderIsPartOfItsMeaning) {
  ProfileCatalog catalog;
  const std::string none = catalog.of({})->meaning();
  for (const char* name :
       {"enable_seqscan", "plan_cache_mode", "random_page_cost", "work_mem", "jit", "search_path",
        "datestyle", "extra_float_digits", "bytea_output", "role", "row_security"}) {
    EXPECT_NE(catalog.of({{name, "1"}})->meaning(), none) << name;
  }
  for (const char* name : {"application_name", "statement_timeout", "lock_timeout"}) {
    EXPECT_EQ(catalog.of({{name, "1"}})->meaning(), none) << name;
  }
}

TEST(Parameters, BytesBeyondAsciiAreTheDatabasesEncoding) {
  ProfileCatalog catalog;
  EXPECT_EQ(fresh().difference(*catalog.of({{"my.tenant", "s\xC3\xBC'"}})).text,
            "SELECT pg_catalog.set_config(E'my.tenant',pg_catalog.convert_from("
            "E'\\\\x73c3bc27'::pg_catalog.bytea,pg_catalog.getdatabaseencoding()),false)");
}

TEST(Parameters, DifferencesAreQuoted) {
  ProfileCatalog catalog;
  const BackendParameters backend = fresh();
  const Change change = backend.difference(*catalog.of({{"TimeZone", "x'; drop table t; --\\"}}));
  EXPECT_EQ(change.text,
            "SELECT pg_catalog.set_config(E'TimeZone',E'x''; drop table t; --\\\\',false)");
  EXPECT_EQ(change.names, std::vector<std::string>{"TimeZone"});
  EXPECT_TRUE(backend.difference(*catalog.of({})).empty());
  EXPECT_TRUE(backend.difference(*catalog.of({{"datestyle", "ISO, MDY"}})).empty());
}

TEST(Parameters, WhatIsNotReportedIsRemembered) {
  ProfileCatalog catalog;
  BackendParameters backend = fresh();
  const ProfileRef wanted = catalog.of({{"my.setting", "1"}});
  EXPECT_FALSE(backend.difference(*wanted).empty());
  backend.became(wanted, wanted);
  EXPECT_TRUE(backend.matches(wanted));
  EXPECT_TRUE(backend.difference(*wanted).empty());
  EXPECT_EQ(backend.difference(*catalog.of({})).text, "RESET \"my\".\"setting\";");
  backend.discarded();
  EXPECT_FALSE(backend.matches(wanted));
  EXPECT_TRUE(backend.difference(*catalog.of({})).empty());
}

TEST(Parameters, WhatAClientChangedItselfIsLearned) {
  ProfileCatalog catalog;
  BackendParameters backend = fresh();
  backend.learned("b", "1");
  backend.learned("a", "1");
  backend.learned("b", "2");
  EXPECT_TRUE(backend.difference(*catalog.of({{"a", "1"}, {"b", "2"}})).empty());
  backend.learned("b", std::nullopt);
  backend.learned("c", std::nullopt);
  EXPECT_EQ(backend.difference(*catalog.of({})).text, "RESET \"a\";");
}

TEST(Parameters, TheSameWordsCostNothingTheSecondTime) {
  ProfileCatalog catalog;
  BackendParameters backend = fresh();
  const ProfileRef asked = catalog.of({{"work_mem", "4096"}});
  const ProfileRef spelled = catalog.of({{"work_mem", "4MB"}});
  backend.became(spelled, asked);
  EXPECT_TRUE(backend.matches(asked));
  EXPECT_TRUE(backend.matches(spelled));
  EXPECT_EQ(backend.profile(), spelled);
  backend.report("TimeZone", "Asia/Tokyo");
  EXPECT_FALSE(backend.matches(asked));
}

TEST(Parameters, WhoItIsIsSetLastAndResetFirst) {
  ProfileCatalog catalog;
  BackendParameters backend = fresh();
  const ProfileRef wanted =
      catalog.of({{"role", "r"}, {"session_authorization", "s"}, {"zero", "0"}});
  const std::string back = "RESET \"role\";RESET \"session_authorization\";";
  EXPECT_EQ(backend.difference(*wanted).text,
            back +
                "SELECT pg_catalog.set_config(E'zero',E'0',false),"
                "pg_catalog.set_config(E'session_authorization',E's',false),"
                "pg_catalog.set_config(E'role',E'r',false)");
  backend.became(wanted, wanted);
  EXPECT_TRUE(backend.difference(*wanted).empty());
  EXPECT_EQ(backend.difference(*catalog.of({})).text, back + "RESET \"zero\";");
  EXPECT_EQ(backend.difference(*catalog.of({{"role", "r"}, {"zero", "0"}})).text,
            back + "SELECT pg_catalog.set_config(E'role',E'r',false)");
}

TEST(Parameters, OnlyWhatMattersToTextsIsTheirMeaning) {
  ProfileCatalog catalog;
  const std::string none = catalog.of({})->meaning();
  EXPECT_EQ(catalog.of({{"application_name", "x"}, {"my.var", "1"}})->meaning(), none);
  EXPECT_NE(catalog.of({{"search_path", "x"}})->meaning(), none);
  EXPECT_NE(catalog.of({{"role", "x"}})->meaning(), none);
  EXPECT_NE(catalog.of({{"timezone", "UTC"}})->meaning(), none);
  EXPECT_NE(catalog.of({{"whatever_comes_next", "1"}})->meaning(), none);
}

TEST(Parameters, ProfilesAreBounded) {
  ProfileCatalog catalog;
  EXPECT_TRUE(catalog.of({{"a", "b"}})->bounded());
  EXPECT_FALSE(catalog.of({{"a", std::string(kMaxParameterBytes, 'x')}})->bounded());
}

TEST(Parameters, ReportsTellWhetherSomethingChanged) {
  ProfileCatalog catalog;
  BackendParameters backend = fresh();
  backend.became(catalog.of({}), catalog.of({}));
  EXPECT_EQ(backend.report("TimeZone", "UTC"), nullptr);
  const Reported* changed = backend.report("TimeZone", "Asia/Tokyo");
  ASSERT_NE(changed, nullptr);
  EXPECT_EQ(changed->initial, "UTC");
  EXPECT_EQ(backend.difference(*catalog.of({})).text, "RESET \"TimeZone\";");
}

TEST(Parameters, HowTextsAreReadIsReported) {
  BackendParameters backend = fresh();
  EXPECT_EQ(backend.reading().strings, Strings::standard);
  backend.report("standard_conforming_strings", "off");
  EXPECT_EQ(backend.reading().strings, Strings::escapes);
  EXPECT_EQ(backend.reading().encoding, Encoding::ascii_safe);
  backend.report("client_encoding", "GBK");
  EXPECT_EQ(backend.reading().encoding, Encoding::double_byte);
  backend.report("client_encoding", "UTF8");
  EXPECT_EQ(backend.reading().encoding, Encoding::ascii_safe);
}

TEST(Parameters, WhatDescribesTheBackendStaysThere) {
  BackendParameters backend = fresh();
  ProfileCatalog catalog;
  backend.report("server_version", "16.0");
  EXPECT_TRUE(backend.difference(*catalog.of({})).empty());
  EXPECT_FALSE(follows_client("in_hot_standby"));
  EXPECT_FALSE(follows_client("session_authorization"));
  EXPECT_TRUE(follows_client("search_path"));
  EXPECT_TRUE(tells_identity("is_superuser"));
}

TEST(Parameters, TheirNumberIsBounded) {
  BackendParameters backend;
  for (std::size_t i = 0; i < kMaxParameters + 5; ++i) {
    backend.report("p" + std::to_string(i), "x");
  }
  EXPECT_EQ(backend.reported().size(), kMaxParameters);
}

TEST(Parameters, DurationsCarryTheServersUnits) {
  EXPECT_EQ(milliseconds_of("5000"), 5000U);
  EXPECT_EQ(milliseconds_of("250ms"), 250U);
  EXPECT_EQ(milliseconds_of("1.5s"), 1500U);
  EXPECT_EQ(milliseconds_of("2 min"), 120'000U);
  EXPECT_EQ(milliseconds_of("1h"), 3'600'000U);
  EXPECT_EQ(milliseconds_of("0"), 0U);
  EXPECT_EQ(milliseconds_of("-1"), 0U);
  EXPECT_EQ(milliseconds_of("soon"), 0U);
  EXPECT_EQ(milliseconds_of("5 fortnights"), 0U);
  EXPECT_EQ(milliseconds_of("99999d"), 4'294'967'295U);
}

TEST(Parameters, MeaningsMayDifferInTheSearchPathOnly) {
  const auto meaning = [](std::vector<NamedValue> entries) {
    return Profile(std::move(entries)).meaning();
  };
  const std::string bare = meaning({{"datestyle", "ISO"}, {"timezone", "UTC"}});
  const std::string path =
      meaning({{"datestyle", "ISO"}, {"search_path", "x"}, {"timezone", "UTC"}});
  EXPECT_TRUE(same_but_for_search_path(bare, path));
  EXPECT_TRUE(same_but_for_search_path(meaning({{"search_path", "y"}}), ""));
  EXPECT_FALSE(same_but_for_search_path(bare, meaning({{"datestyle", "ISO"}})));
  EXPECT_FALSE(same_but_for_search_path(
      path, meaning({{"datestyle", "SQL"}, {"search_path", "x"}, {"timezone", "UTC"}})));
  EXPECT_FALSE(same_but_for_search_path("\1x", ""));
  EXPECT_FALSE(same_but_for_search_path("\1x", "\1y"));
}

}  // namespace
}  // namespace weirpool::protocol::postgres
