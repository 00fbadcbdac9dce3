#include "proxy/pool/backend_target.hpp"

#include <gtest/gtest.h>

#include "tests/support/toy_dialect.hpp"

namespace weirpool::proxy {
namespace {

struct Facts final : protocol::BackendFacts {};

class BackendTargetTest : public testing::Test {
 protected:
  BackendTargetTest() {
    timeouts_.connect_backoff_min = config::Duration(1000);
    timeouts_.connect_backoff_max = config::Duration(1500);
  }
  static config::Backend backend() {
    config::Backend made;
    made.name = "shop";
    made.max_connections = 7;
    return made;
  }

  test::ToyDialect dialect_;
  BackendTarget target_{backend(), dialect_};
  config::Timeouts timeouts_;
};

TEST_F(BackendTargetTest, BringsALedgerOfItsBound) {
  EXPECT_EQ(target_.ledger().limit(), 7U);
  EXPECT_EQ(target_.ledger().open(), 0U);
  EXPECT_EQ(target_.backend().name, "shop");
}

TEST_F(BackendTargetTest, FactsBelongToAPoolAndAnyOfThemIsEnoughForAGreeting) {
  const PoolKey shop{&target_, "shop", "app", 0};
  const PoolKey other{&target_, "shop", "app", 1};
  EXPECT_EQ(target_.facts(shop), nullptr);
  EXPECT_EQ(target_.any_facts(), nullptr);
  const auto first = std::make_shared<Facts>();
  target_.publish(shop, first);
  EXPECT_EQ(target_.facts(shop), first);
  EXPECT_EQ(target_.facts(other), nullptr);
  EXPECT_EQ(target_.any_facts(), first);
  const auto second = std::make_shared<Facts>();
  target_.publish(other, second);
  EXPECT_EQ(target_.facts(shop), first);
  EXPECT_EQ(target_.any_facts(), second);
}

TEST_F(BackendTargetTest, OneWaveOfFailuresIsOneStepBack) {
  EXPECT_LE(target_.retry_at(), Clock::now());
  const TimePoint before = Clock::now();
  target_.connect_failed(timeouts_);
  const TimePoint retry = target_.retry_at();
  EXPECT_GE(retry, before + config::Duration(800));
  EXPECT_LE(retry, Clock::now() + config::Duration(1000));
  target_.connect_failed(timeouts_);
  EXPECT_EQ(target_.retry_at(), retry);
}

TEST_F(BackendTargetTest, StepsGrowToTheirBound) {
  timeouts_.connect_backoff_min = config::Duration(1);
  timeouts_.connect_backoff_max = config::Duration(4);
  for (int wave = 0; wave < 5; ++wave) {
    while (Clock::now() < target_.retry_at()) {
    }
    target_.connect_failed(timeouts_);
    EXPECT_LE(target_.retry_at(), Clock::now() + config::Duration(4));
  }
  EXPECT_GT(target_.retry_at(), Clock::now() + config::Duration(2));
}

TEST_F(BackendTargetTest, SuccessForgetsTheFailures) {
  target_.connect_failed(timeouts_);
  target_.connect_succeeded();
  EXPECT_LE(target_.retry_at(), Clock::now());
}

TEST_F(BackendTargetTest, AFailingServerIsAskedOncePerStep) {
  EXPECT_TRUE(target_.begin_attempt());
  EXPECT_TRUE(target_.begin_attempt());
  timeouts_.connect_backoff_min = config::Duration(20);
  target_.connect_failed(timeouts_);
  EXPECT_FALSE(target_.begin_attempt());
  while (Clock::now() < target_.retry_at()) {
  }
  EXPECT_TRUE(target_.begin_attempt());
  EXPECT_FALSE(target_.begin_attempt());
  const TimePoint next = target_.retry_at();
  target_.connect_failed(timeouts_);
  EXPECT_GT(target_.retry_at(), next);
  target_.connect_succeeded();
  EXPECT_TRUE(target_.begin_attempt());
}

TEST_F(BackendTargetTest, CancelConnectionsAreBounded) {
  EXPECT_TRUE(target_.begin_cancel(2));
  EXPECT_TRUE(target_.begin_cancel(2));
  EXPECT_FALSE(target_.begin_cancel(2));
  target_.end_cancel();
  EXPECT_TRUE(target_.begin_cancel(2));
}

TEST_F(BackendTargetTest, TlsIsPlaintextUntilSet) {
  EXPECT_EQ(target_.tls(), nullptr);
  const auto context = TlsContext::for_backend({}, {});
  target_.set_tls(context);
  EXPECT_EQ(target_.tls(), context);
}

config::IpBytes ip(const std::string& text) {
  return config::parse_network(text).value.value().prefix;
}

TEST(BackendTargetHosts, WhatServedLastIsTriedFirst) {
  test::ToyDialect dialect;
  config::Backend backend;
  backend.address.host = "a";
  backend.address.others = {{"b", 1}, {"c", 1}};
  BackendTarget target(backend, dialect);
  const auto order = [&] {
    std::string all;
    for (const config::Address& host : target.hosts()) all += host.host;
    return all;
  };
  EXPECT_EQ(order(), "abc");
  target.served_by({"c", 1});
  EXPECT_EQ(order(), "cab");
  target.distrust();
  EXPECT_EQ(order(), "abc");
}

TEST(BackendTargetHosts, ABackendIsOutdatedWhenNoNameLeadsToItsAddress) {
  test::ToyDialect dialect;
  config::Backend backend;
  backend.address.host = "a";
  backend.address.others = {{"b", 1}};
  BackendTarget target(backend, dialect);
  const TimePoint now = Clock::now();
  const config::Address a{"a", 0};
  const config::Address b{"b", 1};
  target.resolved(a, {ip("192.0.2.1")});
  EXPECT_FALSE(target.outdated(ip("192.0.2.9"), now));  // b may be there
  target.resolved(b, {ip("192.0.2.2"), ip("192.0.2.3")});
  EXPECT_FALSE(target.outdated(ip("192.0.2.3"), now));
  EXPECT_TRUE(target.outdated(ip("192.0.2.9"), now));
  const std::uint32_t generation = target.generation();
  target.resolved(b, {ip("192.0.2.3"), ip("192.0.2.2")});
  target.resolved(b, {});  // not found just now
  EXPECT_EQ(target.generation(), generation);
  target.resolved(b, {ip("192.0.2.4")});
  EXPECT_NE(target.generation(), generation);
  EXPECT_TRUE(target.outdated(ip("192.0.2.3"), now));
}

TEST(BackendTargetHosts, AServerThatIsNotTrustedAnyMoreLosesItsBackends) {
  test::ToyDialect dialect;
  BackendTarget target(config::Backend{}, dialect);
  const TimePoint before = Clock::now() - std::chrono::milliseconds(1);
  target.distrust();
  EXPECT_TRUE(target.outdated(ip("192.0.2.1"), before));
  EXPECT_FALSE(target.outdated(ip("192.0.2.1"), Clock::now()));
}

}  // namespace
}  // namespace weirpool::proxy
