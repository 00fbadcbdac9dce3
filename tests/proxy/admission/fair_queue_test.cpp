#include "proxy/admission/fair_queue.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace weirpool::proxy::admission {
namespace {

using std::chrono::milliseconds;
using Order = FairQueue::Order;

struct Place : Ticket {
  std::string who;
};

class FairQueueTest : public testing::Test {
 protected:
  Flow flow(std::uint64_t node, Class importance = Class::normal, const std::string& app = "") {
    return queue.flow(importance, Source{node}, app);
  }
  void push(const Flow& flow, const std::string& who) {
    places.emplace_back();
    places.back().who = who;
    queue.push(places.back(), flow, now);
    now += std::chrono::microseconds(1);
  }
  std::string pick(Order order = Order::oldest_first, int cost = 10) {
    Ticket* ticket = queue.pick(order, milliseconds(cost), now);
    return ticket ? static_cast<Place*>(ticket)->who : "";
  }

  std::deque<Place> places;
  FairQueue queue;
  TimePoint now = TimePoint(std::chrono::hours(1));
};

TEST_F(FairQueueTest, OneSourceIsServedInItsOrder) {
  const Flow node = flow(1);
  for (const char* who : {"a", "b", "c"}) push(node, who);
  EXPECT_EQ(pick(), "a");
  EXPECT_EQ(pick(Order::newest_first), "c");
  EXPECT_EQ(pick(), "b");
  EXPECT_EQ(pick(), "");
}

TEST_F(FairQueueTest, SourcesTakeTurnsHoweverManyTicketsOneHas) {
  const Flow hog = flow(1);
  const Flow polite = flow(2);
  for (int i = 0; i < 100; ++i) push(hog, "hog");
  for (int i = 0; i < 10; ++i) push(polite, "polite");
  std::map<std::string, int> served;
  for (int i = 0; i < 20; ++i) ++served[pick()];
  EXPECT_EQ(served["polite"], 10);
}

TEST_F(FairQueueTest, ANewcomerGoesBeforeThoseWhoHadTheirTurn) {
  const Flow hog = flow(1);
  for (int i = 0; i < 10; ++i) push(hog, "hog");
  pick();
  pick();
  push(flow(2), "new");
  EXPECT_EQ(pick(), "new");
}

TEST_F(FairQueueTest, WhoHoldsBackendsForLongerGetsThemLessOften) {
  const Flow slow = flow(1);
  const Flow quick = flow(2);
  std::map<std::string, double> held;
  for (int i = 0; i < 1000; ++i) {
    if (FairQueue::waiting_beside(slow) == 0) push(slow, "slow");
    if (FairQueue::waiting_beside(quick) < 2) push(quick, "quick");
    if (FairQueue::waiting_beside(quick) < 2) push(quick, "quick");
    const std::string who = pick();
    const int cost = who == "slow" ? 90 : 10;
    held[who] += cost;
    // 10 ms were charged at the pick.
    queue.charge((who == "slow" ? slow : quick).node(), milliseconds(cost - 10), now);
  }
  EXPECT_NEAR(held["slow"] / held["quick"], 1.0, 0.1);
}

TEST_F(FairQueueTest, ClassesShareByWeightAndNoneStarves) {
  std::map<std::string, int> served;
  std::vector<Flow> flows;
  for (std::size_t i = 0; i < kClasses; ++i) {
    flows.push_back(flow(i + 1, static_cast<Class>(i)));
    for (int n = 0; n < 400; ++n) push(flows.back(), std::string(kClassLabels[i]));
  }
  for (int i = 0; i < 375; ++i) ++served[pick()];
  EXPECT_NEAR(served["critical"], 200, 4);
  EXPECT_NEAR(served["high"], 100, 4);
  EXPECT_NEAR(served["normal"], 50, 4);
  EXPECT_NEAR(served["sheddable"], 25, 4);
}

TEST_F(FairQueueTest, ASiblingIsTheSameSourceInAnotherClass) {
  const Flow usual = flow(1);
  const Flow urgent = queue.sibling(usual, Class::critical);
  EXPECT_EQ(urgent.importance(), Class::critical);
  EXPECT_EQ(urgent.node(), flow(1, Class::critical).node());
  EXPECT_NE(urgent.node(), flow(2, Class::critical).node());
}

TEST_F(FairQueueTest, ApplicationsDivideOnlyWhatTheirAddressGets) {
  std::vector<Flow> apps;
  for (int i = 0; i < 8; ++i) {
    apps.push_back(flow(1, Class::normal, "app" + std::to_string(i)));
    for (int n = 0; n < 20; ++n) push(apps.back(), "many");
  }
  const Flow single = flow(2, Class::normal, "one");
  for (int n = 0; n < 20; ++n) push(single, "single");
  std::map<std::string, int> served;
  for (int i = 0; i < 40; ++i) ++served[pick()];
  EXPECT_NEAR(served["single"], 20, 1);
}

TEST_F(FairQueueTest, DebtsAreVoidOnceTheLineWasEmpty) {
  const Flow debtor = flow(1);
  const Flow other = flow(2);
  push(debtor, "debtor");
  push(other, "other");
  EXPECT_EQ(pick(), "debtor");
  queue.charge(debtor.node(), std::chrono::seconds(10), now);
  EXPECT_EQ(pick(), "other");
  push(other, "other");
  push(debtor, "debtor");
  EXPECT_EQ(pick(), "other");
  EXPECT_EQ(pick(), "debtor");
}

TEST_F(FairQueueTest, RoundsThatPassWhileADebtorIsAwayPayItsDebt) {
  const Flow debtor = flow(1);
  const Flow busy = flow(2);
  const Flow other = flow(3);
  for (int i = 0; i < 400; ++i) push(busy, "busy");
  for (int i = 0; i < 400; ++i) push(other, "other");
  push(debtor, "debtor");
  while (pick() != "debtor") {
  }
  queue.charge(debtor.node(), milliseconds(200), now);
  push(debtor, "debtor");
  for (int i = 0; i < 20; ++i) EXPECT_NE(pick(), "debtor") << i;
  queue.erase(places.back());
  for (int i = 0; i < 60; ++i) pick();
  push(debtor, "debtor");
  EXPECT_EQ(pick(), "debtor");
}

TEST_F(FairQueueTest, WhoLeavesIsForgotten) {
  const Flow node = flow(1);
  push(node, "a");
  push(node, "b");
  queue.erase(places.front());
  EXPECT_FALSE(places.front().queued());
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(pick(), "b");
  EXPECT_EQ(queue.oldest_since(), TimePoint::max());
}

TEST_F(FairQueueTest, TheVictimIsTheOldestOfTheFattestOfTheLeastImportant) {
  const Flow important = flow(1, Class::high);
  for (int i = 0; i < 9; ++i) push(important, "important");
  const Flow thin = flow(2);
  push(thin, "thin");
  const Flow fat = flow(3);
  push(fat, "oldest of the fat");
  push(fat, "fat");
  EXPECT_EQ(static_cast<Place&>(queue.victim()).who, "oldest of the fat");
  while (queue.waiting(Class::normal) > 0) queue.erase(queue.victim());
  EXPECT_EQ(static_cast<Place&>(queue.victim()).who, "important");
}

TEST_F(FairQueueTest, ModestIsWhoStandsWithLessThanAQuarterOfTheOthers) {
  const Flow thin = flow(1);
  const Flow fat = flow(2);
  push(thin, "thin");
  EXPECT_FALSE(FairQueue::modest(places.back()));
  EXPECT_TRUE(FairQueue::greedy(places.back()));
  for (int i = 0; i < 9; ++i) push(fat, "fat");
  EXPECT_TRUE(FairQueue::modest(places.front()));
  EXPECT_FALSE(FairQueue::modest(places.back()));
  EXPECT_FALSE(FairQueue::greedy(places.front()));
  EXPECT_TRUE(FairQueue::greedy(places.back()));
}

TEST_F(FairQueueTest, ASourceStandsForAsLongAsItsPaceNeedsForThoseInIt) {
  const Flow slow = flow(1);
  const Flow other = flow(2);
  push(slow, "slow");
  EXPECT_EQ(queue.standing(slow), Duration::zero());
  for (int i = 0; i < 49; ++i) push(slow, "slow");
  for (int i = 0; i < 90; ++i) push(other, "other");
  for (int i = 0; i < 80; ++i) {
    now += milliseconds(5);
    pick();
  }
  // Each has a turn every 10 ms, and has had 40.
  EXPECT_NEAR(static_cast<double>(queue.standing(slow).count()), 10 * 10e6, 5e6);
  while (queue.size() != 0) pick();
  push(slow, "slow");
  EXPECT_EQ(queue.standing(slow), Duration::zero()) << "nobody waited for a while";
}

TEST_F(FairQueueTest, DebtIsWhatASourceHasHadBeyondItsTurns) {
  const Flow slow = flow(1);
  const Flow other = flow(2);
  EXPECT_EQ(queue.debt(slow), Duration::zero());
  push(slow, "slow");
  for (int i = 0; i < 20; ++i) push(other, "other");
  ASSERT_EQ(pick(), "slow");
  queue.charge(slow.node(), milliseconds(90), now);
  const Duration owed = queue.debt(slow);
  EXPECT_GT(owed, milliseconds(80));
  EXPECT_LE(owed, milliseconds(100));
  for (int i = 0; i < 10; ++i) ASSERT_EQ(pick(), "other");
  EXPECT_LT(queue.debt(slow), owed) << "paid by the turns of others";
  while (queue.size() != 0) pick();
  EXPECT_EQ(queue.debt(slow), Duration::zero()) << "nobody waits for anything";
}

TEST_F(FairQueueTest, ASiftGoesFromTheOldestAndStopsWhenTold) {
  using Sift = FairQueue::Sift;
  const Flow node = flow(1);
  for (const char* who : {"a", "b", "c", "d", "e"}) push(node, who);
  std::vector<Ticket*> taken;
  const auto judge = [](const Ticket& ticket) {
    const std::string& who = static_cast<const Place&>(ticket).who;
    return who == "d" ? Sift::stop : who == "b" ? Sift::leave : Sift::take;
  };
  queue.sift(Class::high, judge, taken);
  EXPECT_TRUE(taken.empty());
  queue.sift(Class::normal, judge, taken);
  EXPECT_EQ(taken, (std::vector<Ticket*>{&places[0], &places[2]}));
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(pick(), "b");
}

TEST_F(FairQueueTest, SourcesAreKnownByWhatTheyDidAndForgottenWhenNobodyHasThem) {
  std::map<std::uint64_t, TimePoint> seen;
  const auto look = [&] {
    seen.clear();
    queue.visit_sources([&](std::uint64_t key, TimePoint used) { seen[key] = used; });
  };
  Flow stays = flow(1);
  {
    const Flow goes = flow(2);
    push(goes, "a");
    pick();
  }
  look();
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1], TimePoint{});
  queue.sweep(now + milliseconds(5), std::chrono::seconds(1));
  look();
  EXPECT_EQ(seen.size(), 2U);
  queue.sweep(now + std::chrono::seconds(2), std::chrono::seconds(1));
  look();
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_TRUE(seen.contains(1));
}

TEST_F(FairQueueTest, BeyondTheExactTableSourcesShareBuckets) {
  std::vector<Flow> flows;
  for (std::uint64_t i = 1; i <= 10'000; ++i) flows.push_back(flow(i << 33U));
  std::set<const FlowNode*> distinct;
  for (const Flow& one : flows) distinct.insert(one.node());
  EXPECT_GT(distinct.size(), 4096U);
  EXPECT_LE(distinct.size(), 4096U + 1024U);
}

}  // namespace
}  // namespace weirpool::proxy::admission
