#include "proxy/pool/pool_ledger.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/limits.hpp"

namespace weirpool::proxy {
namespace {

using std::chrono::milliseconds;

class PoolLedgerTest : public testing::Test {
 protected:
  PoolLedgerTest() {
    PoolLedger::Messenger messenger;
    messenger.slot_granted = [this](const PoolLedger::Place& to) { say("slot", to); };
    messenger.give_up_idle = [this](const PoolLedger::Place& from) { say("give_up", from); };
    messenger.hand_over_idle = [this](const PoolLedger::Place& from, const PoolLedger::Place&) {
      say("hand_over", from);
    };
    messenger.deliver = [](const PoolLedger::Place&, const std::shared_ptr<BackendParts>&) {};
    ledger_.set_messenger(messenger);
  }
  void say(const std::string& what, const PoolLedger::Place& place) {
    said_.push_back(what + " " + std::to_string(place.worker) + " " + place.key.database);
  }
  static PoolLedger::Place place(unsigned worker, const std::string& database) {
    return {worker, {nullptr, database, "app", 0}};
  }

  bool open(const std::string& database = "any", PoolLedger::Caps caps = {}) {
    return ledger_.try_open(place(0, database).key, caps);
  }
  void close(const std::string& database = "any") { ledger_.closed(place(0, database).key); }

  PoolLedger ledger_{2};
  std::vector<std::string> said_;
  const TimePoint now_ = Clock::now();
};

TEST_F(PoolLedgerTest, NeverOpensMoreThanItsLimit) {
  EXPECT_TRUE(open());
  EXPECT_TRUE(open());
  EXPECT_FALSE(open());
  close();
  EXPECT_TRUE(open());
  EXPECT_EQ(ledger_.open(), 2U);
}

TEST_F(PoolLedgerTest, AFreedSlotGoesToTheOldestWantAndNobodyOvertakes) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
  ledger_.want({place(0, "young"), now_, {}});
  ledger_.want({place(1, "old"), now_ - milliseconds(5), {}});
  EXPECT_TRUE(ledger_.wanted());
  close();
  EXPECT_EQ(said_, std::vector<std::string>{"slot 1 old"});
  EXPECT_FALSE(open());
  close();
  EXPECT_EQ(said_.back(), "slot 0 young");
  EXPECT_FALSE(ledger_.wanted());
  EXPECT_EQ(ledger_.open(), 2U);
}

TEST_F(PoolLedgerTest, AWantIsGrantedAtOnceWhenASlotCameFreeMeanwhile) {
  ledger_.want({place(0, "a"), now_, {}});
  EXPECT_EQ(said_, std::vector<std::string>{"slot 0 a"});
  EXPECT_EQ(ledger_.open(), 1U);
}

TEST_F(PoolLedgerTest, AnIdleBackendOfTheSamePoolMovesAnyOtherGoes) {
  const auto other_pool = ledger_.enroll(place(0, "b"));
  const auto same_pool = ledger_.enroll(place(1, "a"));
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
  other_pool->store(1);
  same_pool->store(1);
  ledger_.want({place(0, "a"), now_, {}});
  EXPECT_EQ(said_, std::vector<std::string>{"hand_over 1 a"});
  same_pool->store(0);
  ledger_.want({place(1, "c"), now_, {}});
  EXPECT_EQ(said_.back(), "give_up 0 b");
}

TEST_F(PoolLedgerTest, AShardNeverEvictsForItself) {
  const auto idle = ledger_.enroll(place(0, "a"));
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
  idle->store(1);
  ledger_.want({place(0, "a"), now_, {}});
  EXPECT_TRUE(said_.empty());
}

TEST_F(PoolLedgerTest, OldestWantLooksAtOthersOnlyAndOnlyAtOlderOnes) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
  ledger_.want({place(1, "a"), now_, {}});
  EXPECT_FALSE(ledger_.oldest_want(place(1, "a"), TimePoint::max()));
  EXPECT_FALSE(ledger_.oldest_want(place(0, "a"), now_));
  ASSERT_TRUE(ledger_.oldest_want(place(0, "a"), now_ + milliseconds(1)));
}

TEST_F(PoolLedgerTest, WhoMayNotOpenYetIsHandedWhatThereIsAndTakesNoSlot) {
  const auto other_pool = ledger_.enroll(place(0, "b"));
  other_pool->store(1);
  ledger_.want({place(1, "a"), now_, {}, true});
  EXPECT_TRUE(said_.empty()) << "there is a slot, and nobody has to go for another one";
  EXPECT_TRUE(ledger_.wanted());
  EXPECT_TRUE(ledger_.oldest_want(place(0, "a"), TimePoint::max()));
  EXPECT_FALSE(ledger_.oldest_want(place(0, "b"), TimePoint::max()));
  EXPECT_TRUE(open()) << "nobody is overtaken";
  close();
  const auto same_pool = ledger_.enroll(place(0, "a"));
  same_pool->store(1);
  ledger_.unwant(place(1, "a"));
  ledger_.want({place(1, "a"), now_, {}, true});
  EXPECT_EQ(said_, std::vector<std::string>{"hand_over 0 a"});
  ledger_.want({place(1, "a"), now_, {}});
  EXPECT_EQ(said_.back(), "slot 1 a") << "now it may";
}

TEST_F(PoolLedgerTest, AWithdrawnWantGetsNothing) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
  ledger_.want({place(1, "a"), now_, {}});
  ledger_.unwant(place(1, "a"));
  EXPECT_FALSE(ledger_.wanted());
  close();
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(ledger_.open(), 1U);
}

TEST_F(PoolLedgerTest, ALowerLimitReissuesNoSlotAHigherOneServesWants) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
  ledger_.want({place(0, "a"), now_, {}});
  ledger_.set_limit(1);
  close();
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(ledger_.open(), 1U);
  ledger_.set_limit(3);
  EXPECT_EQ(said_, std::vector<std::string>{"slot 0 a"});
  EXPECT_EQ(ledger_.open(), 2U);
}

TEST_F(PoolLedgerTest, AForgottenShardIsNeitherAskedNorServed) {
  const auto idle = ledger_.enroll(place(0, "a"));
  idle->store(1);
  ASSERT_TRUE(open());
  ASSERT_TRUE(open());
  ledger_.forget(place(0, "a"));
  ledger_.want({place(1, "a"), now_, {}});
  EXPECT_TRUE(said_.empty());
}

TEST_F(PoolLedgerTest, APoolADatabaseAndAUserHaveBoundsOfTheirOwn) {
  ledger_.set_limit(10);
  EXPECT_TRUE(open("a", {.pool = 1}));
  EXPECT_FALSE(open("a", {.pool = 1}));
  EXPECT_TRUE(open("a", {.pool = 2}));
  EXPECT_FALSE(open("a", {.database = 2}));
  EXPECT_TRUE(open("b", {.database = 2}));
  EXPECT_FALSE(open("b", {.user = 3}));
  EXPECT_TRUE(open("b", {.user = 4}));
  EXPECT_EQ(ledger_.open_of(place(7, "b").key), 2U);
  close("a");
  EXPECT_TRUE(open("a", {.pool = 2, .database = 2, .user = 4}));
}

TEST_F(PoolLedgerTest, AfterABoundHasBeenLoweredItIsKnownHowManyAreTooMany) {
  const auto excess = [&](const std::string& database, PoolLedger::Caps caps) {
    return ledger_.excess_of(place(0, database).key, caps);
  };
  ledger_.set_limit(10);
  for (const char* database : {"a", "a", "a", "b"}) ASSERT_TRUE(open(database));
  EXPECT_EQ(excess("a", {}), 0U);
  EXPECT_EQ(excess("a", {.pool = 3}), 0U);
  EXPECT_EQ(excess("a", {.pool = 1}), 2U);
  EXPECT_EQ(excess("a", {.pool = 2, .database = 1}), 2U);
  EXPECT_EQ(excess("b", {.user = 1}), 3U);
  EXPECT_EQ(excess("never seen", {.pool = 1}), 0U);
  ledger_.set_limit(1);
  EXPECT_EQ(excess("b", {}), 3U);
}

TEST_F(PoolLedgerTest, WhoWaitsForItsOwnBoundHoldsUpNobodyElse) {
  ledger_.set_limit(3);
  ASSERT_TRUE(open("a"));
  ledger_.want({place(0, "a"), now_, {.pool = 1}});
  EXPECT_TRUE(said_.empty());
  EXPECT_TRUE(open("b"));
  close("b");
  EXPECT_TRUE(said_.empty());
  close("a");
  EXPECT_EQ(said_, std::vector<std::string>{"slot 0 a"});
}

TEST_F(PoolLedgerTest, OnlyTheIdleBackendsThatStandInTheWayGo) {
  ledger_.set_limit(10);
  const auto other = ledger_.enroll(place(0, "b"));
  ASSERT_TRUE(open("a"));
  ASSERT_TRUE(open("b"));
  other->store(1);
  ledger_.want({place(1, "a"), now_, {.pool = 1}});
  EXPECT_TRUE(said_.empty());
  EXPECT_FALSE(ledger_.oldest_want(place(0, "b"), TimePoint::max()));
  ledger_.want({place(1, "c"), now_, {.user = 2}});
  EXPECT_EQ(said_, std::vector<std::string>{"give_up 0 b"});
}

TEST_F(PoolLedgerTest, AFullServerIsAskedForNoMoreThanItTakes) {
  ledger_.set_limit(10);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(open());
  ledger_.server_full(now_);  // says the third
  close();
  EXPECT_FALSE(open());
  close();
  EXPECT_TRUE(open());
  ledger_.want({place(0, "a"), now_, {}});
  ledger_.recover(now_ + config::kFullHold - milliseconds(1));
  EXPECT_TRUE(said_.empty());
  ledger_.recover(now_ + config::kFullHold);
  EXPECT_EQ(said_, std::vector<std::string>{"slot 0 a"});
  EXPECT_FALSE(open());
  ledger_.recover(now_ + config::kFullHold + config::kFullStep);
  EXPECT_TRUE(open());
}

TEST_F(PoolLedgerTest, AFullAccountConcernsNobodyElse) {
  ledger_.set_limit(10);
  ASSERT_TRUE(open("a"));
  ASSERT_TRUE(open("a"));
  ledger_.account_full(place(0, "a").key, now_);  // says the second
  close("a");
  EXPECT_FALSE(open("a"));
  EXPECT_TRUE(open("b"));
  close("a");
  EXPECT_TRUE(open("a"));  // As many as it took.
  ledger_.want({place(0, "a"), now_, {}});
  ledger_.recover(now_ + config::kFullHold - milliseconds(1));
  EXPECT_TRUE(said_.empty());
  ledger_.recover(now_ + config::kFullHold);
  EXPECT_EQ(said_, std::vector<std::string>{"slot 0 a"});
  EXPECT_FALSE(open("a"));
  for (int step = 1; step < 10; ++step) {
    ledger_.recover(now_ + config::kFullHold + config::kFullStep * step);
  }
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(open("a")) << i;
}

TEST_F(PoolLedgerTest, AnAccountThatTakesNobodyIsAskedOncePerHold) {
  ASSERT_TRUE(open("a"));
  ledger_.account_full(place(0, "a").key, now_);
  close("a");
  EXPECT_FALSE(open("a"));
  ledger_.want({place(0, "a"), now_, {}});
  ledger_.recover(now_ + config::kFullHold);
  EXPECT_EQ(said_, std::vector<std::string>{"slot 0 a"});
}

TEST(PoolLedgerReserve, IsForEndingStatementsOnly) {
  const PoolKey key{nullptr, "a", "app", 0};
  PoolLedger ledger(2, true);
  EXPECT_TRUE(ledger.try_open(key, {}));
  EXPECT_FALSE(ledger.try_open(key, {}));
  EXPECT_TRUE(ledger.try_open_reserved());
  EXPECT_FALSE(ledger.try_open_reserved());
  EXPECT_EQ(ledger.open(), 2U);
  ledger.closed_reserved();
  EXPECT_TRUE(ledger.try_open_reserved());
  PoolLedger large(100, true);
  for (int i = 0; i < 95; ++i) EXPECT_TRUE(large.try_open(key, {}));
  EXPECT_FALSE(large.try_open(key, {}));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(large.try_open_reserved());
  EXPECT_FALSE(large.try_open_reserved());
  large.set_limit(50);
  large.closed_reserved();
  EXPECT_FALSE(large.try_open_reserved()) << "a lower limit holds for the reserve too";
}

TEST(PoolLedgerReserve, NoneForOneConnectionOrWithoutNeed) {
  const PoolKey key{nullptr, "a", "app", 0};
  PoolLedger one(1, true);
  EXPECT_TRUE(one.try_open(key, {}));
  EXPECT_FALSE(one.try_open_reserved());
  PoolLedger bare(2);
  EXPECT_TRUE(bare.try_open(key, {}) && bare.try_open(key, {}));
  EXPECT_FALSE(bare.try_open_reserved());
}

}  // namespace
}  // namespace weirpool::proxy
