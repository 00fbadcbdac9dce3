#include "proxy/control.hpp"

#include <boost/asio/post.hpp>
#include <charconv>
#include <utility>

#include "config/limits.hpp"
#include "config/option_table.hpp"
#include "proxy/client_id.hpp"
#include "proxy/log/log.hpp"

namespace weirpool::proxy {

using console::Command;
using console::Role;
using console::Verb;

namespace {

using protocol::console::Answer;

Answer refused(std::string why) { return Answer::failed("08P01", std::move(why)); }

Answer done_with(Verb verb) { return Answer::done(std::string(console::tag_of(verb))); }

}  // namespace

Control::Control(boost::asio::io_context& io, const Targets& targets,
                 const std::vector<std::unique_ptr<Worker>>& workers, const Population& population,
                 Powers powers)
    : io_(io),
      targets_(targets),
      workers_(workers),
      population_(population),
      powers_(std::move(powers)) {
  take_period();
  take_window();
  tend_arbiters();
}

void Control::submit(Request request, Done done) {
  boost::asio::post(io_, [this, request = std::move(request), done = std::move(done)] {
    const Command command = console::parse(request.text);
    const Role role = console::role_of(*powers_.config(), request.user);
    if (auto answer = console::answer_at_once(command, request, role)) {
      done(std::move(*answer));
      return;
    }
    if (console::changes(command.verb)) {
      log::event(log::Level::info, "console_command", "an administrator gave an order",
                 {{"user", request.user},
                  {"command", console::tag_of(command.verb)},
                  {"argument", command.name}});
    }
    carry_out(command, true, done);
  });
}

void Control::order(std::string text, bool patient, Done done) {
  boost::asio::post(io_, [this, text = std::move(text), patient, done = std::move(done)] {
    const Command command = console::parse(text);
    Request request;
    request.text = text;
    if (auto answer = console::answer_at_once(command, request, Role::admin)) {
      done(std::move(*answer));
      return;
    }
    carry_out(command, patient, done);
  });
}

// --- the verbs -----------------------------------------------------------------------------------

void Control::carry_out(const Command& command, bool patient, Done done) {
  const std::string& name = command.name;
  switch (command.verb) {
    case Verb::show: show(*console::find_show(name), std::move(done)); return;
    case Verb::pause: {
      Answer answer = pause(name);
      if (!answer.error.empty() || !patient) return done(std::move(answer));
      return wait_for(WaitFor::pause, name, std::move(done));
    }
    case Verb::wait_close:
      if (unknown(name)) return done(refused("no such database: " + name));
      return wait_for(WaitFor::close, name, std::move(done));
    case Verb::resume: return done(resume(name));
    case Verb::suspend: return suspend(std::move(done));
    case Verb::disable: return done(disable(name, true));
    case Verb::enable: return done(disable(name, false));
    case Verb::reconnect:
      if (unknown(name)) return done(refused("no such database: " + name));
      for (const auto& worker : workers_) worker->recall(name);
      return done(done_with(command.verb));
    case Verb::kill: {
      if (unknown(name)) return done(refused("no such database: " + name));
      if (steering_->suspended) return done(refused("already suspended/paused"));
      static_cast<void>(pause(name));
      for (const auto& worker : workers_) worker->kill(name);
      return done(done_with(command.verb));
    }
    case Verb::kill_client: kill_client(name, std::move(done)); return;
    case Verb::reload: {
      const std::string problem = powers_.reload();
      return done(problem.empty() ? done_with(command.verb)
                                  : Answer::failed("F0000", "RELOAD failed: " + problem));
    }
    case Verb::set: return done(set(command));
    case Verb::shutdown: leave(name, done); return;
    default: return done(refused("not a command"));
  }
}

bool Control::unknown(const std::string& database) const {
  if (database.empty()) return false;
  for (const auto& worker : workers_) {
    for (const Worker::PoolNumbers& pool : worker->pools()) {
      if (pool.key.database == database) return false;
    }
  }
  return true;
}

void Control::steer(Steering steering) {
  steering_ = std::make_shared<const Steering>(std::move(steering));
  for (const auto& worker : workers_) worker->steer(steering_);
}

Control::Answer Control::pause(const std::string& database) {
  if (protocol::console::reserved(database)) {
    return refused("cannot pause admin db: " + database);
  }
  Steering next = *steering_;
  if (next.suspended) return refused("already suspended/paused");
  if (database.empty()) {
    if (next.paused) return refused("already suspended/paused");
    next.paused = true;
  } else {
    if (next.held.contains(database)) {
      return refused("database \"" + database + "\" is already paused");
    }
    next.held.insert(database);
  }
  steer(std::move(next));
  log::event(log::Level::info, "paused", "backends are closed as they become free; clients wait",
             {{"database", database}});
  return done_with(Verb::pause);
}

Control::Answer Control::resume(const std::string& database) {
  Steering next = *steering_;
  if (database.empty()) {
    if (!next.paused && !next.suspended && next.held.empty()) {
      return refused("pooler is not paused/suspended");
    }
    next.paused = next.suspended = false;
    next.held.clear();
  } else if (next.held.erase(database) == 0) {
    return refused("database " + database + " is not paused");
  }
  steer(std::move(next));
  log::event(log::Level::info, "resumed", "clients are served again", {{"database", database}});
  return done_with(Verb::resume);
}

void Control::suspend(Done done) {
  Steering next = *steering_;
  if (next.paused || next.suspended) return done(refused("already suspended/paused"));
  if (!next.held.empty()) return done(refused("cannot suspend with paused databases"));
  next.suspended = true;
  steer(std::move(next));
  log::event(log::Level::info, "suspended", "everything stands still until RESUME", {});
  watch_suspension(std::move(done));
}

Control::Answer Control::disable(const std::string& database, bool disabled) {
  if (protocol::console::reserved(database)) {
    return refused("cannot disable admin db: " + database);
  }
  Steering next = *steering_;
  if (disabled) {
    next.disabled.insert(database);
  } else {
    next.disabled.erase(database);
  }
  steer(std::move(next));
  return done_with(disabled ? Verb::disable : Verb::enable);
}

void Control::kill_client(const std::string& text, Done done) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) {
    return done(refused("invalid client id: " + text));
  }
  const auto tell = [this, text, done = std::move(done)](bool known) {
    boost::asio::post(io_, [text, done, known] {
      done(known ? done_with(Verb::kill_client) : refused("client not found: " + text));
    });
  };
  const auto count = static_cast<unsigned>(workers_.size());
  workers_[ClientIds::worker_of(id, count)]->kill_client(id, tell);
}

void Control::leave(const std::string& how, const Done& done) {
  const bool servers = how == "WAIT_FOR_SERVERS";
  if (!how.empty() && !servers && how != "WAIT_FOR_CLIENTS") {
    return done(refused("invalid argument to SHUTDOWN: " + how));
  }
  if (steering_->suspended) static_cast<void>(resume({}));  // Who stands still cannot leave.
  done(done_with(Verb::shutdown));
  powers_.leave(how.empty() ? Departure::now
                : servers   ? Departure::at_boundary
                            : Departure::lame_duck);
}

Control::Answer Control::set(const Command& command) {
  auto changed = std::make_shared<config::Config>(*powers_.config());
  std::string problem = "no such setting";
  config::walk(*changed, [&](const config::Place& place) {
    const config::Option& option = place.option;
    const bool global = console::is_global(option);
    const bool meant = place.path == command.name || (global && option.name() == command.name);
    if (option.holds_options() || option.is_secret() || !meant) return;
    if (option.type == config::Type::names) return;
    if (option.reload == config::Reload::restart) {
      problem = "cannot be changed while weirpool runs";
      return;
    }
    // PgBouncer's durations are plain seconds.
    const bool seconds = option.type == config::Type::duration && !command.value.empty() &&
                         command.value != "0" &&
                         command.value.find_first_not_of("0123456789") == std::string::npos;
    problem = config::assign(option, seconds ? command.value + "s" : command.value,
                             option.field(place.scope));
  });
  if (!problem.empty()) return Answer::failed("22023", command.name + ": " + problem);
  powers_.apply(std::move(changed));
  return done_with(Verb::set);
}

}  // namespace weirpool::proxy
