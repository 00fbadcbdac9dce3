#include "proxy/session/session.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using metrics::ClientState;
using metrics::CloseReason;
using test::ToyClient;
using test::ToyCounts;
using test::ToyWorld;

TEST(SessionTest, AnswersComeBackAndTheBackendIsShared) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(first.ask("echo one"), "= one,idle");
  EXPECT_EQ(second.ask("echo two"), "= two,idle");
  EXPECT_EQ(world.server.counts().logins, 1U);
  EXPECT_EQ(world.pool().metrics().transactions.get(), 2U);
}

TEST(SessionTest, PipelinedLinesAreAnsweredInOrder) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += "echo " + std::to_string(i) + "\n";
  ASSERT_TRUE(client.send(lines));
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(client.answer(), "= " + std::to_string(i) + ",idle");
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(SessionTest, ALineMayArriveByteByByte) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  for (const char byte : std::string("echo slowly\n")) {
    client.send(std::string(1, byte));
    world.turn();
  }
  EXPECT_EQ(client.answer(), "= slowly,idle");
}

TEST(SessionTest, ATransactionKeepsItsBackendToItsEnd) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  second.send("echo me\n");
  ASSERT_TRUE(world.until([&] { return world.clients(ClientState::waiting) == 1; }));
  EXPECT_EQ(first.ask("echo in"), "= in,open");
  EXPECT_FALSE(second.has_line());
  EXPECT_EQ(first.ask("commit"), "idle");
  EXPECT_EQ(second.answer(), "= me,idle");
}

TEST(SessionTest, ClientsAreCountedByWhatTheyDo) {
  ToyWorld world(1);
  ToyClient first = world.client();
  ASSERT_TRUE(world.until([&] { return world.clients(ClientState::login) == 1; }));
  EXPECT_EQ(first.log_in(), "welcome");
  EXPECT_TRUE(world.until([&] { return world.clients(ClientState::idle) == 1; }));
  EXPECT_EQ(world.clients(ClientState::login), 0);
  EXPECT_EQ(first.ask("begin"), "open");
  EXPECT_EQ(world.clients(ClientState::active), 1);
  first.close();
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(world.clients(ClientState::active), 0);
}

TEST(SessionTest, AClientMayAskForLessPatienceThanIsConfigured) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("patience 1"), "idle");
  EXPECT_EQ(client.answer(), "fault client_idle_timeout");
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
}

TEST(SessionTest, SuspendedNothingIsReadAndNothingIsLost) {
  ToyWorld world(2);
  ToyClient idle = world.logged_in();
  ToyClient inside = world.logged_in();
  EXPECT_EQ(inside.ask("begin"), "open");
  world.stand_still(true);
  idle.send("echo one\n");
  inside.send("echo two\n");
  world.settle();
  EXPECT_EQ(world.server.counts().logins, 1U) << "nobody has asked for a backend";
  EXPECT_FALSE(idle.has_line());
  EXPECT_FALSE(inside.has_line());
  EXPECT_FALSE(world.session_of(1).unflushed());
  world.stand_still(false);
  EXPECT_EQ(idle.answer(), "= one,idle");
  EXPECT_EQ(inside.answer(), "= two,open");
}

TEST(SessionTest, SuspendedAnswersWaitAtTheBackend) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  client.send("slow answer\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  world.stand_still(true);
  world.server.release_slow();
  world.settle();
  EXPECT_FALSE(client.has_line());
  world.stand_still(false);
  EXPECT_EQ(client.answer(), "= answer,idle");
}

TEST(SessionTest, WhatHasBeenReadIsTakenBeforeItIsStill) {
  ToyWorld world(1);
  world.client_send_buffer = 4096;
  ToyClient client = world.client(4096);
  EXPECT_EQ(client.log_in(), "welcome");
  client.send("big 400000\n");
  ASSERT_TRUE(world.until([&] { return world.session_of(1).unflushed(); }));
  world.stand_still(true);
  world.settle();
  EXPECT_TRUE(world.session_of(1).unflushed());
  EXPECT_EQ(client.line(), "data 400000");
  EXPECT_EQ(client.bytes(10'000).size(), 10'000U);
  world.settle();
  world.stand_still(false);
  EXPECT_EQ(client.bytes(390'000).size(), 390'000U);
  EXPECT_EQ(client.answer(), "idle");
}

// --- clients that become somebody else -----------------------------------------------------------

TEST(SessionTest, AClientLogsInAsSomebodyElseWithinItsSession) {
  ToyWorld world(2);
  world.config.users["other"] = world.config.users.begin()->second;
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("dirty"), "idle!");
  ASSERT_TRUE(client.send("user other shelf\necho me\n"));
  const std::string heard = client.answer();
  EXPECT_TRUE(heard.starts_with("welcome ")) << heard;
  EXPECT_TRUE(heard.ends_with(",= me,idle")) << heard;
  EXPECT_EQ(world.pool("shelf", "other").metrics().transactions.get(), 1U);
  EXPECT_EQ(world.logins_again, 1U);
  EXPECT_EQ(world.logins_over, 2U);
  EXPECT_EQ(world.clients(ClientState::login), 0);
}

TEST(SessionTest, WhoMayNotBecomeThatHasToLeaveAndItsBackendStaysClean) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  EXPECT_EQ(client.ask("user nobody shop"), "fault login_denied");
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0; }));
  EXPECT_EQ(world.closed(world.pool(), CloseReason::client_gone), 1U);
  EXPECT_EQ(world.logins_over, world.logins_again + 1);
}

// --- clients that leave --------------------------------------------------------------------------

TEST(SessionTest, AClientThatLeavesTheLineIsNotServed) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  {
    ToyClient second = world.logged_in();
    second.send("echo nobody\n");
    ASSERT_TRUE(world.until([&] { return world.clients(ClientState::waiting) == 1; }));
    ToyClient third = world.logged_in();
    third.send("echo nobody\n");
    ASSERT_TRUE(world.until([&] { return world.clients(ClientState::waiting) == 2; }));
  }
  ASSERT_TRUE(world.until([&] { return world.sessions() == 1; }));
  EXPECT_EQ(world.pool().metrics().waiting.get(), 0);
  EXPECT_EQ(first.ask("commit"), "idle");
  EXPECT_EQ(world.server.commands(), (std::vector<std::string>{"begin", "commit"}));
}

TEST(SessionTest, AGoodbyeAtABoundaryKeepsTheBackend) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("echo one"), "= one,idle");
  client.send("bye\n");
  EXPECT_EQ(client.line(), "<closed>");
  EXPECT_EQ(world.pool().metrics().idle.get(), 1);
}

// --- reset, leftovers ----------------------------------------------------------------------------

TEST(SessionTest, ADirtyBackendIsResetBeforeItIsLentAgain) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(first.ask("dirty"), "idle!");
  EXPECT_EQ(second.ask("state"), "= clean,idle");
  EXPECT_EQ(world.server.counts().resets, 1U);
  EXPECT_EQ(world.server.counts().logins, 1U);
}

TEST(SessionTest, ABackendThatCannotBeResetIsRetired) {
  ToyWorld world(1);
  world.server.answer_resets("= no\n");
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("dirty"), "idle!");
  EXPECT_EQ(first.ask("state"), "= clean,idle");
  EXPECT_EQ(world.closed(world.pool(), CloseReason::reset_failed), 1U);
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(SessionTest, AResetWithoutAnAnswerHasAnEnd) {
  ToyWorld world(1);
  world.config.timeouts.reset_timeout = config::Duration(20);
  world.apply();
  world.server.answer_resets("");
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("dirty"), "idle!");
  EXPECT_EQ(first.ask("state"), "= clean,idle");
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(SessionTest, BytesBehindTheEndOfAnAnswerRetireTheBackend) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("extra"), "idle");
  EXPECT_EQ(first.ask("echo clean"), "= clean,idle");
  EXPECT_EQ(world.server.counts().logins, 2U);
}

// --- backends that fail --------------------------------------------------------------------------

TEST(SessionTest, ABackendLostInsideAMessageClosesWithoutAnError) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  client.send("die half\n");
  EXPECT_EQ(client.line(), "data 100");
  EXPECT_EQ(client.bytes(100), "only the beginning");
  EXPECT_TRUE(client.ended());
}

TEST(SessionTest, ABackendLostBetweenMessagesIsSaid) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("die word"), "= a whole line,fault backend_lost");
  EXPECT_EQ(client.line(), "<closed>");
  ToyClient other = world.logged_in();
  EXPECT_EQ(other.ask("die"), "fault backend_lost");
  EXPECT_TRUE(world.until([&] { return world.target.ledger().open() == 0; }));
}

TEST(SessionTest, WhatALostBackendStillOwedWeirpoolIsNotTakenFromTheNext) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("die aside"), "fault backend_lost");
  EXPECT_EQ(client.ask("echo all of it"), "= all of it,idle");
}

TEST(SessionTest, WhatNoBackendWasGivenGoesToAnotherOneButNotForEver) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("doomed"), "fault backend_lost");
  EXPECT_EQ(client.line(), "<closed>");
  EXPECT_EQ(world.server.counts().logins, 4U);
  EXPECT_EQ(world.target.retries(), 3U);
}

TEST(SessionTest, RetriesAreBoundedForTheWholeServerAndTheSessionIsKept) {
  ToyWorld world(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(world.logged_in().ask("doomed"), "fault backend_lost") << i;
  }
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("doomed"), "fault backend_down");
  EXPECT_EQ(world.target.retries(), 11U) << "ten, and one for more than ten requests";
  EXPECT_EQ(world.target.retries_refused(), 1U);
  EXPECT_EQ(client.ask("echo still here"), "= still here,idle");
  EXPECT_EQ(client.ask("doomed"), "fault backend_down");
  const auto& shed = world.pool().metrics().classes[2].shed;
  EXPECT_EQ(shed[static_cast<std::size_t>(metrics::ShedReason::backend_down)].get(), 2U);
}

// What has been asked of it before is known, though it is counted by each worker for itself.
TEST(SessionTest, ABusyServerMayBeAskedAgainMoreOften) {
  ToyWorld world(1);
  ToyClient busy = world.logged_in();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(busy.ask("echo on"), "= on,idle");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(world.logged_in().ask("doomed"), "fault backend_lost") << i;
  }
  EXPECT_EQ(world.target.retries(), 30U);
}

TEST(SessionTest, ABackendThatTalksNonsenseIsRetiredAndSaid) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("garbage"), "fault backend_violation");
  ToyClient other = world.logged_in();
  EXPECT_EQ(other.ask("echo fine"), "= fine,idle");
  EXPECT_EQ(world.server.counts().logins, 2U);
}

TEST(SessionTest, ADeadIdleBackendIsInvisible) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(client.ask("echo fine"), "= fine,idle");
    world.server.kill_all();
  }
  EXPECT_EQ(world.server.counts().logins, 10U);
}

TEST(SessionTest, WhileTheServerIsDownClientsWait) {
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  world.server.stop();
  client.send("echo late\n");
  ASSERT_TRUE(world.until([&] { return world.pool().metrics().connects_failed.get() >= 3; }));
  EXPECT_FALSE(client.has_line());
  world.server.start();
  EXPECT_EQ(client.answer(), "= late,idle");
}

// --- waiting in line -----------------------------------------------------------------------------

TEST(SessionTest, WhoWaitsTooLongIsRefusedAndStays) {
  ToyWorld world(1);
  world.config.timeouts.query_wait_timeout = config::Duration(30);
  world.apply();
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  second.send("put 3\nabc");
  EXPECT_EQ(second.answer(), "fault pool_timeout");
  EXPECT_EQ(world.clients(ClientState::idle), 1);
  EXPECT_EQ(first.ask("commit"), "idle");
  EXPECT_EQ(second.ask("echo again"), "= again,idle");
}

TEST(SessionTest, AFullLineRefusesAndTheSessionStays) {
  ToyWorld world(1);
  world.config.limits.max_waiting_clients = 1;
  world.apply();
  ToyClient first = world.logged_in();
  ToyClient second = world.logged_in();
  ToyClient third = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  second.send("echo two\n");
  ASSERT_TRUE(world.until([&] { return world.clients(ClientState::waiting) == 1; }));
  EXPECT_EQ(third.ask("echo three"), "fault pool_queue_full");
  EXPECT_EQ(first.ask("commit"), "idle");
  EXPECT_EQ(second.answer(), "= two,idle");
  EXPECT_EQ(third.ask("echo three"), "= three,idle");
}

TEST(SessionTest, IdleInATransactionForTooLongEndsIt) {
  ToyWorld world(1);
  world.config.timeouts.idle_transaction_timeout = config::Duration(30);
  world.apply();
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  EXPECT_EQ(client.answer(), "fault idle_transaction_timeout");
  EXPECT_EQ(client.line(), "<closed>");
  EXPECT_TRUE(world.until([&] { return world.target.ledger().open() == 0; }));
}

TEST(SessionTest, IdleForTooLongEndsTheSession) {
  ToyWorld world(1);
  world.config.timeouts.client_idle_timeout = config::Duration(30);
  world.apply();
  ToyClient client = world.logged_in();
  EXPECT_EQ(client.answer(), "fault client_idle_timeout");
}

TEST(SessionTest, AStatementMayTakeItsTime) {
  ToyWorld world(1);
  world.config.timeouts.client_idle_timeout = config::Duration(30);
  world.config.timeouts.idle_transaction_timeout = config::Duration(30);
  world.apply();
  ToyClient client = world.logged_in();
  client.send("slow answer\n");
  const TimePoint until = Clock::now() + config::Duration(100);
  ASSERT_TRUE(world.until([&] { return Clock::now() > until; }));
  world.server.release_slow();
  EXPECT_EQ(client.answer(), "= answer,idle");
}

// --- large messages ------------------------------------------------------------------------------

TEST(SessionTest, ASlowReaderStopsItsBackendAndGetsEverything) {
  constexpr std::size_t kSize = 32U << 20U;
  ToyWorld world(1);
  ToyClient client = world.client(65536);
  EXPECT_EQ(client.log_in(), "welcome");
  client.send("big " + std::to_string(kSize) + "\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().sent > 100000; }));
  world.settle();
  EXPECT_LT(world.server.counts().sent, kSize);
  EXPECT_EQ(client.line(), "data " + std::to_string(kSize));
  const std::string body = client.bytes(kSize);
  ASSERT_EQ(body.size(), kSize);
  bool intact = true;
  for (std::size_t i = 0; i < kSize; ++i) intact &= body[i] == static_cast<char>('a' + i % 23);
  EXPECT_TRUE(intact);
  EXPECT_EQ(client.answer(), "idle");
  EXPECT_EQ(client.ask("echo next"), "= next,idle");
  // Chunks that were ever in use at the same time: one each way.
  EXPECT_LE(world.loop().chunks.kept(), 2U);
}

TEST(SessionTest, ALargeUploadPassesWhole) {
  constexpr std::size_t kSize = 5'000'000;
  ToyWorld world(1);
  ToyClient client = world.logged_in();
  client.send("put " + std::to_string(kSize) + "\n" + std::string(kSize, 'z'));
  EXPECT_EQ(client.answer(), "= put 5000000 " + std::to_string(kSize * 'z') + ",idle");
  EXPECT_LE(world.loop().chunks.kept(), 2U);
}

// --- the end -------------------------------------------------------------------------------------

TEST(SessionTest, ADrainTellsIdleClientsAndWaitsForTransactions) {
  ToyWorld world(2);
  ToyClient idle = world.logged_in();
  ToyClient busy = world.logged_in();
  EXPECT_EQ(busy.ask("begin"), "open");
  world.begin_drain();
  EXPECT_EQ(idle.answer(), "fault shutting_down");
  EXPECT_EQ(idle.line(), "<closed>");
  EXPECT_EQ(busy.ask("echo still"), "= still,open");
  EXPECT_EQ(busy.ask("commit"), "idle");
  EXPECT_EQ(busy.answer(), "fault shutting_down");
  EXPECT_TRUE(world.until([&] { return world.target.ledger().open() == 0; }));
}

TEST(SessionTest, ADrainRefusesWhoWaits) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  ToyClient second = world.logged_in();
  second.send("echo me\n");
  ASSERT_TRUE(world.until([&] { return world.clients(ClientState::waiting) == 1; }));
  world.begin_drain();
  EXPECT_EQ(second.answer(), "fault shutting_down");
}

TEST(SessionTest, EvictionEndsWhatTheDrainCouldNot) {
  ToyWorld world(1);
  ToyClient busy = world.logged_in();
  busy.send("slow answer\n");
  ASSERT_TRUE(world.until([&] { return world.server.counts().slow == 1; }));
  world.begin_drain();
  world.evict_all();
  EXPECT_EQ(busy.answer(), "fault shutting_down");
  busy.close();
  EXPECT_TRUE(world.until([&] { return world.sessions() == 0 && world.all_unused(); }));
  EXPECT_EQ(world.server.counts().cancels, 1U);
}

TEST(SessionTest, ADrainDoesNotCutTheAnswerOfASlowReader) {
  // Around these sizes the tail is still in weirpool when the backend has already been given back.
  for (const std::size_t size : {12000U, 20000U, 28000U, 36000U, 44000U}) {
    ToyWorld world(1);
    world.client_send_buffer = 4096;
    ToyClient client = world.client(4096);
    EXPECT_EQ(client.log_in(), "welcome");
    client.send("big " + std::to_string(size) + "\n");
    ASSERT_TRUE(world.until([&] { return world.server.counts().sent > size; }));
    world.settle();
    world.begin_drain();
    world.settle();
    EXPECT_EQ(client.line(), "data " + std::to_string(size));
    EXPECT_EQ(client.bytes(size).size(), size);
    EXPECT_EQ(client.answer(), "idle");
  }
}

TEST(SessionTest, WhoFinishesItsLoginDuringADrainIsToldAtOnce) {
  ToyWorld world(1);
  ToyClient first = world.logged_in();
  world.begin_drain();
  ToyClient late = world.client();
  late.send("user app shop\n");
  const std::string said = late.answer();
  EXPECT_TRUE(said.ends_with("fault shutting_down")) << said;
}

}  // namespace
}  // namespace weirpool::proxy
