#include "proxy/pool/pool_ledger.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

  PoolLedger ledger_{2};
  std::vector<std::string> said_;
  const TimePoint now_ = Clock::now();
};

TEST_F(PoolLedgerTest, NeverOpensMoreThanItsLimit) {
  EXPECT_TRUE(ledger_.try_open());
  EXPECT_TRUE(ledger_.try_open());
  EXPECT_FALSE(ledger_.try_open());
  ledger_.closed();
  EXPECT_TRUE(ledger_.try_open());
  EXPECT_EQ(ledger_.open(), 2U);
}

TEST_F(PoolLedgerTest, AFreedSlotGoesToTheOldestWantAndNobodyOvertakes) {
  ASSERT_TRUE(ledger_.try_open());
  ASSERT_TRUE(ledger_.try_open());
  ledger_.want({place(0, "young"), now_});
  ledger_.want({place(1, "old"), now_ - milliseconds(5)});
  EXPECT_TRUE(ledger_.wanted());
  ledger_.closed();
  EXPECT_EQ(said_, std::vector<std::string>{"slot 1 old"});
  EXPECT_FALSE(ledger_.try_open());
  ledger_.closed();
  EXPECT_EQ(said_.back(), "slot 0 young");
  EXPECT_FALSE(ledger_.wanted());
  EXPECT_EQ(ledger_.open(), 2U);
}

TEST_F(PoolLedgerTest, AWantIsGrantedAtOnceWhenASlotCameFreeMeanwhile) {
  ledger_.want({place(0, "a"), now_});
  EXPECT_EQ(said_, std::vector<std::string>{"slot 0 a"});
  EXPECT_EQ(ledger_.open(), 1U);
}

TEST_F(PoolLedgerTest, AnIdleBackendOfTheSamePoolMovesAnyOtherGoes) {
  const auto other_pool = ledger_.enroll(place(0, "b"));
  const auto same_pool = ledger_.enroll(place(1, "a"));
  ASSERT_TRUE(ledger_.try_open());
  ASSERT_TRUE(ledger_.try_open());
  other_pool->store(1);
  same_pool->store(1);
  ledger_.want({place(0, "a"), now_});
  EXPECT_EQ(said_, std::vector<std::string>{"hand_over 1 a"});
  same_pool->store(0);
  ledger_.want({place(1, "c"), now_});
  EXPECT_EQ(said_.back(), "give_up 0 b");
}

TEST_F(PoolLedgerTest, AShardNeverEvictsForItself) {
  const auto idle = ledger_.enroll(place(0, "a"));
  ASSERT_TRUE(ledger_.try_open());
  ASSERT_TRUE(ledger_.try_open());
  idle->store(1);
  ledger_.want({place(0, "a"), now_});
  EXPECT_TRUE(said_.empty());
}

TEST_F(PoolLedgerTest, OldestWantLooksAtOthersOnlyAndOnlyAtOlderOnes) {
  ASSERT_TRUE(ledger_.try_open());
  ASSERT_TRUE(ledger_.try_open());
  ledger_.want({place(1, "a"), now_});
  EXPECT_FALSE(ledger_.oldest_want(place(1, "a"), TimePoint::max()));
  EXPECT_FALSE(ledger_.oldest_want(place(0, "a"), now_));
  ASSERT_TRUE(ledger_.oldest_want(place(0, "a"), now_ + milliseconds(1)));
}

TEST_F(PoolLedgerTest, AWithdrawnWantGetsNothing) {
  ASSERT_TRUE(ledger_.try_open());
  ASSERT_TRUE(ledger_.try_open());
  ledger_.want({place(1, "a"), now_});
  ledger_.unwant(place(1, "a"));
  EXPECT_FALSE(ledger_.wanted());
  ledger_.closed();
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(ledger_.open(), 1U);
}

TEST_F(PoolLedgerTest, ALowerLimitReissuesNoSlotAHigherOneServesWants) {
  ASSERT_TRUE(ledger_.try_open());
  ASSERT_TRUE(ledger_.try_open());
  ledger_.want({place(0, "a"), now_});
  ledger_.set_limit(1);
  ledger_.closed();
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(ledger_.open(), 1U);
  ledger_.set_limit(3);
  EXPECT_EQ(said_, std::vector<std::string>{"slot 0 a"});
  EXPECT_EQ(ledger_.open(), 2U);
}

TEST_F(PoolLedgerTest, AForgottenShardIsNeitherAskedNorServed) {
  const auto idle = ledger_.enroll(place(0, "a"));
  idle->store(1);
  ASSERT_TRUE(ledger_.try_open());
  ASSERT_TRUE(ledger_.try_open());
  ledger_.forget(place(0, "a"));
  ledger_.want({place(1, "a"), now_});
  EXPECT_TRUE(said_.empty());
}

}  // namespace
}  // namespace weirpool::proxy
