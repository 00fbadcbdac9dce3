#include "config/validate_auth.hpp"

#include <gtest/gtest.h>

#include "tests/config/config_fixture.hpp"

namespace weirpool::config {
namespace {

std::string with(const std::string& more) { return complaint(kSmall + more); }

std::string in_backend(const std::string& line) {
  std::string text = kSmall;
  return complaint(text.insert(text.find("listeners:"), "    " + line + "\n"));
}

void expect(const std::string& said, const std::string& wanted) {
  EXPECT_NE(said.find(wanted), std::string::npos) << said;
}

TEST(ValidateAuth, SomebodyMustBeAbleToLogIn) {
  const std::string nobody = kSmall.substr(0, kSmall.find("users:"));
  expect(complaint(nobody), "nobody could log in");
  const TempFile list("\"app\" \"x\"\n");
  EXPECT_EQ(complaint(nobody + "auth: {user_file: " + list.path() + "}\n"), "");
}

TEST(ValidateAuth, RulesAreReadWithTheConfiguration) {
  EXPECT_EQ(with("auth:\n  hba: |\n    host all all 10.0.0.0/8 md5\n"), "");
  expect(with("auth:\n  hba: |\n    host all all 10.0.0.0/8 md5\n    host all +a all md5\n"),
         "auth.hba: line 2: who is a member of a role cannot be known here");
  expect(with("auth: {hba: host all all all md5, hba_file: /no}\n"), "exclude each other");
  expect(with("auth: {user_file: /no/list}\n"), "auth.user_file: /no/list: No such file");
  const TempFile list("broken\n");
  expect(with("auth: {user_file: " + list.path() + "}\n"), "auth.user_file: line 1: ");
}

TEST(ValidateAuth, CertificatesNeedSomebodyWhoAsksForThem) {
  expect(with("auth: {method: cert}\n"), "no listener has tls.ca_file");
  expect(with("auth: {hba: hostssl all all all cert}\n"), "no listener has tls.ca_file");
}

TEST(ValidateAuth, LookUpsNeedAUserThatIsKnown) {
  EXPECT_EQ(in_backend("auth_user: app"), "");
  expect(in_backend("auth_user: ap"), "there is no user 'ap'; did you mean 'app'?");
  expect(in_backend("auth_query: SELECT 1"), "needs auth_user");
}

TEST(ValidateAuth, SomeThingsAreForPostgresqlOnly) {
  const auto in_mysql = [](const std::string& line) {
    std::string text = kSmall;
    text.replace(text.find("postgresql"), 10, "mysql");
    return complaint(text.insert(text.find("listeners:"), "    " + line + "\n"));
  };
  for (const char* line : {"auth_user: app", "max_protocol_version: 3.2",
                           "tls: {mode: require, negotiation: direct}"}) {
    expect(in_mysql(line), "for PostgreSQL only");
    EXPECT_EQ(in_backend(line), "");
  }
  expect(in_backend("tls: {negotiation: direct}"), "needs tls.mode require or stronger");
}

}  // namespace
}  // namespace weirpool::config
