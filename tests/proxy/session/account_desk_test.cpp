#include "proxy/session/account_desk.hpp"

#include <gtest/gtest.h>

#include "config/limits.hpp"
#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using protocol::Fault;
using test::ToyWorld;

/// A world whose database knows users.
class AccountDeskTest : public testing::Test {
 protected:
  AccountDeskTest() : world_(kConnections) {
    world_.config.auth.query_ttl = test::kPatience;
    world_.apply();
  }

  std::string stored(AccountWait& wait) {
    EXPECT_TRUE(world_.until([&] { return wait.answered(); }));
    const auto secret = std::dynamic_pointer_cast<const test::ToySecret>(wait.account().secret);
    return secret ? secret->passwords.front() : "nobody";
  }
  std::string look_up(const std::string& user) {
    Signal signal;
    AccountWait wait(world_.target, user, signal);
    desk_.look_up(wait);
    return stored(wait);
  }

  static constexpr std::uint32_t kConnections = 4;
  ToyWorld world_;
  AccountCache cache_;
  AccountDesk desk_{world_.loop(), cache_, [this](const PoolKey& key) {
                      keys_.push_back(key);
                      return world_.shard(key);
                    }};
  std::vector<PoolKey> keys_;
};

TEST_F(AccountDeskTest, AsksTheDatabaseOnceAndRemembers) {
  EXPECT_EQ(look_up("app"), "stored of app");
  EXPECT_EQ(look_up("app"), "stored of app");
  EXPECT_EQ(keys_.size(), 1U);
  // On backends that serve nobody else.
  EXPECT_EQ(keys_[0].variant, kLookUpVariant);
}

TEST_F(AccountDeskTest, NobodyIsRememberedToo) {
  EXPECT_EQ(look_up("nobody"), "nobody");
  EXPECT_EQ(look_up("nobody"), "nobody");
  EXPECT_EQ(keys_.size(), 1U);
}

TEST_F(AccountDeskTest, AStrangerTakesAfterSomebodyWhoIsKnown) {
  EXPECT_EQ(look_up("app"), "stored of app");
  for (int i = 0; i < 2; ++i) {  // asked, and remembered
    Signal signal;
    AccountWait wait(world_.target, "nobody", signal);
    desk_.look_up(wait);
    EXPECT_EQ(stored(wait), "nobody");
    EXPECT_EQ(wait.account().like, cache_.last({&world_.target, "app"})->secret);
  }
}

TEST_F(AccountDeskTest, ManyWhoWaitAreAnsweredTogether) {
  Signal signal;
  std::vector<std::unique_ptr<AccountWait>> waits;
  for (int i = 0; i < 50; ++i) {
    waits.push_back(std::make_unique<AccountWait>(world_.target, "app", signal));
    desk_.look_up(*waits.back());
  }
  waits.erase(waits.begin());  // One that does not wait any more is not missed.
  for (const auto& wait : waits) EXPECT_EQ(stored(*wait), "stored of app");
  EXPECT_EQ(keys_.size(), 1U);
}

TEST_F(AccountDeskTest, OnlySoManyQuestionsAtOnce) {
  Signal signal;
  std::vector<std::unique_ptr<AccountWait>> waits;
  for (int i = 0; i < 20; ++i) {
    waits.push_back(
        std::make_unique<AccountWait>(world_.target, "user" + std::to_string(i), signal));
    desk_.look_up(*waits.back());
  }
  EXPECT_EQ(keys_.size(), config::kMaxLookUps);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(stored(*waits[static_cast<std::size_t>(i)]), "stored of user" + std::to_string(i));
  }
  EXPECT_LE(world_.server.counts().logins, config::kMaxLookUps);
}

TEST_F(AccountDeskTest, TheEndOfAPasswordsValidityIsKept) {
  EXPECT_EQ(look_up("expiring"), "stored of expiring");
  const AccountCache::Key key{&world_.target, "expiring"};
  EXPECT_TRUE(world_.until([&] { return cache_.find(key, Clock::now()) == nullptr; }));
}

TEST_F(AccountDeskTest, ADatabaseThatIsAwayIsNotTakenForANo) {
  world_.server.stop();
  world_.config.timeouts.client_login_timeout = config::Duration(30);
  world_.apply();
  Signal signal;
  AccountWait wait(world_.target, "app", signal);
  desk_.look_up(wait);
  ASSERT_TRUE(world_.until([&] { return wait.answered(); }));
  EXPECT_NE(wait.fault(), Fault::none);
  EXPECT_EQ(cache_.last({&world_.target, "app"}), nullptr);
}

}  // namespace
}  // namespace weirpool::proxy
