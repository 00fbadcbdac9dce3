#include "proxy/runtime.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tests/support/certificates.hpp"
#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

class RuntimeTest : public testing::Test {
 protected:
  RuntimeTest() : config_(test::toy_config(5432, 7)) {
    targets_["shop"] = std::make_unique<BackendTarget>(config_.backends.at("shop"), dialect_);
  }
  std::shared_ptr<const Runtime> make() {
    return make_runtime(std::make_shared<const config::Config>(config_), targets_);
  }
  BackendTarget& target() { return *targets_.at("shop"); }

  test::ToyDialect dialect_;
  config::Config config_;
  Targets targets_;
};

TEST_F(RuntimeTest, PreparesEveryUserForEveryDialectOnce) {
  targets_["blog"] = std::make_unique<BackendTarget>(config_.backends.at("shop"), dialect_);
  const auto runtime = make();
  EXPECT_EQ(dialect_.prepared(), 2U);
  EXPECT_TRUE(runtime->directory->knows("app"));
  EXPECT_TRUE(runtime->directory->knows("batch"));
}

TEST_F(RuntimeTest, SitesFollowTheListeners) {
  config_.listeners.push_back(config_.listeners.front());
  const auto runtime = make();
  ASSERT_EQ(runtime->sites.size(), 2U);
  EXPECT_EQ(runtime->sites[0]->target, &target());
  EXPECT_EQ(runtime->sites[0]->tls, nullptr);
  EXPECT_FALSE(runtime->sites[0]->tls_required);
  EXPECT_EQ(runtime->config->listeners.size(), 2U);
}

TEST_F(RuntimeTest, TheBoundOfABackendIsRenewed) {
  make();
  EXPECT_EQ(target().ledger().limit(), 7U);
  config_.backends["shop"].max_connections = 3;
  make();
  EXPECT_EQ(target().ledger().limit(), 3U);
}

TEST_F(RuntimeTest, ABackendThatIsGoneFromTheConfigurationKeepsItsBound) {
  targets_["old"] = std::make_unique<BackendTarget>(config_.backends.at("shop"), dialect_);
  make();
  EXPECT_EQ(targets_.at("old")->ledger().limit(), 7U);
}

TEST_F(RuntimeTest, TlsTowardsABackendIsMadeUnlessDisabled) {
  make();
  EXPECT_EQ(target().tls(), nullptr);
  config_.backends["shop"].tls.mode = config::SslMode::prefer;
  make();
  const auto context = target().tls();
  EXPECT_NE(context, nullptr);
  make();
  EXPECT_NE(target().tls(), context);
}

TEST_F(RuntimeTest, ASiteOffersTlsAsItsListenerSays) {
  test::CertificateAuthority authority;
  const test::CertificateFiles files = authority.issue();
  for (const config::ClientTls mode : {config::ClientTls::allow, config::ClientTls::require}) {
    config_.listeners[0].tls = {mode, files.cert_file, files.key_file, {}};
    const auto runtime = make();
    EXPECT_NE(runtime->sites[0]->tls, nullptr);
    EXPECT_EQ(runtime->sites[0]->tls_required, mode == config::ClientTls::require);
  }
}

TEST_F(RuntimeTest, ACertificateThatCannotBeUsedChangesNothing) {
  make();
  config_.backends["shop"].tls.mode = config::SslMode::prefer;
  config_.backends["shop"].max_connections = 3;
  config_.listeners[0].tls = {
      config::ClientTls::require, "/nowhere/cert.pem", "/nowhere/key.pem", {}};
  EXPECT_THROW(make(), std::runtime_error);
  EXPECT_EQ(target().ledger().limit(), 7U);
  EXPECT_EQ(target().tls(), nullptr);
}

TEST_F(RuntimeTest, AMissingCaOfABackendChangesNothingEither) {
  config_.backends["shop"].tls.mode = config::SslMode::verify_full;
  config_.backends["shop"].tls.ca_file = "/nowhere/ca.pem";
  config_.backends["shop"].max_connections = 3;
  EXPECT_THROW(make(), std::runtime_error);
  EXPECT_EQ(target().ledger().limit(), 7U);
}

TEST_F(RuntimeTest, NewSecretsLeaveTheRestAsItIs) {
  const auto before = make();
  SecretWatch::Changes changed;
  changed.users = {"app"};
  std::string problem;
  const auto after = with_new_secrets(*before, targets_, changed, problem);
  EXPECT_EQ(dialect_.prepared(), 3U);
  EXPECT_NE(after->directory, before->directory);
  EXPECT_EQ(after->sites, before->sites);
  EXPECT_EQ(problem, "");
}

}  // namespace
}  // namespace weirpool::proxy
