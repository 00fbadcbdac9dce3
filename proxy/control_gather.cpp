// What Control gathers from the workers, see control.hpp. Each is asked by a message and answers
// with another one; nobody's state is looked into.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "config/limits.hpp"
#include "proxy/control.hpp"
#include "proxy/log/log.hpp"
#include "proxy/net/chunk_pool.hpp"

namespace weirpool::proxy {
namespace {

using protocol::console::Answer;

/// The answers of all workers to one question, on the main thread.
template <class Part>
struct Round {
  Round(boost::asio::io_context& io, std::size_t workers) : timer(io), missing(workers) {}

  void finish(bool complete) {
    if (!done) return;
    timer.cancel();
    std::exchange(done, nullptr)(complete ? std::optional<Part>(std::move(sum)) : std::nullopt);
  }

  boost::asio::steady_timer timer;
  std::size_t missing;
  Part sum;
  std::function<void(std::optional<Part>)> done;
};

/// ask(worker, reply) makes the worker call reply(part) on its own thread; add(sum, part) joins.
template <class Part, class Ask, class Add>
void ask_all(boost::asio::io_context& io, const std::vector<std::unique_ptr<Worker>>& workers,
             std::function<void(std::optional<Part>)> done, Ask ask, Add add) {
  auto round = std::make_shared<Round<Part>>(io, workers.size());
  round->done = std::move(done);
  round->timer.expires_after(config::kConsoleGatherTimeout);
  round->timer.async_wait([round](boost::system::error_code error) {
    if (!error) round->finish(false);
  });
  for (const auto& worker : workers) {
    ask(*worker, [&io, round, add](Part part) {
      boost::asio::post(io, [round, add, part = std::move(part)]() mutable {
        add(round->sum, std::move(part));
        if (--round->missing == 0) round->finish(true);
      });
    });
  }
}

template <class T>
void append(std::vector<T>& to, std::vector<T>&& more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

Answer no_answer() { return Answer::failed("57014", "a worker did not answer in time"); }

}  // namespace

void Control::gather_links(std::function<void(std::optional<Worker::Links>)> done) {
  ask_all<Worker::Links>(
      io_, workers_, std::move(done),
      [](Worker& worker, auto reply) { worker.inspect(std::move(reply)); },
      [](Worker::Links& sum, Worker::Links&& part) {
        append(sum.clients, std::move(part.clients));
        append(sum.backends, std::move(part.backends));
      });
}

void Control::gather_census(const std::string& database,
                            std::function<void(std::optional<Worker::Count>)> done) {
  ask_all<Worker::Count>(
      io_, workers_, std::move(done),
      [&database](Worker& worker, auto reply) { worker.count(database, std::move(reply)); },
      [](Worker::Count& sum, Worker::Count&& part) {
        sum.backends += part.backends;
        sum.recalled += part.recalled;
      });
}

void Control::gather_stillness(std::function<void(std::optional<Worker::Stillness>)> done) {
  ask_all<Worker::Stillness>(
      io_, workers_, std::move(done),
      [](Worker& worker, auto reply) { worker.stillness(std::move(reply)); },
      [](Worker::Stillness& sum, Worker::Stillness&& part) {
        sum.unflushed += part.unflushed;
        sum.consoles += part.consoles;
      });
}

console::Report Control::report() const {
  console::Report report;
  report.config = powers_.config();
  report.numbers = powers_.numbers();
  report.period = period_;
  report.scaling = board_.signals();
  report.logins = population_.logins.load();
  report.paused = steering_->paused;
  report.suspended = steering_->suspended;
  report.paused_databases = steering_->held;
  report.disabled_databases = steering_->disabled;
  report.now = Clock::now();
  report.wall = std::chrono::system_clock::now();
  std::set<const Dialect*> dialects;
  for (const auto& [name, target] : targets_) dialects.insert(&target->dialect());
  for (const Dialect* dialect : dialects) {
    for (SharedStatement& statement : dialect->shared_statements()) {
      report.statements.push_back({std::string(dialect->name()), std::move(statement.name),
                                   std::move(statement.text), statement.users});
    }
  }
  std::uint64_t backends = 0;
  for (const auto& [name, target] : targets_) backends += target->ledger().open();
  report.sizes = {{"client", sizeof(Session), population_.clients.load()},
                  {"server", sizeof(BackendConn), backends}};
  return report;
}

void Control::show(const console::Show& table, Done done) {
  if (table.needs == console::Needs::nothing) {
    done(console::table_of(table, report()));
    return;
  }
  gather_links([this, &table, done = std::move(done)](std::optional<Worker::Links> links) {
    if (!links) return done(no_answer());
    console::Report whole = report();
    whole.clients = std::move(links->clients);
    whole.backends = std::move(links->backends);
    done(console::table_of(table, whole));
  });
}

void Control::take_period() {
  const TimePoint now = Clock::now();
  period_.older = std::move(period_.newer);
  period_.newer = console::stats_of(powers_.numbers());
  period_.seconds = std::chrono::duration<double>(now - period_began_).count();
  period_began_ = now;
  period_timer_.expires_after(config::kStatsPeriod);
  period_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) take_period();
  });
}

/// One window of the scaling signal.
void Control::take_window() {
  const TimePoint now = Clock::now();
  const config::Snapshot config = powers_.config();
  const auto bound = [&](const metrics::PoolName& name) -> std::uint32_t {
    const auto target = targets_.find(name.backend);
    if (target == targets_.end()) return 0;
    return settings_of(*config, {target->second.get(), name.database, name.user, 0}).caps.pool;
  };
  board_.read(powers_.numbers(), std::chrono::duration<double>(now - window_began_).count(), bound);
  powers_.publish(board_.signals());
  window_began_ = now;
  window_timer_.expires_after(config::kScalingWindow);
  window_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) take_window();
  });
}

/// How many statements may execute at each server, and who is told when that is fewer than allowed.
void Control::tend_arbiters() {
  const TimePoint now = Clock::now();
  const config::ElasticityMode mode = powers_.config()->admission.elasticity;
  admission::Duration next = config::kArbiterCalmTick;
  for (const auto& [name, target] : targets_) {
    const std::uint32_t most = target->ledger().usable();
    next = std::min(next, target->arbiter().tick(mode, most, now));
    const Arbiter::Finding finding = target->arbiter().finding();
    const bool limited = finding.useful != 0 && finding.useful < most;
    const bool news = limited ? limited_.insert(name).second : limited_.erase(name) > 0;
    if (!news) continue;
    log::event(log::Level::info, limited ? "fewer_useful" : "all_useful",
               limited ? "more statements at a time than this make the database no faster"
                       : "the database makes use of all its connections again",
               {{"backend", name},
                {"useful", std::uint64_t{finding.useful}},
                {"allowed", std::uint64_t{most}},
                {"elasticity", finding.elasticity.value_or(1)}});
  }
  arbiter_timer_.expires_after(next);
  arbiter_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tend_arbiters();
  });
}

// --- PAUSE and WAIT_CLOSE ------------------------------------------------------------------------

struct Control::Wait {
  explicit Wait(boost::asio::io_context& io) : timer(io) {}
  WaitFor what = WaitFor::pause;
  std::string database;
  Done done;
  bool seen_empty = false;  ///< once is not enough: a backend may be between two workers
  boost::asio::steady_timer timer;
};

void Control::wait_for(WaitFor what, const std::string& database, Done done) {
  auto wait = std::make_shared<Wait>(io_);
  wait->what = what;
  wait->database = database;
  wait->done = std::move(done);
  poll(wait);
}

void Control::poll(const std::shared_ptr<Wait>& wait) {
  if (wait->what == WaitFor::pause && !steering_->holds(wait->database)) {
    wait->done(Answer::failed("57014", "resumed before everything was paused"));
    return;
  }
  gather_census(wait->database, [this, wait](std::optional<Worker::Count> census) {
    if (!census) return wait->done(no_answer());
    const bool pausing = wait->what == WaitFor::pause;
    const bool empty = (pausing ? census->backends : census->recalled) == 0;
    if (empty && std::exchange(wait->seen_empty, true)) {
      wait->done(Answer::done(pausing ? "PAUSE" : "WAIT_CLOSE"));
      return;
    }
    if (!empty) wait->seen_empty = false;
    wait->timer.expires_after(config::kDrainPoll);
    wait->timer.async_wait([this, wait](boost::system::error_code error) {
      if (!error) poll(wait);
    });
  });
}

// --- SUSPEND -------------------------------------------------------------------------------------

struct Control::Suspension {
  explicit Suspension(boost::asio::io_context& io) : timer(io) {}
  Done done;  ///< null: it has been answered
  TimePoint until = Clock::now() + config::kSuspendPatience;
  boost::asio::steady_timer timer;
};

void Control::watch_suspension(Done done) {
  auto suspension = std::make_shared<Suspension>(io_);
  suspension->done = std::move(done);
  watch(suspension);
}

/// A suspension that nobody can end would be an outage: it lasts no longer than there is a console.
void Control::watch(const std::shared_ptr<Suspension>& suspension) {
  const auto answer = [suspension](Answer words) {
    if (suspension->done) std::exchange(suspension->done, nullptr)(std::move(words));
  };
  gather_stillness([this, suspension, answer](std::optional<Worker::Stillness> now) {
    if (!steering_->suspended) return answer(Answer::failed("57014", "resumed in the meantime"));
    const bool alone = now && now->consoles == 0;
    const bool still = now && now->unflushed == 0;
    if (alone || (!still && suspension->done && Clock::now() >= suspension->until)) {
      static_cast<void>(resume({}));
      return answer(Answer::failed(
          "57014", "clients or backends did not take what was sent to them; resumed"));
    }
    if (still) answer(Answer::done("SUSPEND"));
    suspension->timer.expires_after(suspension->done ? config::kDrainPoll : config::kSuspendLook);
    suspension->timer.async_wait([this, suspension](boost::system::error_code error) {
      if (!error) watch(suspension);
    });
  });
}

}  // namespace weirpool::proxy
