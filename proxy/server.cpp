#include "proxy/server.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <utility>

#include "config/limits.hpp"
#include "config/load.hpp"
#include "proxy/control.hpp"
#include "proxy/fd_budget.hpp"
#include "proxy/log/log.hpp"
#include "proxy/metrics/process.hpp"
#include "proxy/net/listener.hpp"
#include "proxy/observer.hpp"
#include "proxy/pool/pool_settings.hpp"
#include "proxy/secret_watch.hpp"
#include "proxy/self_protection.hpp"
#include "proxy/worker.hpp"

namespace weirpool::proxy {
namespace {

using protocol::Fault;

config::Loaded load(const RunOptions& options) {
  return options.config_file.empty() ? config::load_url(options.database_url)
                                     : config::load_file(options.config_file);
}

enum class Phase : std::uint8_t { serving, lame_duck, draining, evicting };

class Server {
 public:
  Server(RunOptions options, config::Snapshot config);
  int run();

 private:
  void make_targets();
  void make_workers();
  void make_listeners();
  PoolLedger::Messenger messenger();
  void accepted(std::size_t site, int fd);
  void turn_away(std::size_t site, int fd, Fault fault);

  void become_ready(TimePoint until);
  bool filled() const;
  void await_signal();
  void on_signal(int signal);
  std::string reload();
  void apply(std::shared_ptr<config::Config> config);
  void put_in_force();
  void make_control();
  void leave(Departure how);
  void order(const char* command);
  void watch_secrets();
  void begin_lame_duck();
  void begin_drain();
  void evict();
  void poll_drain();
  std::uint32_t open_backends() const;

  RunOptions options_;
  config::Snapshot config_;
  boost::asio::io_context io_{1};
  boost::asio::signal_set signals_{io_};
  boost::asio::steady_timer timer_{io_};
  boost::asio::steady_timer secrets_timer_{io_};
  boost::asio::steady_timer ready_timer_{io_};
  std::unique_ptr<Dialect> postgres_;
  std::unique_ptr<Dialect> mysql_;
  Shared shared_;
  Targets targets_;
  std::shared_ptr<const Runtime> runtime_;
  SecretWatch secrets_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<SelfProtection> protection_;
  std::unique_ptr<Observer> observer_;
  std::unique_ptr<Control> control_;
  Phase phase_ = Phase::serving;
  TimePoint drain_until_{};
};

Server::Server(RunOptions options, config::Snapshot config)
    : options_(std::move(options)),
      config_(std::move(config)),
      postgres_(make_postgres_dialect(config_->pool)),
      mysql_(make_mysql_dialect(config_->pool)) {
  shared_.population.most = claim_descriptors(*config_);
  make_targets();
  runtime_ = make_runtime(config_, targets_);
  make_workers();
  make_listeners();
  make_control();
}

void Server::make_control() {
  Powers powers;
  powers.config = [this] { return config_; };
  powers.numbers = [this] { return observer_->numbers(); };
  powers.reload = [this] { return reload(); };
  powers.apply = [this](std::shared_ptr<config::Config> config) { apply(std::move(config)); };
  powers.leave = [this](Departure how) { leave(how); };
  powers.publish = [this](const scaling::Signals& signals) { observer_->scaling(signals); };
  // By the loop: it runs only when everything is there.
  const auto order = [this](std::string command, bool patient, auto done) {
    boost::asio::post(io_, [this, command = std::move(command), patient, done = std::move(done)] {
      control_->order(command, patient, done);
    });
  };
  observer_ = std::make_unique<Observer>(*config_, targets_, workers_, shared_.population, order);
  control_ =
      std::make_unique<Control>(io_, targets_, workers_, shared_.population, std::move(powers));
  for (const auto& worker : workers_) {
    worker->set_console([this](const protocol::console::Request& request, auto done) {
      control_->submit(request, std::move(done));
    });
  }
}

void Server::make_targets() {
  for (const auto& [name, backend] : config_->backends) {
    const Dialect& dialect =
        backend.protocol == config::Protocol::postgresql ? *postgres_ : *mysql_;
    targets_[name] = std::make_unique<BackendTarget>(backend, dialect);
  }
}

void Server::make_workers() {
  const std::uint32_t workers = config_->workers;
  auto route_cancel = [this, workers](std::uint32_t id, std::vector<std::uint8_t> key,
                                      std::function<void()> heard) {
    const unsigned worker = ClientIds::worker_of(id, workers);
    workers_[worker]->cancel_here(id, std::move(key), std::move(heard));
  };
  auto route_kill = [this, workers](const protocol::KillRequest& request, const PoolKey& asker,
                                    std::function<void(protocol::KillResult)> answer) {
    const unsigned worker = ClientIds::worker_of(request.id, workers);
    workers_[worker]->kill_here(request, asker, std::move(answer));
  };
  for (unsigned i = 0; i < workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, *config_, shared_, route_cancel, route_kill));
  }
  for (const auto& [name, target] : targets_) {
    target->ledger().set_messenger(messenger());
    target->arbiter().set_messenger(
        [this](const PoolLedger::Place& to) { workers_[to.worker]->share_raised(to.key); });
  }
}

PoolLedger::Messenger Server::messenger() {
  using Place = PoolLedger::Place;
  PoolLedger::Messenger messenger;
  messenger.slot_granted = [this](const Place& to) { workers_[to.worker]->slot_granted(to.key); };
  messenger.give_up_idle = [this](const Place& from) {
    workers_[from.worker]->give_up_idle(from.key);
  };
  messenger.hand_over_idle = [this](const Place& from, const Place& to) {
    workers_[from.worker]->hand_over_idle(from.key, to);
  };
  messenger.deliver = [this](const Place& to, std::shared_ptr<BackendParts> parts) {
    workers_[to.worker]->receive(to.key, std::move(parts));
  };
  return messenger;
}

void Server::make_listeners() {
  SelfProtection::Powers powers;
  powers.config = [this] { return config_; };
  powers.resident = metrics::resident_bytes;
  protection_ = std::make_unique<SelfProtection>(io_, workers_, shared_.population, powers);
  for (std::size_t i = 0; i < config_->listeners.size(); ++i) {
    runtime_->sites[i]->target->dialect().get_ready();
    auto accepted = [this, i](int fd) { this->accepted(i, fd); };
    auto turned_away = [this, i](int fd) { turn_away(i, fd, Fault::too_many_clients); };
    listeners_.push_back(std::make_unique<Listener>(
        io_, config_->listeners[i].address, config_->tcp, config_->timeouts.fd_retry_delay,
        accepted, descriptor_ceiling(), [this] { return protection_->takes_in(); }, turned_away));
  }
}

// --- clients -------------------------------------------------------------------------------------

void Server::accepted(std::size_t site, int fd) {
  if (protection_->logins_full()) {
    turn_away(site, fd, Fault::too_many_logins);
    return;
  }
  Fault refusal = protection_->refusal();
  if (refusal != Fault::none && !protection_->hears_out()) {
    turn_away(site, fd, refusal);
    return;
  }
  const std::uint32_t clients = shared_.population.clients.fetch_add(1, std::memory_order_relaxed);
  shared_.population.logins.fetch_add(1, std::memory_order_relaxed);
  const std::uint32_t most = shared_.population.most.load(std::memory_order_relaxed);
  if (clients >= most) refusal = Fault::too_many_clients;
  protection_->host().adopt(fd, site, refusal);
}

void Server::turn_away(std::size_t site, int fd, Fault fault) {
  protocol::Writer words;
  runtime_->sites[site]->target->dialect().client_login({})->write_fault(fault, {}, words);
  // One attempt; a client that does not read has to do without.
  static_cast<void>(::send(fd, words.view().data(), words.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  ::close(fd);
  observer_->turned_away(fault);
}

// --- signals -------------------------------------------------------------------------------------

void Server::await_signal() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    on_signal(signal);
    await_signal();
  });
}

void Server::on_signal(int signal) {
  switch (signal) {
    case SIGHUP: static_cast<void>(reload()); break;
    case SIGUSR1: order("PAUSE"); break;
    case SIGUSR2: order("RESUME"); break;
    case SIGQUIT:
      // Nothing is taken down: the kernel closes what is open.
      log::event(log::Level::warn, "quit", "ending at once", {});
      log::shutdown();
      std::_Exit(0);
    case SIGINT:
      if (phase_ < Phase::draining) {
        begin_drain();
      } else {
        evict();
      }
      break;
    case SIGTERM:
      if (phase_ == Phase::serving) {
        begin_lame_duck();
      } else if (phase_ == Phase::lame_duck) {
        begin_drain();
      } else {
        evict();
      }
      break;
    default: break;
  }
}

/// What a signal asks for; nobody waits for the answer.
void Server::order(const char* command) {
  control_->order(command, false, [command](const protocol::console::Answer& answer) {
    if (answer.error.empty()) return;
    log::event(log::Level::warn, "signal_refused", "a signal asked for what cannot be done",
               {{"command", command}, {"detail", answer.error}});
  });
}

/// What is wrong with the new configuration; empty: it is in effect.
std::string Server::reload() {
  const config::Loaded loaded = load(options_);
  if (!loaded.config) {
    const std::string first = loaded.problems.empty() ? "" : loaded.problems.front().message;
    observer_->reloaded(false);
    log::event(log::Level::error, "config_reload", "configuration refused; nothing changed",
               {{"ok", false}, {"detail", first}});
    return first.empty() ? "the configuration cannot be used" : first;
  }
  // The sockets that clients come in by stay what they were, and so does everything counted by
  // them.
  auto config = std::make_shared<config::Config>(*loaded.config);
  config->listeners = config_->listeners;
  config->workers = config_->workers;
  config->instance_id = config_->instance_id;
  try {
    const std::uint32_t most = claim_descriptors(*config);
    runtime_ = make_runtime(config, targets_);
    shared_.population.most = most;
  } catch (const std::exception& error) {
    observer_->reloaded(false);
    log::event(log::Level::error, "config_reload", "configuration refused; nothing changed",
               {{"ok", false}, {"detail", std::string_view(error.what())}});
    return error.what();
  }
  std::string restart;
  for (const std::string& path : config::needs_restart(*config_, *loaded.config)) {
    restart += (restart.empty() ? "" : ", ") + path;
  }
  config_ = config;
  put_in_force();
  observer_->reloaded(true);
  log::event(log::Level::info, "config_reload", "configuration applied",
             {{"ok", true}, {"needs_restart", restart}});
  return {};
}

/// A setting that an administrator has changed while weirpool runs; a reload undoes it.
void Server::apply(std::shared_ptr<config::Config> config) {
  try {
    shared_.population.most = claim_descriptors(*config);
  } catch (const std::exception& error) {
    log::event(log::Level::warn, "fd_budget", "as many clients as before",
               {{"detail", std::string_view(error.what())}});
  }
  auto runtime = std::make_shared<Runtime>(*runtime_);
  config_ = std::move(config);
  runtime->config = config_;
  runtime_ = std::move(runtime);
  put_in_force();
}

void Server::put_in_force() {
  log::set(config_->log);
  for (const auto& listener : listeners_) listener->set_options(config_->tcp);
  for (const auto& worker : workers_) worker->apply(runtime_);
}

void Server::watch_secrets() {
  const SecretWatch::Changes changed = secrets_.changed(*config_);
  std::string problem;
  if (changed.any()) {
    runtime_ = with_new_secrets(*runtime_, targets_, changed, problem);
    for (const auto& worker : workers_) worker->apply(runtime_);
  }
  for (const std::string& user : changed.users) {
    log::event(log::Level::info, "password_renewed", "a password file has been read again",
               {{"user", user}});
  }
  if (!problem.empty()) {
    log::event(log::Level::error, "user_file_refused", "the user file is broken; nothing changed",
               {{"detail", problem}});
  } else if (changed.user_file) {
    log::event(log::Level::info, "user_file_renewed", "the user file has been read again", {});
  }
  secrets_timer_.expires_after(config::kPasswordFilePoll);
  secrets_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) watch_secrets();
  });
}

// --- the end -------------------------------------------------------------------------------------

void Server::leave(Departure how) {
  if (how == Departure::lame_duck) {
    if (phase_ == Phase::serving) begin_lame_duck();
    return;
  }
  if (phase_ < Phase::draining) begin_drain();
  if (how == Departure::now && phase_ < Phase::evicting) evict();
}

void Server::begin_lame_duck() {
  phase_ = Phase::lame_duck;
  observer_->set_draining();
  log::event(log::Level::info, "drain_lame_duck", "not ready any more, still accepting", {});
  timer_.expires_after(config_->drain.lame_duck);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error && phase_ == Phase::lame_duck) begin_drain();
  });
}

void Server::begin_drain() {
  phase_ = Phase::draining;
  observer_->set_draining();
  for (const auto& listener : listeners_) listener->close();
  for (const auto& worker : workers_) worker->begin_drain();
  log::event(log::Level::info, "drain_begin", "clients leave at their transaction boundary",
             {{"clients", std::uint64_t{shared_.population.clients.load()}}});
  drain_until_ = Clock::now() + config_->drain.timeout;
  poll_drain();
}

void Server::evict() {
  phase_ = Phase::evicting;
  log::event(log::Level::warn, "drain_deadline", "closing the clients that are left",
             {{"clients", std::uint64_t{shared_.population.clients.load()}}});
  for (const auto& worker : workers_) worker->evict_all();
  drain_until_ = Clock::now() + config_->timeouts.server_close_timeout;
}

std::uint32_t Server::open_backends() const {
  std::uint32_t open = 0;
  for (const auto& [name, target] : targets_) open += target->ledger().open();
  return open;
}

void Server::poll_drain() {
  const bool empty = shared_.population.clients.load() == 0 && open_backends() == 0;
  const bool late = Clock::now() >= drain_until_;
  if (empty || (late && phase_ == Phase::evicting)) {
    log::event(log::Level::info, "drain_complete", "everybody has left",
               {{"clients_left", std::uint64_t{shared_.population.clients.load()}},
                {"backends_left", std::uint64_t{open_backends()}}});
    io_.stop();
    return;
  }
  if (late) evict();
  timer_.expires_after(config::kDrainPoll);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) poll_drain();
  });
}

/// Load balancers are to send nobody before the pools that are always there are filled, unless that
/// takes longer than it may.
void Server::become_ready(TimePoint until) {
  const bool late = Clock::now() >= until;
  if (late || filled()) {
    if (late) log::event(log::Level::warn, "not_filled", "ready, with fewer backends than wanted");
    observer_->set_ready();
    return;
  }
  ready_timer_.expires_after(config::kReadyPoll);
  ready_timer_.async_wait([this, until](boost::system::error_code error) {
    if (!error) become_ready(until);
  });
}

bool Server::filled() const {
  if (runtime_->standing.empty()) return true;
  const metrics::Snapshot now = observer_->numbers();
  return std::all_of(runtime_->standing.begin(), runtime_->standing.end(), [&](const PoolKey& key) {
    const auto pool = now.pools.find({key.target->backend().name, key.database, key.user});
    return pool != now.pools.end() &&
           pool->second.idle + pool->second.active >= settings_of(*config_, key).min_size;
  });
}

int Server::run() {
  for (const int signal : {SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2}) {
    signals_.add(signal);
  }
  std::signal(SIGPIPE, SIG_IGN);
  await_signal();
  watch_secrets();
  for (const auto& worker : workers_) worker->start(runtime_);
  protection_->start();
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    listeners_[i]->start();
    log::event(log::Level::info, "listening", "accepting clients",
               {{"address", config_->listeners[i].address.host},
                {"port", std::uint64_t{listeners_[i]->port()}},
                {"backend", config_->listeners[i].backend}});
  }
  become_ready(Clock::now() + config_->timeouts.server_connect_timeout);
  io_.run();
  observer_.reset();
  for (const auto& worker : workers_) worker->stop();
  shared_.offload.stop();
  shared_.handshakes.stop();
  return 0;
}

}  // namespace

int run_server(const RunOptions& options) {
  const config::Loaded loaded = load(options);
  if (!loaded.problems.empty()) std::cerr << config::describe(loaded.problems, loaded.source);
  if (!loaded.config) return 78;
  log::init(loaded.config->log);
  int code = 1;
  try {
    Server server(options, loaded.config);
    code = server.run();
  } catch (const std::exception& error) {
    log::event(log::Level::error, "startup_failed", "weirpool cannot start",
               {{"detail", std::string_view(error.what())}});
  }
  log::shutdown();
  return code;
}

}  // namespace weirpool::proxy
