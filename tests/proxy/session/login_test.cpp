// The login of a client, proxy/session/login.cpp.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using metrics::ClientState;
using protocol::Fault;
using test::ToyClient;
using test::ToyWorld;

std::uint64_t told(ToyWorld& world, Fault fault) {
  return world.metrics().faults[static_cast<std::size_t>(fault)].get();
}

TEST(LoginTest, TheFirstClientNeedsABackendsFactsAndTheNextOnesNone) {
  ToyWorld world(1);
  ToyClient first = world.client();
  EXPECT_EQ(first.log_in(), "welcome");
  EXPECT_EQ(world.server.counts().logins, 1U);
  ToyClient second = world.client();
  EXPECT_EQ(second.log_in(), "welcome");
  EXPECT_EQ(world.server.counts().logins, 1U);
  EXPECT_EQ(world.metrics().logins_ok.get(), 2U);
  EXPECT_EQ(world.logins_over, 2U);
}

TEST(LoginTest, WhatAServerWasIsAskedAgainWhenItComesBack) {
  ToyWorld world(1);
  EXPECT_EQ(world.client().log_in(), "welcome");
  world.server.stop();
  ASSERT_TRUE(world.until([&] { return world.target.ledger().open() == 0; }));
  world.server.start();
  EXPECT_EQ(world.client().log_in(), "welcome");
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(LoginTest, WhileThereIsNoServerToAskWhatItWasMustDo) {
  ToyWorld world(1);
  world.config.timeouts.connect_backoff_min = config::Duration(1);
  world.config.timeouts.connect_backoff_max = config::Duration(1);
  world.apply();
  EXPECT_EQ(world.client().log_in(), "welcome");
  world.server.stop();
  ToyClient hopeful = world.client();
  hopeful.send("user app shop\n");
  ASSERT_TRUE(world.until([&] { return world.target.down(); }));
  EXPECT_EQ(world.client().log_in(), "welcome");
}

TEST(LoginTest, ALoginMayArriveByteByByteAndBringItsFirstCommandAlong) {
  ToyWorld world(1);
  ToyClient client = world.client();
  for (const char byte : std::string("user app shop\necho early\n")) {
    client.send(std::string(1, byte));
    world.turn();
  }
  EXPECT_TRUE(client.line().starts_with("welcome "));
  EXPECT_EQ(client.answer(), "= early,idle");
}

TEST(LoginTest, ABalancerIntroducesItsClientFirst) {
  ToyWorld world(1);
  world.proxy_networks = {config::parse_network("127.0.0.0/8").value.value()};
  ToyClient client = world.client();
  const std::string all = "PROXY TCP4 192.0.2.1 192.0.2.9 50000 6432\r\nuser app shop\n";
  for (const char byte : all) {
    client.send(std::string(1, byte));
    world.turn();
  }
  EXPECT_TRUE(client.line().starts_with("welcome "));
  EXPECT_EQ(client.ask("echo on"), "= on,idle");
}

TEST(LoginTest, WhoIsNotIntroducedWhereItIsAgreedIsNotServed) {
  ToyWorld world(1);
  world.proxy_networks = {config::parse_network("127.0.0.1").value.value()};
  ToyClient client = world.client();
  client.send("user app shop\n");
  EXPECT_EQ(client.line(), "<closed>");
  ASSERT_TRUE(world.until([&] { return told(world, Fault::proxy_header) == 1; }));
  EXPECT_EQ(world.server.counts().accepted, 0U);
}

TEST(LoginTest, AnIntroductionFromElsewhereIsNotUnderstood) {
  ToyWorld world(1);
  world.proxy_networks = {config::parse_network("10.0.0.0/8").value.value()};
  ToyClient client = world.client();
  client.send("PROXY TCP4 192.0.2.1 192.0.2.9 50000 6432\r\n");
  EXPECT_EQ(client.line(), "fault protocol_violation");
}

TEST(LoginTest, AnUnknownUserIsDenied) {
  ToyWorld world(1);
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in("nobody"), "fault login_denied");
  EXPECT_EQ(client.line(), "<closed>");
  client.close();
  ASSERT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(told(world, Fault::login_denied), 1U);
  EXPECT_EQ(world.server.counts().accepted, 0U);
  EXPECT_EQ(world.logins_over, 1U);
}

TEST(LoginTest, AnUnknownDatabaseIsSaid) {
  ToyWorld world(1);
  world.config.timeouts.unknown_database_ttl = test::kPatience;
  world.apply();
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return "nodb"; });
  for (int i = 0; i < 3; ++i) {
    ToyClient client = world.client();
    EXPECT_EQ(client.log_in("app", "nowhere"), "fault unknown_database");
  }
  EXPECT_EQ(world.server.counts().refused, 1U);
}

TEST(LoginTest, GarbageClosesTheClientAlone) {
  ToyWorld world(1);
  ToyClient fine = world.logged_in();
  ToyClient client = world.client();
  client.send("\x16\x03\x01 not a line of ours\n");
  EXPECT_EQ(client.answer(), "fault protocol_violation");
  ToyClient endless = world.client();
  endless.send(std::string(100000, 'x'));
  EXPECT_EQ(endless.answer(), "fault message_too_large");
  EXPECT_EQ(fine.ask("echo fine"), "= fine,idle");
}

TEST(LoginTest, AClientThatNeverFinishesIsToldWhenItsTimeIsUp) {
  ToyWorld world(1);
  world.config.timeouts.client_login_timeout = config::Duration(30);
  world.apply();
  ToyClient client = world.client();
  client.send("user app");
  EXPECT_EQ(client.answer(), "fault login_timeout");
  EXPECT_EQ(world.server.counts().accepted, 0U);
}

TEST(LoginTest, TheLoginsTimeCountsWhileFactsAreAwaited) {
  ToyWorld world(1);
  world.config.timeouts.client_login_timeout = config::Duration(30);
  world.apply();
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return ""; });
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in(), "fault backend_unavailable");
}

TEST(LoginTest, AClientThatIsGoneDoesNotWaitForFacts) {
  ToyWorld world(1);
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return ""; });
  ToyClient client = world.client();
  client.send("user app shop\n");
  ASSERT_TRUE(world.until([&] { return world.pool().metrics().waiting.get() == 1; }));
  client.close();
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(world.pool().metrics().waiting.get(), 0);
}

TEST(LoginTest, OneTooManyIsToldSo) {
  ToyWorld world(1);
  world.refusal = Fault::too_many_clients;
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in(), "fault too_many_clients");
  EXPECT_EQ(client.line(), "<closed>");
}

TEST(LoginTest, ALoginEndsWithTheDrain) {
  ToyWorld world(1);
  ToyClient client = world.client();
  client.send("user app");
  ASSERT_TRUE(world.until([&] { return world.clients(ClientState::login) == 1; }));
  world.begin_drain();
  EXPECT_EQ(client.answer(), "fault shutting_down");
}

TEST(LoginTest, ADrainEndsTheWaitForFacts) {
  ToyWorld world(1);
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return ""; });
  ToyClient client = world.client();
  client.send("user app shop\n");
  ASSERT_TRUE(world.until([&] { return world.pool().metrics().waiting.get() == 1; }));
  world.begin_drain();
  EXPECT_EQ(client.answer(), "fault shutting_down");
}

TEST(LoginTest, TheRulesAreAskedFirst) {
  ToyWorld world(1);
  world.ruling.refusal = Fault::not_admitted;
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in(), "fault not_admitted");
  ASSERT_EQ(world.arrived.size(), 1U);
  EXPECT_EQ(world.arrived[0], *config::parse_host("127.0.0.1"));
  EXPECT_EQ(world.server.counts().accepted, 0U);
}

TEST(LoginTest, ALookUpIsWaitedFor) {
  ToyWorld world(1);
  world.hold_look_ups = true;
  ToyClient client = world.client();
  client.send("user app shop\n");
  ASSERT_TRUE(world.until([&] { return !world.held_look_ups.empty(); }));
  world.held_look_ups.front().answer(world.account_of("app"));
  EXPECT_TRUE(client.line().starts_with("welcome "));
}

TEST(LoginTest, ALookUpThatFailsIsNotTheClientsFault) {
  ToyWorld world(1);
  world.look_up_fault = Fault::backend_unavailable;
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in(), "fault backend_unavailable");
}

TEST(LoginTest, AClientThatIsGoneLeavesItsLookUp) {
  ToyWorld world(1);
  world.hold_look_ups = true;
  ToyClient client = world.client();
  client.send("user app shop\n");
  ASSERT_TRUE(world.until([&] { return !world.held_look_ups.empty(); }));
  client.close();
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_TRUE(world.held_look_ups.empty());
}

TEST(LoginTest, TheLoginsTimeCountsWhileAUserIsLookedUp) {
  ToyWorld world(1);
  world.config.timeouts.client_login_timeout = config::Duration(30);
  world.apply();
  world.hold_look_ups = true;
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in(), "fault login_timeout");
}

TEST(LoginTest, AUserThatAPasswordDidNotFitIsDoubted) {
  ToyWorld world(1);
  ToyClient client = world.client();
  EXPECT_EQ(client.log_in("nobody"), "fault login_denied");
  EXPECT_EQ(world.doubted, std::vector<std::string>{"nobody"});
}

TEST(LoginTest, EveryClientHasAKeyOfItsOwn) {
  ToyWorld world(1);
  const ToyClient first = world.logged_in();
  const ToyClient second = world.logged_in();
  const auto secret = [](const ToyClient& client) {
    return client.cancel_key().substr(client.cancel_key().find(' '));
  };
  EXPECT_EQ(secret(first).size(), 65U);
  EXPECT_NE(secret(first), secret(second));
}

}  // namespace
}  // namespace weirpool::proxy
