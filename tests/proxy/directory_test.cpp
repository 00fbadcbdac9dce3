#include "proxy/directory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using protocol::Fault;
using protocol::Proof;

class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() : config_(test::toy_config(5432, 1)) {}
  ~DirectoryTest() override { std::filesystem::remove(file_); }

  void write(const std::string& text) const { std::ofstream(file_) << text; }
  Directory read() { return Directory::read(config_, {&dialect_}); }
  std::string password(const Directory& directory, const std::string& user) {
    const auto secret =
        std::dynamic_pointer_cast<const test::ToySecret>(directory.account(dialect_, user).secret);
    return secret ? secret->passwords.front() : "nobody";
  }
  static config::Arrival arrival(const std::string& host = "10.0.0.1") {
    config::Arrival made;
    made.address = *config::parse_host(host);
    made.user = "app";
    made.database = "shop";
    return made;
  }
  Ruling rule() { return read().rule(dialect_, arrival(), nullptr); }

  const std::string file_ = testing::TempDir() + "weirpool_directory_" + std::to_string(::getpid());
  test::ToyDialect dialect_;
  config::Config config_;
};

TEST_F(DirectoryTest, UsersComeFromTheConfigurationFirst) {
  write("\"app\" \"other\"\n\"filed\" \"from file\"\n\"empty\" \"\"\n");
  config_.auth.user_file = file_;
  const Directory directory = read();
  EXPECT_EQ(password(directory, "app"), "secret");
  EXPECT_EQ(password(directory, "filed"), "from file");
  EXPECT_FALSE(directory.knows("empty")) << "a database may know its password";
  EXPECT_TRUE(directory.names("empty") && directory.names("app") && !directory.names("stranger"));
  EXPECT_EQ(password(directory, "empty").size(), 32U) << "nobody knows it";
  EXPECT_NE(password(directory, "empty"), password(read(), "empty"));
  EXPECT_TRUE(directory.stored("empty").empty()) << "nor is it shown to a database";
  EXPECT_EQ(password(directory, "stranger"), "nobody");
  EXPECT_EQ(directory.stored("filed"), std::vector<std::string>{"from file"});
  EXPECT_TRUE(directory.stored("app").empty());
  EXPECT_EQ(directory.any_user(), "app");
}

TEST_F(DirectoryTest, WhoIsKnownInFullIsPreferredForLoggingIn) {
  const std::string verifier = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
  config_.users.clear();
  config_.users["aaa"].password.value = config::Secret(verifier);
  EXPECT_EQ(read().any_user(), "aaa") << "better than none";
  write("\"bbb\" \"md5" + std::string(32, '0') + "\"\n\"ccc\" \"plain\"\n");
  config_.auth.user_file = file_;
  EXPECT_EQ(read().any_user(), "ccc");
  config_.users["zzz"].password.value = config::Secret("plain");
  EXPECT_EQ(read().any_user(), "zzz");
}

TEST_F(DirectoryTest, AChangedUserFileIsReadAgainWhole) {
  write("\"one\" \"1\"\n\"two\" \"2\"\n");
  config_.auth.user_file = file_;
  const Directory before = read();
  write("\"two\" \"22\"\n\"three\" \"3\"\n");
  std::string problem;
  const Directory after = before.renewed(config_, {&dialect_}, {}, true, problem);
  EXPECT_EQ(problem, "");
  EXPECT_FALSE(after.knows("one"));
  EXPECT_EQ(password(after, "two"), "22");
  EXPECT_EQ(password(after, "three"), "3");
  EXPECT_TRUE(after.knows("app"));
}

TEST_F(DirectoryTest, ABrokenUserFileLeavesEverythingAsItWas) {
  write("\"one\" \"1\"\n");
  config_.auth.user_file = file_;
  const Directory before = read();
  write("\"one\" \"11\"\nhalf a li");
  std::string problem;
  const Directory after = before.renewed(config_, {&dialect_}, {}, true, problem);
  EXPECT_EQ(problem.substr(0, 7), "line 2:");
  EXPECT_EQ(password(after, "one"), "1");
  EXPECT_THROW(read(), std::runtime_error);
}

TEST_F(DirectoryTest, ARenewedPasswordIsTheOnlyChange) {
  const Directory before = read();
  config_.users["app"].password.value = config::Secret("renewed");
  std::string problem;
  const Directory after = before.renewed(config_, {&dialect_}, {"app"}, false, problem);
  EXPECT_EQ(password(after, "app"), "renewed");
  EXPECT_EQ(after.account(dialect_, "batch").secret, before.account(dialect_, "batch").secret);
}

TEST_F(DirectoryTest, AnUnknownUserTakesAfterAKnownOneAlwaysTheSame) {
  const Directory directory = read();
  const protocol::Account first = directory.account(dialect_, "nobody");
  EXPECT_EQ(first.secret, nullptr);
  ASSERT_NE(first.like, nullptr);
  EXPECT_EQ(directory.account(dialect_, "nobody").like, first.like);
}

TEST_F(DirectoryTest, TheMethodCountsWhereThereAreNoRules) {
  EXPECT_EQ(rule().proof, Proof::by_secret);
  config_.auth.method = config::AuthMethod::trust;
  EXPECT_EQ(rule().proof, Proof::none);
  config_.auth.method = config::AuthMethod::scram_sha_256;
  EXPECT_EQ(rule().proof, Proof::scram);
}

TEST_F(DirectoryTest, APasswordInClearTextNeedsTlsOrALeave) {
  config_.auth.method = config::AuthMethod::password;
  EXPECT_EQ(rule().refusal, Fault::tls_required);
  config_.auth.plaintext_passwords = true;
  EXPECT_EQ(rule().refusal, Fault::none);
  EXPECT_EQ(rule().proof, Proof::cleartext);
}

TEST_F(DirectoryTest, RulesDecideWhereThereAreSome) {
  config_.auth.method = config::AuthMethod::trust;
  config_.auth.hba = "host shop app 10.0.0.0/8 md5\nhost all all 11.0.0.0/8 reject\n";
  const Directory directory = read();
  EXPECT_EQ(directory.rule(dialect_, arrival(), nullptr).proof, Proof::md5);
  EXPECT_EQ(directory.rule(dialect_, arrival(), nullptr).refusal, Fault::none);
  EXPECT_EQ(directory.rule(dialect_, arrival("11.0.0.1"), nullptr).refusal, Fault::not_admitted);
  EXPECT_EQ(directory.rule(dialect_, arrival("12.0.0.1"), nullptr).refusal, Fault::not_admitted);
}

TEST_F(DirectoryTest, WhereTheProtocolHasItsOwnProofOnlyRulesKeepSomebodyOut) {
  dialect_.choosy = false;
  for (const auto method :
       {config::AuthMethod::trust, config::AuthMethod::password, config::AuthMethod::cert}) {
    config_.auth.method = method;
    EXPECT_EQ(rule().refusal, Fault::none);
    EXPECT_EQ(rule().proof, Proof::by_secret);
  }
  config_.auth.hba = "host all all 10.0.0.0/8 trust\nhost all all 11.0.0.0/8 reject\n";
  EXPECT_EQ(rule().proof, Proof::by_secret);
  EXPECT_EQ(read().rule(dialect_, arrival("11.0.0.1"), nullptr).refusal, Fault::not_admitted);
}

TEST_F(DirectoryTest, WithoutACertificateNobodyComesInByOne) {
  config_.auth.method = config::AuthMethod::cert;
  EXPECT_EQ(rule().refusal, Fault::not_admitted);
}

}  // namespace
}  // namespace weirpool::proxy
