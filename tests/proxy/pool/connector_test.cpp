#include "proxy/pool/connector.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/toy_world.hpp"

namespace {

constexpr const char* kSilentName = "silent.invalid";
std::latch name_server_speaks{1};
std::atomic<bool> silent_name_answered = false;

}  // namespace

/// In place of the system's: the answer for one name does not come.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  if (node != nullptr && std::string_view(node) == kSilentName) {
    name_server_speaks.wait();
    silent_name_answered = true;
    return EAI_AGAIN;
  }
  static const auto real =
      reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, found);
}

namespace weirpool::proxy {
namespace {

using protocol::Fault;
using test::ToyCounts;
using test::ToyWorld;

Task<void> connect_into(ToyWorld& world, BackendTarget& target, std::vector<std::string> passwords,
                        std::optional<Connected>& result) {
  const PoolKey key{&target, "shop", "app", 0};
  result =
      co_await connect_backend(world.loop(), target, key, std::move(passwords), world.key_deriver);
}

Connected connect(ToyWorld& world, BackendTarget& target, std::vector<std::string> passwords) {
  std::optional<Connected> result;
  supervise("test", connect_into(world, target, std::move(passwords), result));
  EXPECT_TRUE(world.until([&] { return result.has_value(); }));
  return result ? std::move(*result) : Connected{};
}

Task<void> refresh_into(Loop& loop, BackendTarget& target, bool& over) {
  co_await refresh_names(loop, target);
  over = true;
}

Task<void> part_into(Loop& loop, std::unique_ptr<BackendConn> backend, Parting parting,
                     bool& over) {
  co_await part_with(loop, std::move(backend), parting);
  over = true;
}

TEST(ConnectorTest, LogsInAndKeepsWhatTheServerSaid) {
  ToyWorld world(1);
  const Connected result = connect(world, world.target, {"secret"});
  ASSERT_TRUE(result.backend);
  EXPECT_EQ(result.fault, Fault::none);
  EXPECT_EQ(result.backend->state->remote_id(), 1U);
  EXPECT_EQ(result.backend->expires, TimePoint::max());
}

TEST(ConnectorTest, APasswordGoesOutAsItIsOnlyToWhomTlsVerifiesOrTheConfigurationAllowsIt) {
  ToyWorld world(1);
  config::Backend backend = world.config.backends.at("shop");
  const auto allowed = [&](config::SslMode mode, bool said) {
    backend.tls.mode = mode;
    backend.allow_cleartext_password = said;
    BackendTarget target(backend, world.dialect);
    EXPECT_TRUE(connect(world, target, {"secret"}).backend);
    return world.dialect.cleartext_allowed();
  };
  for (const auto mode :
       {config::SslMode::disable, config::SslMode::prefer, config::SslMode::require}) {
    EXPECT_FALSE(allowed(mode, false));
    EXPECT_TRUE(allowed(mode, true));
  }
  for (const auto mode : {config::SslMode::verify_ca, config::SslMode::verify_full}) {
    EXPECT_TRUE(allowed(mode, false));
  }
}

TEST(ConnectorTest, ALifetimeIsJittered) {
  ToyWorld world(1);
  world.config.timeouts.server_lifetime = config::Duration(100000);
  world.apply();
  const TimePoint before = Clock::now();
  const Connected result = connect(world, world.target, {"secret"});
  ASSERT_TRUE(result.backend);
  EXPECT_GE(result.backend->expires, before + config::Duration(80000));
  EXPECT_LE(result.backend->expires, Clock::now() + config::Duration(100000));
}

TEST(ConnectorTest, FindsAServerByItsName) {
  ToyWorld world(1);
  config::Backend named = world.target.backend();
  named.address.host = "localhost";
  BackendTarget target(named, world.dialect);
  EXPECT_TRUE(connect(world, target, {"secret"}).backend);
}

/// A target of two hosts, of which the first is world.server.
config::Backend two_hosts(const ToyWorld& world, const test::ToyServer& second) {
  config::Backend backend = world.target.backend();
  backend.address.others = {{"127.0.0.1", second.port()}};
  return backend;
}

TEST(ConnectorTest, TheNextHostIsTriedWhenOneIsDownAndRemembered) {
  ToyWorld world(1);
  test::ToyServer second;
  BackendTarget target(two_hosts(world, second), world.dialect);
  EXPECT_EQ(connect(world, target, {"secret"}).backend->address.port, world.server.port());
  world.server.stop();
  EXPECT_EQ(connect(world, target, {"secret"}).backend->address.port, second.port());
  world.server.start();
  EXPECT_EQ(connect(world, target, {"secret"}).backend->address.port, second.port());
}

TEST(ConnectorTest, OnlyAHostOfTheRoleThatWasAskedForWillDo) {
  ToyWorld world(1);
  test::ToyServer second;
  config::Backend backend = two_hosts(world, second);
  const auto port_of = [&](config::TargetSession wanted) {
    backend.target_session_attrs = wanted;
    BackendTarget target(backend, world.dialect);
    const Connected result = connect(world, target, {"secret"});
    return result.backend ? result.backend->address.port : 0;
  };
  world.server.play_role("standby");
  EXPECT_EQ(port_of(config::TargetSession::primary), second.port());
  EXPECT_EQ(port_of(config::TargetSession::read_write), second.port());
  EXPECT_EQ(port_of(config::TargetSession::standby), world.server.port());
  EXPECT_EQ(port_of(config::TargetSession::read_only), world.server.port());
  second.play_role("read-only");
  EXPECT_EQ(port_of(config::TargetSession::primary), second.port());
  EXPECT_EQ(port_of(config::TargetSession::read_write), 0);
  world.server.play_role("primary");
  EXPECT_EQ(port_of(config::TargetSession::standby), 0);
  EXPECT_EQ(port_of(config::TargetSession::read_only), second.port());
  EXPECT_EQ(port_of(config::TargetSession::prefer_standby), world.server.port());
  EXPECT_EQ(port_of(config::TargetSession::any), world.server.port());
  // Nobody is left behind at a host that would not do.
  EXPECT_TRUE(
      world.until([&] { return world.server.counts().open == 0 && second.counts().open == 0; }));
}

TEST(ConnectorTest, ANameNobodyKnowsIsUnavailable) {
  ToyWorld world(1);
  config::Backend named = world.target.backend();
  named.address.host = "no-such-host.invalid";
  BackendTarget target(named, world.dialect);
  const Connected result = connect(world, target, {"secret"});
  EXPECT_FALSE(result.backend);
  EXPECT_EQ(result.fault, Fault::backend_unavailable);
}

TEST(ConnectorTest, ANameServerThatSaysNothingIsNotWaitedForLonger) {
  ToyWorld world(1);
  world.config.timeouts.server_connect_timeout = config::Duration(30);
  world.apply();
  config::Backend named = world.target.backend();
  named.address.host = kSilentName;
  BackendTarget target(named, world.dialect);
  const Connected result = connect(world, target, {"secret"});
  EXPECT_FALSE(result.backend);
  EXPECT_EQ(result.fault, Fault::backend_unavailable);
  EXPECT_NE(result.detail.find(kSilentName), std::string::npos);
  bool refreshed = false;
  supervise("test", refresh_into(world.loop(), target, refreshed));
  EXPECT_TRUE(world.until([&] { return refreshed; }));
  EXPECT_FALSE(silent_name_answered.load());
  name_server_speaks.count_down();  // The answer comes too late for anybody.
  EXPECT_TRUE(world.until([&] { return silent_name_answered.load(); }));
  EXPECT_TRUE(connect(world, world.target, {"secret"}).backend);
}

TEST(ConnectorTest, NobodyListeningIsUnavailable) {
  ToyWorld world(1);
  world.server.stop();
  const Connected result = connect(world, world.target, {"secret"});
  EXPECT_FALSE(result.backend);
  EXPECT_EQ(result.fault, Fault::backend_unavailable);
  EXPECT_EQ(result.detail, "cannot connect");
}

TEST(ConnectorTest, TheSecondPasswordIsTriedDuringARotation) {
  ToyWorld world(1);
  world.server.answer_logins([](const auto&, const auto&, const std::string& password) {
    return password == "old" ? "ok" : "refused";
  });
  EXPECT_TRUE(connect(world, world.target, {"new", "old"}).backend);
  EXPECT_EQ(world.server.counts().refused, 1U);
  // The refused attempt has been let go before the next one began.
  EXPECT_EQ(world.server.counts().most_open, 1U);
}

TEST(ConnectorTest, WhenEveryPasswordIsRefusedThatIsTheAnswer) {
  ToyWorld world(1);
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return "refused"; });
  const Connected result = connect(world, world.target, {"new", "old"});
  EXPECT_FALSE(result.backend);
  EXPECT_EQ(result.fault, Fault::backend_refused_login);
  EXPECT_EQ(result.detail, "refused");
  EXPECT_EQ(result.refused, (std::vector<std::string>{"new", "old"}));
  EXPECT_EQ(world.server.counts().refused, 2U);
  EXPECT_EQ(world.server.counts().open, 0U);
}

TEST(ConnectorTest, WithoutAnyPasswordTheLoginIsRefused) {
  ToyWorld world(1);
  const Connected result = connect(world, world.target, {});
  EXPECT_FALSE(result.backend);
  EXPECT_EQ(result.fault, Fault::backend_refused_login);
}

TEST(ConnectorTest, OnlyARefusedPasswordIsTriedAgain) {
  ToyWorld world(1);
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return "nodb"; });
  const Connected result = connect(world, world.target, {"new", "old"});
  EXPECT_EQ(result.fault, Fault::unknown_database);
  EXPECT_TRUE(result.refused.empty());
  EXPECT_EQ(world.server.counts().refused, 1U);
}

TEST(ConnectorTest, NonsenseAtLoginIsAViolation) {
  ToyWorld world(1);
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return "who?"; });
  EXPECT_EQ(connect(world, world.target, {"secret"}).fault, Fault::backend_violation);
}

TEST(ConnectorTest, BytesBehindTheLoginAreAViolation) {
  ToyWorld world(1);
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return "ok 1\n= more"; });
  EXPECT_EQ(connect(world, world.target, {"secret"}).fault, Fault::backend_violation);
}

TEST(ConnectorTest, ASilentServerIsGivenUpOnAndLetGo) {
  ToyWorld world(1);
  world.config.timeouts.server_connect_timeout = config::Duration(30);
  world.apply();
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return ""; });
  const Connected result = connect(world, world.target, {"secret"});
  EXPECT_FALSE(result.backend);
  EXPECT_EQ(result.fault, Fault::backend_unavailable);
  EXPECT_EQ(result.detail, "login timed out");
  EXPECT_EQ(world.server.counts().open, 0U);
}

TEST(ConnectorTest, ASilentServerThatDoesNotCloseEitherIsLeftForTheNextHost) {
  ToyWorld world(1);
  world.config.timeouts.server_connect_timeout = config::Duration(30);
  world.apply();
  world.server.answer_logins([](const auto&, const auto&, const auto&) { return ""; });
  world.server.hold_closes(true);
  test::ToyServer second;
  BackendTarget target(two_hosts(world, second), world.dialect);
  const Connected result = connect(world, target, {"secret"});
  ASSERT_TRUE(result.backend);
  EXPECT_EQ(result.backend->address.port, second.port());
  world.server.hold_closes(false);
  EXPECT_TRUE(world.until([&] { return world.server.counts().open == 0; }));
}

TEST(ConnectorTest, AKeyIsDerivedWhenTheServerAsksForOne) {
  ToyWorld world(1);
  world.server.ask_for_keys("pepper");
  ASSERT_TRUE(connect(world, world.target, {"secret"}).backend);
  const std::string first = world.server.last_key();
  EXPECT_EQ(first.size(), 64U);
  ASSERT_TRUE(connect(world, world.target, {"secret"}).backend);
  EXPECT_EQ(world.server.last_key(), first);
  ASSERT_TRUE(connect(world, world.target, {"other"}).backend);
  EXPECT_NE(world.server.last_key(), first);
}

TEST(ConnectorTest, APolitePartingSaysGoodbyeAndWaitsForTheEnd) {
  ToyWorld world(1);
  world.server.hold_closes(true);
  Connected result = connect(world, world.target, {"secret"});
  bool over = false;
  supervise("test", part_into(world.loop(), std::move(result.backend), Parting::polite, over));
  ASSERT_TRUE(world.server.wait([](const ToyCounts& now) { return now.goodbyes == 1; }));
  world.settle();
  EXPECT_FALSE(over);
  world.server.hold_closes(false);
  EXPECT_TRUE(world.until([&] { return over; }));
}

TEST(ConnectorTest, AnAbruptPartingSaysNothing) {
  ToyWorld world(1);
  Connected result = connect(world, world.target, {"secret"});
  bool over = false;
  supervise("test", part_into(world.loop(), std::move(result.backend), Parting::abrupt, over));
  ASSERT_TRUE(world.until([&] { return over; }));
  EXPECT_EQ(world.server.counts().goodbyes, 0U);
  EXPECT_EQ(world.server.counts().ends, 1U);
}

TEST(ConnectorTest, ACancelWaitsWhileTooManyAreUnderWayAndNoLongerThanItsStatement) {
  ToyWorld world(1);
  world.config.limits.max_cancel_connections = 1;
  world.apply();
  world.server.hold_cancels(true);
  const Connected first = connect(world, world.target, {"secret"});
  const Connected second = connect(world, world.target, {"secret"});
  const Connected third = connect(world, world.target, {"secret"});
  supervise("test", cancel_statement(world.loop(), world.target, *first.backend));
  supervise("test", cancel_statement(world.loop(), world.target, *first.backend));
  supervise("test", cancel_statement(world.loop(), world.target, *second.backend));
  supervise("test", cancel_statement(world.loop(), world.target, *third.backend));
  EXPECT_TRUE(first.backend->fence->aimed);
  EXPECT_EQ(first.backend->fence->in_flight, 1U);
  EXPECT_FALSE(second.backend->fence->aimed);
  third.backend->fence->statement_over();
  world.server.hold_cancels(false);
  ASSERT_TRUE(world.until([&] {
    return second.backend->fence->aimed && second.backend->fence->in_flight == 0 &&
           third.backend->fence->queued == 0;
  }));
  EXPECT_FALSE(third.backend->fence->aimed);
  EXPECT_EQ(world.server.counts().cancels, 2U);
  EXPECT_TRUE(world.target.begin_cancel(1));
}

TEST(ConnectorTest, ACancelConnectionThatNeverEndsIsGivenUpOn) {
  ToyWorld world(1);
  world.config.timeouts.cancel_wait_timeout = config::Duration(30);
  world.apply();
  world.server.hold_cancels(true);
  const Connected first = connect(world, world.target, {"secret"});
  supervise("test", cancel_statement(world.loop(), world.target, *first.backend));
  EXPECT_TRUE(world.until([&] { return first.backend->fence->in_flight == 0; }));
}

}  // namespace
}  // namespace weirpool::proxy
