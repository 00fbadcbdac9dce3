// Workers with their threads behind one listener, and a Control on the test's own thread: what it
// does, it does inside turn().
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "proxy/control.hpp"
#include "proxy/net/listener.hpp"
#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {

class ControlRig : public testing::Test {
 protected:
  using Answer = protocol::console::Answer;

  ControlRig() {
    auto config = test::toy_config(server_.port(), 4);
    config.workers = 2;
    config.admin.users = {"app"};
    config.admin.stats_users = {"batch"};
    config_ = std::make_shared<const config::Config>(config);
    targets_["shop"] = std::make_unique<BackendTarget>(config.backends.at("shop"), dialect_);
    runtime_ = make_runtime(config_, targets_);
    for (unsigned i = 0; i < config.workers; ++i) {
      workers_.push_back(std::make_unique<Worker>(
          i, config, shared_, [](auto, auto, auto) {}, [](auto, auto, auto) {}));
    }
    targets_["shop"]->ledger().set_messenger(messenger());
    Powers powers;
    powers.config = [this] { return config_; };
    powers.numbers = [this] { return numbers(); };
    powers.reload = [this] { return reload_problem_; };
    powers.apply = [this](std::shared_ptr<config::Config> changed) { config_ = changed; };
    powers.leave = [this](Departure how) { left_.push_back(how); };
    powers.publish = [this](const scaling::Signals& signals) { published_ = signals; };
    control_ =
        std::make_unique<Control>(io_, targets_, workers_, shared_.population, std::move(powers));
    for (const auto& worker : workers_) {
      worker->set_console([this](protocol::console::Request request, auto done) {
        control_->submit(std::move(request), std::move(done));
      });
      worker->start(runtime_);
    }
    listener_ =
        std::make_unique<Listener>(accepting_, config::Address{"127.0.0.1", 0}, config.tcp,
                                   config.timeouts.fd_retry_delay, [this](int fd) { adopt(fd); });
    listener_->start();
    acceptor_ = std::thread([this] { accepting_.run(); });
  }

  ~ControlRig() override {
    server_.stop();
    for (const auto& worker : workers_) worker->begin_drain();
    for (const auto& worker : workers_) worker->evict_all();
    EXPECT_TRUE(test::eventually([&] { return shared_.population.clients.load() == 0; },
                                 [this] { turn(); }));
    EXPECT_TRUE(test::eventually([&] { return targets_["shop"]->ledger().open() == 0; },
                                 [this] { turn(); }));
    for (const auto& worker : workers_) worker->stop();
    accepting_.stop();
    acceptor_.join();
  }

  void turn() {
    io_.run_one_for(std::chrono::milliseconds(2));
    io_.restart();
  }
  /// Clients go to the workers in turn; while they wait, Control works.
  test::ToyClient client() {
    return test::ToyClient(listener_->port(), [this] { turn(); });
  }
  test::ToyClient logged_in(const std::string& user = "app", const std::string& database = "shop") {
    test::ToyClient made = client();
    EXPECT_EQ(made.log_in(user, database), "welcome");
    return made;
  }
  bool until(const std::function<bool()>& holds) {
    return test::eventually(holds, [this] { turn(); });
  }
  /// One statement, to its answer.
  Answer ask(const std::string& text, const std::string& user = "app") {
    std::optional<Answer> heard;
    begin(text, user, heard);
    EXPECT_TRUE(until([&] { return heard.has_value(); })) << text;
    return heard.value_or(Answer{});
  }
  void begin(const std::string& text, const std::string& user, std::optional<Answer>& heard) {
    protocol::console::Request request;
    request.user = user;
    request.text = text;
    control_->submit(request, [&heard](Answer answer) { heard = std::move(answer); });
  }
  std::string error(const std::string& text, const std::string& user = "app") {
    return ask(text, user).error;
  }

  test::ToyServer server_;
  test::ToyDialect dialect_;
  config::Snapshot config_;
  Shared shared_;
  Targets targets_;
  std::shared_ptr<const Runtime> runtime_;
  std::vector<std::unique_ptr<Worker>> workers_;
  boost::asio::io_context io_{1};
  std::unique_ptr<Control> control_;
  std::string reload_problem_;
  std::vector<Departure> left_;
  scaling::Signals published_;

 private:
  void adopt(int fd) {
    shared_.population.clients.fetch_add(1);
    shared_.population.logins.fetch_add(1);
    workers_[next_++ % workers_.size()]->adopt(fd, 0, protocol::Fault::none);
  }

  metrics::Snapshot numbers() {
    metrics::Snapshot all;
    for (const auto& worker : workers_) {
      all.clients.add(worker->metrics());
      for (const Worker::PoolNumbers& pool : worker->pools()) {
        all.pools[{"shop", pool.key.database, pool.key.user}].add(*pool.metrics, 0);
      }
    }
    return all;
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

  boost::asio::io_context accepting_{1};
  std::unique_ptr<Listener> listener_;
  std::thread acceptor_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace weirpool::proxy
