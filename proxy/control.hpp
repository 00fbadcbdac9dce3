// Everything an administrator can ask and order, whether by the console, by HTTP or by a signal:
// one place that gathers from the workers, and one set of verbs. Lives on the main thread; workers
// are asked by messages, never looked into.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/console/answers.hpp"
#include "proxy/runtime.hpp"
#include "proxy/steering.hpp"
#include "proxy/worker.hpp"

namespace weirpool::proxy {

enum class Departure : std::uint8_t {
  now,          ///< clients are told and closed
  at_boundary,  ///< each client leaves where its transaction ends
  lame_duck,    ///< the same, after load balancers have had time to notice
};

/// What only the server can do; all on the main thread.
struct Powers {
  std::function<config::Snapshot()> config;
  std::function<metrics::Snapshot()> numbers;
  std::function<std::string()> reload;  ///< what is wrong; empty: applied
  std::function<void(std::shared_ptr<config::Config>)> apply;
  std::function<void(Departure)> leave;
  /// For the metrics page; the signals of the window that has just ended.
  std::function<void(const scaling::Signals&)> publish;
};

class Control {
 public:
  using Answer = protocol::console::Answer;
  using Request = protocol::console::Request;
  using Done = std::function<void(Answer)>;

  /// All references outlive it.
  Control(boost::asio::io_context& io, const Targets& targets,
          const std::vector<std::unique_ptr<Worker>>& workers, const Population& population,
          Powers powers);

  /// One statement of one user. Any thread; `done` is called once, on the main thread.
  void submit(Request request, Done done);
  /// The same for who needs no name: HTTP and signals. `patient` false: PAUSE is answered as soon
  /// as it is ordered, not when it is complete.
  void order(std::string text, bool patient, Done done);

 private:
  void carry_out(const console::Command& command, bool patient, Done done);
  void show(const console::Show& table, Done done);
  /// Asks every worker; no value: one of them did not answer in time.
  void gather_links(std::function<void(std::optional<Worker::Links>)> done);
  void gather_census(const std::string& database,
                     std::function<void(std::optional<Worker::Count>)> done);
  void gather_stillness(std::function<void(std::optional<Worker::Stillness>)> done);
  console::Report report() const;
  void take_period();
  void take_window();
  void tend_arbiters();

  Answer pause(const std::string& database);
  Answer resume(const std::string& database);
  /// Answered when nothing is under way any more.
  void suspend(Done done);
  Answer disable(const std::string& database, bool disabled);
  Answer set(const console::Command& command);
  void leave(const std::string& how, const Done& done);
  void kill_client(const std::string& id, Done done);
  void steer(Steering steering);
  bool unknown(const std::string& database) const;

  enum class WaitFor : std::uint8_t { pause, close };
  struct Wait;
  struct Suspension;
  void watch_suspension(Done done);
  void watch(const std::shared_ptr<Suspension>& suspension);
  void wait_for(WaitFor what, const std::string& database, Done done);
  void poll(const std::shared_ptr<Wait>& wait);

  boost::asio::io_context& io_;
  const Targets& targets_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  const Population& population_;
  Powers powers_;
  std::shared_ptr<const Steering> steering_ = std::make_shared<const Steering>();
  console::Period period_;
  TimePoint period_began_ = Clock::now();
  boost::asio::steady_timer period_timer_{io_};
  scaling::Board board_;
  TimePoint window_began_ = Clock::now();
  boost::asio::steady_timer window_timer_{io_};
  std::set<std::string> limited_;  ///< backends of which fewer are useful than are allowed
  boost::asio::steady_timer arbiter_timer_{io_};
};

}  // namespace weirpool::proxy
