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
}

TEST(Parameters, ValuesCannotBeMistakenForNames) {
  ProfileCatalog catalog;
  EXPECT_NE(catalog.of({{"a", "b"}, {"c", "d"}}), catalog.of({{"a", ""}, {"b", "c"}}));
}

TEST(Parameters, DifferencesAreQuoted) {
  ProfileCatalog catalog;
  const BackendParameters backend = fresh();
  const ProfileRef wanted = catalog.of({{"TimeZone", "x'; drop table t; --\\"}});
  EXPECT_EQ(backend.difference(*wanted),
            "SELECT pg_catalog.set_config(E'TimeZone',E'x''; drop table t; --\\\\',false)");
  EXPECT_EQ(backend.difference(*catalog.of({})), "");
  EXPECT_EQ(backend.difference(*catalog.of({{"datestyle", "ISO, MDY"}})), "");
}

TEST(Parameters, WhatIsNotReportedIsRemembered) {
  ProfileCatalog catalog;
  BackendParameters backend = fresh();
  const ProfileRef wanted = catalog.of({{"my.setting", "1"}});
  EXPECT_NE(backend.difference(*wanted), "");
  backend.became(wanted);
  EXPECT_TRUE(backend.matches(wanted));
  EXPECT_EQ(backend.difference(*wanted), "");
  EXPECT_EQ(backend.difference(*catalog.of({})), "RESET \"my\".\"setting\";");
  backend.forget_applied();
  EXPECT_FALSE(backend.matches(wanted));
  EXPECT_NE(backend.difference(*wanted), "");
  backend.discarded();
  EXPECT_EQ(backend.difference(*catalog.of({})), "");
}

TEST(Parameters, ReportsTellWhetherSomethingChanged) {
  ProfileCatalog catalog;
  BackendParameters backend = fresh();
  backend.became(catalog.of({}));
  EXPECT_EQ(backend.report("TimeZone", "UTC"), nullptr);
  const Reported* changed = backend.report("TimeZone", "Asia/Tokyo");
  ASSERT_NE(changed, nullptr);
  EXPECT_EQ(changed->initial, "UTC");
  EXPECT_EQ(backend.difference(*catalog.of({})), "RESET \"TimeZone\";");
}

TEST(Parameters, WhatDescribesTheBackendStaysThere) {
  BackendParameters backend = fresh();
  ProfileCatalog catalog;
  backend.report("server_version", "16.0");
  EXPECT_EQ(backend.difference(*catalog.of({})), "");
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

}  // namespace
}  // namespace weirpool::protocol::postgres
