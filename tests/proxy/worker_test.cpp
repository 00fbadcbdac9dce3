#include "proxy/worker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/net/listener.hpp"
#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using metrics::CloseReason;
using protocol::Fault;
using test::ToyClient;
using test::ToyCounts;

/// Weirpool as the program puts it together, with the toy protocol on both sides: workers with
/// their threads, one accepting thread, the messenger between them.
class WorkerTest : public testing::Test {
 protected:
  WorkerTest() : config_(test::toy_config(server_.port(), 1)) {}

  ~WorkerTest() override {
    server_.hold_closes(false);
    server_.stop();
    for (const auto& worker : workers_) worker->begin_drain();
    for (const auto& worker : workers_) worker->evict_all();
    EXPECT_TRUE(test::eventually([&] { return shared_.population.clients.load() == 0; }));
    EXPECT_TRUE(test::eventually([&] { return target().ledger().open() == 0; }));
    for (const auto& worker : workers_) worker->stop();
    io_.stop();
    if (acceptor_.joinable()) acceptor_.join();
    EXPECT_EQ(shared_.population.logins.load(), 0U);
  }

  void start(unsigned workers, std::uint32_t max_connections) {
    config_.workers = workers;
    config_.backends["shop"].max_connections = max_connections;
    targets_["shop"] = std::make_unique<BackendTarget>(config_.backends["shop"], dialect_);
    runtime_ = make_runtime(std::make_shared<const config::Config>(config_), targets_);
    const auto route = [this](std::uint32_t id, std::vector<std::uint8_t> key,
                              std::function<void()> heard) {
      workers_[id % workers_.size()]->cancel_here(id, std::move(key), std::move(heard));
    };
    const auto route_kill = [this](const protocol::KillRequest& request, const PoolKey& asker,
                                   std::function<void(protocol::KillResult)> answer) {
      workers_[request.id % workers_.size()]->kill_here(request, asker, std::move(answer));
    };
    for (unsigned i = 0; i < workers; ++i) {
      workers_.push_back(std::make_unique<Worker>(i, config_, shared_, route, route_kill));
    }
    target().ledger().set_messenger(messenger());
    for (const auto& worker : workers_) worker->start(runtime_);
    listener_ =
        std::make_unique<Listener>(io_, config::Address{"127.0.0.1", 0}, config_.tcp,
                                   config_.timeouts.fd_retry_delay, [this](int fd) { adopt(fd); });
    listener_->start();
    acceptor_ = std::thread([this] { io_.run(); });
  }

  BackendTarget& target() { return *targets_.at("shop"); }
  /// Clients go to the workers in turn.
  ToyClient client() { return ToyClient(listener_->port()); }
  ToyClient logged_in(const std::string& database = "shop") {
    ToyClient made = client();
    EXPECT_EQ(made.log_in("app", database), "welcome");
    return made;
  }
  std::uint64_t sum(CloseReason reason) {
    std::uint64_t all = 0;
    for (const auto& worker : workers_) {
      for (const Worker::PoolNumbers& pool : worker->pools()) {
        all += pool.metrics->closed[static_cast<std::size_t>(reason)].get();
      }
    }
    return all;
  }

  test::ToyServer server_;
  test::ToyDialect dialect_;
  config::Config config_;
  Shared shared_;
  Targets targets_;
  std::shared_ptr<const Runtime> runtime_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<Fault> refusal_{Fault::none};

 private:
  void adopt(int fd) {
    shared_.population.clients.fetch_add(1);
    shared_.population.logins.fetch_add(1);
    workers_[next_++ % workers_.size()]->adopt(fd, 0, refusal_.load());
  }

  PoolLedger::Messenger messenger() {
    using Place = PoolLedger::Place;
    PoolLedger::Messenger made;
    made.slot_granted = [this](const Place& to) { workers_[to.worker]->slot_granted(to.key); };
    made.give_up_idle = [this](const Place& from) {
      workers_[from.worker]->give_up_idle(from.key);
    };
    made.hand_over_idle = [this](const Place& from, const Place& to) {
      workers_[from.worker]->hand_over_idle(from.key, to);
    };
    made.deliver = [this](const Place& to, std::shared_ptr<BackendParts> parts) {
      workers_[to.worker]->receive(to.key, std::move(parts));
    };
    return made;
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<Listener> listener_;
  std::thread acceptor_;
  std::size_t next_ = 0;
};

TEST_F(WorkerTest, ServesAClientFromItsLoginToItsGoodbye) {
  start(1, 1);
  ToyClient client = logged_in();
  EXPECT_EQ(client.ask("echo hello"), "= hello,idle");
  EXPECT_EQ(workers_[0]->sessions(), 1U);
  client.send("bye\n");
  EXPECT_EQ(client.line(), "<closed>");
  EXPECT_TRUE(test::eventually([&] { return workers_[0]->sessions() == 0; }));
  ASSERT_EQ(workers_[0]->pools().size(), 1U);
  EXPECT_EQ(workers_[0]->pools()[0].key.database, "shop");
  EXPECT_EQ(workers_[0]->pools()[0].metrics->transactions.get(), 1U);
}

TEST_F(WorkerTest, AStormNeverExceedsTheBudgetAndMixesNoAnswers) {
  start(2, 3);
  std::atomic<unsigned> right{0};
  std::atomic<unsigned> wrong{0};
  const auto live = [&](int number, std::unique_ptr<ToyClient> client) {
    for (int round = 0; round < 8; ++round) {
      const std::string token = std::to_string(number) + "/" + std::to_string(round);
      const bool fine = client->ask("begin") == "open" &&
                        client->ask("echo " + token) == "= " + token + ",open" &&
                        client->ask("commit") == "idle" &&
                        client->ask("echo " + token) == "= " + token + ",idle";
      ++(fine ? right : wrong);
      if ((number + round) % 3 != 0) continue;
      // Leaves inside a message, so that backends are closed all the time.
      client->ask("begin");
      client->send("put 100\nhalf of it");
      // Before the next login: that may need a backend, and three of these hold all there are.
      client.reset();
      client = std::make_unique<ToyClient>(logged_in(number % 5 == 0 ? "blog" : "shop"));
    }
  };
  std::vector<std::thread> clients;
  for (int number = 0; number < 50; ++number) {
    auto client = std::make_unique<ToyClient>(logged_in());
    clients.emplace_back(live, number, std::move(client));
  }
  // Every close is held back for a while: connections that are going count as well.
  std::atomic<bool> over{false};
  std::thread closer([&] {
    while (!over) {
      server_.hold_closes(true);
      const unsigned before = server_.counts().ends;
      // Not for longer: when all three are going, nobody is left to go next.
      const TimePoint until = Clock::now() + config::Duration(20);
      test::eventually(
          [&] { return over || server_.counts().ends > before || Clock::now() > until; });
      server_.hold_closes(false);
      test::eventually([&] { return over || server_.counts().open < 3; });
    }
  });
  for (std::thread& client : clients) client.join();
  over = true;
  closer.join();
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_EQ(right.load(), 400U);
  EXPECT_LE(server_.counts().most_open, 3U);
  EXPECT_GT(server_.counts().ends, 50U);
}

TEST_F(WorkerTest, ABackendFollowsTheDemandFromWorkerToWorker) {
  start(2, 1);
  ToyClient first = logged_in();
  ToyClient second = logged_in();
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(first.ask("echo a"), "= a,idle");
    EXPECT_EQ(second.ask("echo b"), "= b,idle");
  }
  EXPECT_EQ(server_.counts().logins, 1U);
}

TEST_F(WorkerTest, WhoWaitsOnTheOtherWorkerIsServedWhenATransactionEnds) {
  start(2, 1);
  ToyClient first = logged_in();
  ToyClient second = logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  second.send("echo mine\n");
  ASSERT_TRUE(test::eventually([&] { return target().ledger().wanted(); }));
  EXPECT_EQ(first.ask("commit"), "idle");
  EXPECT_EQ(second.answer(), "= mine,idle");
  EXPECT_EQ(server_.counts().logins, 1U);
}

TEST_F(WorkerTest, PoolsShareTheBudgetByEviction) {
  start(2, 2);
  std::vector<ToyClient> clients;
  for (const std::string database : {"a", "b", "c", "d"}) clients.push_back(logged_in(database));
  for (int round = 0; round < 5; ++round) {
    for (ToyClient& client : clients) EXPECT_EQ(client.ask("echo x"), "= x,idle");
  }
  EXPECT_LE(server_.counts().most_open, 2U);
  EXPECT_GT(sum(CloseReason::evicted), 0U);
}

TEST_F(WorkerTest, ALargeAnswerKeepsItsBackend) {
  start(1, 1);
  ToyClient client = logged_in();
  for (int round = 0; round < 30; ++round) {
    client.send("big 3000000\n");
    EXPECT_EQ(client.line(), "data 3000000");
    EXPECT_EQ(client.bytes(3000000).size(), 3000000U);
    EXPECT_EQ(client.answer(), "idle");
  }
  EXPECT_EQ(sum(CloseReason::stale), 0U);
  EXPECT_EQ(server_.counts().logins, 1U);
}

TEST_F(WorkerTest, ACancelFindsItsSessionOnTheOtherWorker) {
  start(2, 2);
  ToyClient client = logged_in();
  client.send("slow answer\n");
  ASSERT_TRUE(server_.wait([](const ToyCounts& now) { return now.slow == 1; }));
  ToyClient canceller = this->client();
  canceller.send("cancel " + client.cancel_key() + "\n");
  EXPECT_EQ(client.answer(), "= cancelled,idle");
  EXPECT_EQ(canceller.line(), "<closed>");
}

TEST_F(WorkerTest, ACancelKeyOfNobodyIsIgnored) {
  start(2, 1);
  for (const std::string key : {"1 00", "0", "4294967295 ffffffff"}) {
    ToyClient canceller = client();
    canceller.send("cancel " + key + "\n");
    EXPECT_EQ(canceller.line(), "<closed>");
  }
  EXPECT_EQ(server_.counts().cancels, 0U);
}

TEST_F(WorkerTest, OneTooManyIsLedToWhereItUnderstands) {
  start(1, 1);
  refusal_ = Fault::too_many_clients;
  ToyClient client = this->client();
  EXPECT_EQ(client.log_in(), "fault too_many_clients");
}

TEST_F(WorkerTest, UsersThatDoNotExistAreDenied) {
  start(1, 1);
  ToyClient client = this->client();
  EXPECT_EQ(client.log_in("nobody"), "fault login_denied");
  Signal signal;
  AccountWait nobody(target(), "nobody", signal);
  workers_[0]->look_up(nobody);
  ASSERT_TRUE(nobody.answered());
  EXPECT_EQ(nobody.account().secret, nullptr);
  AccountWait app(target(), "app", signal);
  workers_[0]->look_up(app);
  EXPECT_NE(app.account().secret, nullptr);
  EXPECT_EQ(workers_[0]->probe_user(), "app");
}

TEST_F(WorkerTest, ASecondPasswordServesDuringARotation) {
  config::PasswordSource old;
  old.value = config::Secret("old");
  config_.users["app"].old_password = old;
  server_.answer_logins([](const auto&, const auto&, const std::string& password) {
    return password == "old" ? "ok" : "refused";
  });
  start(1, 1);
  ToyClient client = logged_in();
  EXPECT_EQ(client.ask("echo fine"), "= fine,idle");
}

TEST_F(WorkerTest, AnAppliedRuntimeCountsForWhatComesNext) {
  config_.timeouts.query_wait_timeout = test::kPatience;
  start(1, 1);
  ToyClient first = logged_in();
  ToyClient second = logged_in();
  EXPECT_EQ(first.ask("begin"), "open");
  config_.timeouts.query_wait_timeout = config::Duration(20);
  config_.users.erase("batch");
  workers_[0]->apply(make_runtime(std::make_shared<const config::Config>(config_), targets_));
  EXPECT_EQ(second.ask("echo now"), "fault pool_timeout");
  ToyClient batch = client();
  EXPECT_EQ(batch.log_in("batch"), "fault login_denied");
}

TEST_F(WorkerTest, TheSweepRetiresWhatIsIdle) {
  config_.timeouts.server_idle_timeout = config::Duration(10);
  start(1, 1);
  ToyClient client = logged_in();
  EXPECT_EQ(client.ask("echo once"), "= once,idle");
  EXPECT_TRUE(server_.wait([](const ToyCounts& now) { return now.goodbyes == 1; }));
  EXPECT_EQ(client.ask("echo again"), "= again,idle");
}

TEST_F(WorkerTest, ADrainLetsTransactionsEndAndAnEvictionDoesNot) {
  start(2, 3);
  ToyClient idle = logged_in();
  ToyClient busy = logged_in();
  ToyClient stuck = logged_in();
  EXPECT_EQ(busy.ask("begin"), "open");
  stuck.send("slow answer\n");
  ASSERT_TRUE(server_.wait([](const ToyCounts& now) { return now.slow == 1; }));
  for (const auto& worker : workers_) worker->begin_drain();
  EXPECT_EQ(idle.answer(), "fault shutting_down");
  EXPECT_EQ(busy.ask("commit"), "idle");
  EXPECT_EQ(busy.answer(), "fault shutting_down");
  for (const auto& worker : workers_) worker->evict_all();
  EXPECT_EQ(stuck.answer(), "fault shutting_down");
  idle.close();
  busy.close();
  stuck.close();
  EXPECT_TRUE(test::eventually([&] { return shared_.population.clients.load() == 0; }));
  EXPECT_TRUE(test::eventually([&] { return target().ledger().open() == 0; }));
}

TEST_F(WorkerTest, KillsFindTheirSessionOnAnyWorker) {
  start(2, 4);
  std::vector<ToyClient> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(logged_in());
  for (ToyClient& killer : clients) {
    killer.send("kill 4000000\n");
    EXPECT_EQ(killer.line(), "unknown");
    for (const ToyClient& other : clients) {
      const std::string id = other.cancel_key().substr(0, other.cancel_key().find(' '));
      killer.send("kill " + id + "\n");
      EXPECT_EQ(killer.line(), "done");
    }
  }
}

}  // namespace
}  // namespace weirpool::proxy
