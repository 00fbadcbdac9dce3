// A worker's part in the console, proxy/worker_console.cpp.
#include <future>

#include "config/limits.hpp"
#include "tests/proxy/control_rig.hpp"

namespace weirpool::proxy {
namespace {

using test::ToyClient;

class WorkerConsoleTest : public ControlRig {
 protected:
  Worker::Links links_of(unsigned worker) {
    std::promise<Worker::Links> promise;
    workers_[worker]->inspect([&](Worker::Links links) { promise.set_value(std::move(links)); });
    return promise.get_future().get();
  }
  Worker::Count census_of(unsigned worker, const std::string& database) {
    std::promise<Worker::Count> promise;
    workers_[worker]->count(database, [&](Worker::Count census) { promise.set_value(census); });
    return promise.get_future().get();
  }
};

TEST_F(WorkerConsoleTest, DescribesMoreSessionsThanItDoesAtOnce) {
  std::vector<ToyClient> clients;
  const std::size_t many = 2 * config::kInspectAtOnce + 10;
  for (std::size_t i = 0; i < many; ++i) clients.push_back(logged_in());
  EXPECT_EQ(links_of(0).clients.size() + links_of(1).clients.size(), many);
}

TEST_F(WorkerConsoleTest, CountsByDatabase) {
  ToyClient client = logged_in();
  EXPECT_EQ(client.ask("begin"), "open");
  EXPECT_EQ(census_of(0, "shop").backends + census_of(1, "shop").backends, 1U);
  EXPECT_EQ(census_of(0, "other").backends + census_of(1, "other").backends, 0U);
  EXPECT_EQ(census_of(0, "").backends + census_of(1, "").backends, 1U);
  for (const auto& worker : workers_) worker->recall("shop");
  EXPECT_EQ(census_of(0, "").recalled + census_of(1, "").recalled, 1U);
  EXPECT_EQ(client.ask("commit"), "idle");
}

TEST_F(WorkerConsoleTest, KnowsConsolesFromClients) {
  ToyClient console = logged_in("app", "console");
  ToyClient client = logged_in();
  EXPECT_EQ(client.ask("echo a"), "= a,idle");
  std::size_t consoles = 0;
  for (const auto& worker : workers_) {
    std::promise<Worker::Stillness> promise;
    worker->stillness([&](Worker::Stillness now) { promise.set_value(now); });
    const Worker::Stillness now = promise.get_future().get();
    EXPECT_EQ(now.unflushed, 0U);
    consoles += now.consoles;
  }
  EXPECT_EQ(consoles, 1U);
}

TEST_F(WorkerConsoleTest, ANewPoolOfAHeldDatabaseIsHeldToo) {
  auto steering = std::make_shared<Steering>();
  steering->held.insert("shop");
  for (const auto& worker : workers_) worker->steer(steering);
  ToyClient client = this->client();
  client.send("user app shop\n");
  EXPECT_TRUE(until([&] {
    return census_of(0, "shop").backends == 0 &&
           workers_[0]->pools().size() + workers_[1]->pools().size() == 1;
  }));
  EXPECT_EQ(server_.counts().accepted, 0U);
  for (const auto& worker : workers_) worker->steer(std::make_shared<const Steering>());
  EXPECT_TRUE(client.line().starts_with("welcome "));
}

TEST_F(WorkerConsoleTest, AConsoleSurvivesAKillOfEverything) {
  ToyClient console = logged_in("app", "console");
  ToyClient client = logged_in();
  for (const auto& worker : workers_) worker->kill("");
  EXPECT_EQ(client.line(), "fault killed");
  console.send("SHOW VERSION\n");
  EXPECT_TRUE(console.line().starts_with("= PgBouncer 1.25"));
}

}  // namespace
}  // namespace weirpool::proxy
