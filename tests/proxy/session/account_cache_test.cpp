#include "proxy/session/account_cache.hpp"

#include <gtest/gtest.h>

#include "config/limits.hpp"
#include "tests/support/toy_dialect.hpp"

namespace weirpool::proxy {
namespace {

using protocol::Fault;

const AccountCache::Key kApp{nullptr, "app"};
const TimePoint kNow{std::chrono::hours(1)};

FindingRef finding(TimePoint expires, bool known = true, Fault fault = Fault::none) {
  auto made = std::make_shared<Finding>();
  if (known) made->secret = std::make_shared<test::ToySecret>();
  made->fault = fault;
  made->asked = kNow;
  made->expires = expires;
  return made;
}

TEST(AccountCacheTest, ManyWhoAskAreAnsweredByOneQuestion) {
  AccountCache cache;
  int answered = 0;
  const auto done = [&answered](const FindingRef&) { ++answered; };
  EXPECT_TRUE(cache.begin(kApp, done));
  EXPECT_FALSE(cache.begin(kApp, done));
  EXPECT_TRUE(cache.begin({nullptr, "bob"}, done));
  cache.finish(kApp, finding(kNow + std::chrono::seconds(1)));
  EXPECT_EQ(answered, 2);
  EXPECT_TRUE(cache.begin(kApp, done));
}

TEST(AccountCacheTest, AnswersAreBelievedForAWhile) {
  AccountCache cache;
  EXPECT_EQ(cache.find(kApp, kNow), nullptr);
  cache.finish(kApp, finding(kNow + std::chrono::seconds(5)));
  EXPECT_NE(cache.find(kApp, kNow + std::chrono::seconds(4)), nullptr);
  EXPECT_EQ(cache.find(kApp, kNow + std::chrono::seconds(5)), nullptr);
  // What was known last still serves backends.
  EXPECT_NE(cache.last(kApp), nullptr);
}

TEST(AccountCacheTest, WhatCouldNotBeAskedIsNotRemembered) {
  AccountCache cache;
  const FindingRef known = finding(kNow + std::chrono::seconds(5));
  cache.finish(kApp, known);
  cache.finish(kApp, finding(kNow + std::chrono::seconds(5), false, Fault::backend_unavailable));
  EXPECT_EQ(cache.find(kApp, kNow), known);
}

TEST(AccountCacheTest, StrangersTakeAfterAlwaysTheSameUser) {
  AccountCache cache;
  const TimePoint later = kNow + std::chrono::seconds(5);
  EXPECT_EQ(cache.sample(nullptr), nullptr);
  cache.finish({nullptr, "nobody"}, finding(later, false));
  EXPECT_EQ(cache.sample(nullptr), nullptr);
  const FindingRef app = finding(later);
  cache.finish(kApp, app);
  cache.finish({nullptr, "bob"}, finding(later));
  EXPECT_EQ(cache.sample(nullptr), app->secret);
  // With what is stored for it now.
  const FindingRef changed = finding(later);
  cache.finish(kApp, changed);
  EXPECT_EQ(cache.sample(nullptr), changed->secret);
  cache.finish(kApp, finding(later, false));
  EXPECT_EQ(cache.sample(nullptr), changed->secret);
}

TEST(AccountCacheTest, AUserThatIsGoneIsForgotten) {
  AccountCache cache;
  cache.finish(kApp, finding(kNow + std::chrono::seconds(5)));
  cache.finish(kApp, finding(kNow + std::chrono::seconds(5), false));
  EXPECT_EQ(cache.last(kApp)->secret, nullptr);
}

TEST(AccountCacheTest, DoubtLeadsToAnotherQuestionButNotToMany) {
  AccountCache cache;
  cache.finish(kApp, finding(kNow + std::chrono::hours(1)));
  cache.doubt(kApp, kNow + config::kLookUpAgainAfter / 2);
  EXPECT_NE(cache.find(kApp, kNow), nullptr);
  cache.doubt(kApp, kNow + config::kLookUpAgainAfter);
  EXPECT_EQ(cache.find(kApp, kNow), nullptr);
  EXPECT_NE(cache.last(kApp), nullptr);
}

TEST(AccountCacheTest, MadeUpNamesDoNotDriveOutUsers) {
  AccountCache cache;
  cache.finish(kApp, finding(kNow + std::chrono::hours(1)));
  for (std::size_t i = 0; i <= config::kMaxCachedStrangers; ++i) {
    cache.finish({nullptr, std::to_string(i)}, finding(kNow + std::chrono::hours(1), false));
  }
  EXPECT_NE(cache.find(kApp, kNow), nullptr);
  EXPECT_EQ(cache.find({nullptr, "0"}, kNow), nullptr);
}

TEST(AccountCacheTest, IsBounded) {
  AccountCache cache;
  cache.finish(kApp, finding(kNow));
  for (std::size_t i = 0; i < config::kMaxCachedAccounts; ++i) {
    cache.finish({nullptr, std::to_string(i)}, finding(kNow + std::chrono::hours(1)));
  }
  // The one that had expired made room.
  EXPECT_EQ(cache.last(kApp), nullptr);
  EXPECT_NE(cache.last({nullptr, "0"}), nullptr);
}

}  // namespace
}  // namespace weirpool::proxy
