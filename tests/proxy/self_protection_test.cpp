#include "proxy/self_protection.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using admission::MemoryState;
using protocol::Fault;

/// Workers whose threads have not begun: what is posted to them waits, and their loops are as far
/// behind as time has passed.
class SelfProtectionTest : public testing::Test {
 protected:
  SelfProtectionTest() {
    config_.workers = 2;
    config_.limits.memory_high = 10;
    config_.limits.max_login_conn = 100;
    auto ignore = [](auto, const auto&, const auto&) {};
    auto ignore_kill = [](const protocol::KillRequest&, const PoolKey&,
                          const std::function<void(protocol::KillResult)>&) {};
    for (unsigned i = 0; i < 2; ++i) {
      workers_.push_back(std::make_unique<Worker>(i, config_, shared_, ignore, ignore_kill));
    }
    SelfProtection::Powers powers;
    powers.config = [this] { return std::make_shared<const config::Config>(config_); };
    powers.resident = [this] { return std::exchange(blip_, false) ? kBlip : resident_; };
    protection_ =
        std::make_unique<SelfProtection>(io_, workers_, shared_.population, std::move(powers));
  }
  void use_mebi(std::uint64_t mebi) {
    resident_ = mebi << 20;
    protection_->look();
  }

  boost::asio::io_context io_{1};
  config::Config config_;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  static constexpr std::uint64_t kBlip = std::uint64_t{1} << 40;
  std::uint64_t resident_ = 0;
  bool blip_ = false;  ///< the next reading is kBlip
  std::unique_ptr<SelfProtection> protection_;
};

TEST_F(SelfProtectionTest, AboveTheWatermarkNewcomersAreRefused) {
  use_mebi(9);
  EXPECT_EQ(protection_->refusal(), Fault::none);
  use_mebi(10);
  EXPECT_EQ(protection_->refusal(), Fault::short_of_memory);
  EXPECT_EQ(shared_.population.memory.load(), MemoryState::tight);
  EXPECT_EQ(shared_.population.memory_high.load(), std::uint64_t{10} << 20);
  use_mebi(8);
  EXPECT_EQ(protection_->refusal(), Fault::none);
}

TEST_F(SelfProtectionTest, OneReadingAloneIsNoShortage) {
  blip_ = true;
  use_mebi(9);
  EXPECT_FALSE(blip_) << "nobody looked";
  EXPECT_EQ(protection_->refusal(), Fault::none);
  use_mebi(10);
  EXPECT_EQ(protection_->refusal(), Fault::short_of_memory);
}

TEST_F(SelfProtectionTest, OnlySoManyAreHeardOut) {
  shared_.population.logins = config::kHeardWhileTight - 1;
  EXPECT_TRUE(protection_->hears_out());
  shared_.population.logins = config::kHeardWhileTight;
  EXPECT_FALSE(protection_->hears_out());
}

TEST_F(SelfProtectionTest, AReloadTakesTheWatermarkAway) {
  use_mebi(10);
  config_.limits.memory_high = 0;
  protection_->look();
  EXPECT_EQ(protection_->refusal(), Fault::none);
}

TEST_F(SelfProtectionTest, MoreThanMayLogInAtATimeWaitToBeAccepted) {
  config_.limits.max_login_conn = 3;
  shared_.population.logins = 2;
  EXPECT_TRUE(protection_->takes_in());
  shared_.population.logins = 3;
  EXPECT_TRUE(protection_->logins_full());
  EXPECT_FALSE(protection_->takes_in());
  EXPECT_EQ(shared_.population.held_accepts.load(), 1U);
  shared_.population.logins = 2;
  EXPECT_TRUE(protection_->takes_in());
}

TEST_F(SelfProtectionTest, LoopsThatDoNotTurnGetFewNewClients) {
  EXPECT_TRUE(protection_->takes_in());
  config_.limits.loop_lag_high = config::Duration(1);
  const auto all_behind = [&] {
    protection_->look();
    return shared_.population.workers_behind.load() == 2;
  };
  ASSERT_TRUE(test::eventually(all_behind));
  unsigned in = 0;
  for (int i = 0; i < 100; ++i) in += protection_->takes_in() ? 1U : 0U;
  EXPECT_LT(in, 100U);
  EXPECT_EQ(shared_.population.held_accepts.load(), 100U - in);
  config_.limits.loop_lag_high = config::Duration(0);
  EXPECT_TRUE(protection_->takes_in());
  EXPECT_TRUE(protection_->takes_in());
}

TEST_F(SelfProtectionTest, NewClientsGoToAWorkerThatKeepsUp) {
  auto runtime = std::make_shared<Runtime>();
  runtime->config = std::make_shared<const config::Config>(config_);
  workers_[1]->start(runtime);
  config_.limits.loop_lag_high = config::Duration(1);
  // The first would be as good; its thread has not begun.
  EXPECT_TRUE(test::eventually([&] { return &protection_->host() == workers_[1].get(); }));
  EXPECT_TRUE(protection_->takes_in());
  workers_[1]->stop();
}

TEST_F(SelfProtectionTest, LooksAgainAndAgain) {
  protection_->start();
  resident_ = std::uint64_t{20} << 20;
  EXPECT_TRUE(test::eventually([&] { return protection_->refusal() != Fault::none; },
                               [&] {
                                 io_.restart();
                                 io_.run_one_for(std::chrono::milliseconds(5));
                               }));
}

}  // namespace
}  // namespace weirpool::proxy
