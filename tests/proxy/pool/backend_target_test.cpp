#include "proxy/pool/backend_target.hpp"

#include <gtest/gtest.h>

#include "config/limits.hpp"
#include "tests/support/toy_dialect.hpp"

namespace weirpool::proxy {
namespace {

struct Facts final : protocol::BackendFacts {};

class BackendTargetTest : public testing::Test {
 protected:
  using Outcome = ConnectPacer::Outcome;

  static config::Backend backend() {
    config::Backend made;
    made.name = "shop";
    made.max_connections = 7;
    return made;
  }

  test::ToyDialect dialect_;
  BackendTarget target_{backend(), dialect_};
  ConnectPacer::Limits limits_{2, 1000, config::Duration(1000), config::Duration(1500), {}};
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

TEST_F(BackendTargetTest, FactsAreNotBelievedBehindTheLossOfTheLastBackend) {
  const PoolKey shop{&target_, "shop", "app", 0};
  const auto facts = std::make_shared<Facts>();
  target_.publish(shop, facts);
  target_.serves(1);
  target_.lost_one();
  EXPECT_EQ(target_.facts(shop), facts) << "one is left";
  target_.serves(-1);
  target_.lost_one();
  EXPECT_EQ(target_.facts(shop), nullptr);
  EXPECT_EQ(target_.any_facts(), nullptr);
  EXPECT_EQ(target_.facts(shop, true), facts);
  EXPECT_EQ(target_.any_facts(true), facts);
  target_.publish(shop, facts);
  EXPECT_EQ(target_.facts(shop), facts);
  EXPECT_EQ(target_.any_facts(), facts);
}

TEST_F(BackendTargetTest, FactsAreNotBelievedOfAServerThatIsDownOrNotTheSame) {
  const PoolKey shop{&target_, "shop", "app", 0};
  const auto facts = std::make_shared<Facts>();
  target_.publish(shop, facts);
  target_.distrust();
  EXPECT_EQ(target_.facts(shop), nullptr);
  target_.publish(shop, facts);
  limits_.backoff_min = limits_.backoff_max = config::Duration(1);
  while (target_.circuit() == Circuit::closed) {
    if (target_.begin_attempt(limits_)) target_.attempt_ended(Outcome::failed, {}, limits_);
  }
  EXPECT_EQ(target_.facts(shop), nullptr);
}

TEST_F(BackendTargetTest, AFailingServerIsAskedOncePerPause) {
  EXPECT_TRUE(target_.begin_attempt(limits_));
  EXPECT_TRUE(target_.begin_attempt(limits_));
  EXPECT_FALSE(target_.begin_attempt(limits_)) << "as many as may be at once";
  target_.attempt_ended(Outcome::failed, {}, limits_);
  target_.attempt_ended(Outcome::failed, {}, limits_);
  EXPECT_FALSE(target_.begin_attempt(limits_));
  EXPECT_GT(target_.retry_at(limits_), Clock::now() + config::Duration(700));
  EXPECT_EQ(target_.circuit(), Circuit::closed);
}

TEST_F(BackendTargetTest, ItIsDownWhenNothingIsLeftOfIt) {
  limits_.backoff_min = limits_.backoff_max = config::Duration(1);
  target_.serves(1);
  EXPECT_FALSE(target_.down());
  while (target_.circuit() == Circuit::closed) {
    if (target_.begin_attempt(limits_)) target_.attempt_ended(Outcome::failed, {}, limits_);
  }
  EXPECT_FALSE(target_.down()) << "one that has been opened before still works";
  target_.serves(-1);
  EXPECT_TRUE(target_.down());
  while (!target_.begin_attempt(limits_)) {
  }
  EXPECT_EQ(target_.circuit(), Circuit::half_open);
  EXPECT_TRUE(target_.down());
  target_.attempt_ended(Outcome::connected, {}, limits_);
  EXPECT_FALSE(target_.down());
}

TEST_F(BackendTargetTest, AFullServerSlowsThePace) {
  EXPECT_EQ(target_.pace(), 100U);
  ASSERT_TRUE(target_.begin_attempt(limits_));
  target_.attempt_ended(Outcome::full, {}, limits_);
  EXPECT_EQ(target_.pace(), 50U);
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

TEST(BackendTargetHosts, NamesAreLookedUpOutOfTurnOnceInAWhile) {
  test::ToyDialect dialect;
  BackendTarget target(config::Backend{}, dialect);
  const TimePoint now = Clock::now();
  EXPECT_TRUE(target.may_look_up(now));
  EXPECT_FALSE(target.may_look_up(now + config::kLookUpAgain / 2));
  EXPECT_TRUE(target.may_look_up(now + config::kLookUpAgain));
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

TEST(BackendTargetHosts, FactsAreNotBelievedWhenANameLeadsElsewhere) {
  test::ToyDialect dialect;
  BackendTarget target(config::Backend{}, dialect);
  const config::Address a{"a", 0};
  target.publish({&target, "shop", "app", 0}, std::make_shared<Facts>());
  target.resolved(a, {ip("192.0.2.1")});
  EXPECT_NE(target.any_facts(), nullptr) << "looked up for the first time";
  target.resolved(a, {ip("192.0.2.2")});
  EXPECT_EQ(target.any_facts(), nullptr);
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
