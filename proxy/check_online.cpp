// `weirpool check --online`: the same connect and login the pool does, once per backend and user.
#include <boost/asio/executor_work_guard.hpp>
#include <iostream>
#include <memory>
#include <utility>

#include "config/password.hpp"
#include "proxy/net/supervise.hpp"
#include "proxy/pool/connector.hpp"
#include "proxy/runtime.hpp"
#include "proxy/server.hpp"

namespace weirpool::proxy {
namespace {

using protocol::Fault;

struct Report {
  std::ostream& out;
  int failures = 0;

  void line(const BackendTarget& target, const std::string& user, const Connected& result) {
    // A database that is not there is the client's choice to make: the login itself went well.
    const bool fine = result.backend || result.fault == Fault::unknown_database;
    out << (fine ? "ok      " : "FAILED  ") << target.backend().name << " as " << user;
    if (!fine) {
      out << ": " << protocol::row_of(result.fault).label;
      if (!result.detail.empty()) out << ": " << result.detail;
      ++failures;
    }
    out << '\n';
  }
};

Task<void> try_all(Loop& loop, const config::Config& config, Targets& targets, KeyDeriver& deriver,
                   Report& report) {
  for (const auto& [name, target] : targets) {
    for (const auto& [user_name, user] : config.users) {
      const PoolKey key{target.get(), {}, user_name, 0};
      std::vector<std::string> passwords = config::read_passwords(user);
      Connected result =
          co_await connect_backend(loop, *target, key, std::move(passwords), deriver);
      report.line(*target, user_name, result);
      if (result.backend) co_await part_with(loop, std::move(result.backend), Parting::polite);
    }
  }
  loop.io.stop();
}

}  // namespace

int check_online(const config::Snapshot& config, std::ostream& out) {
  const auto postgres = make_postgres_dialect(config->pool);
  const auto mysql = make_mysql_dialect(config->pool);
  Targets targets;
  for (const auto& [name, backend] : config->backends) {
    const bool is_postgres = backend.protocol == config::Protocol::postgresql;
    targets[name] = std::make_unique<BackendTarget>(backend, is_postgres ? *postgres : *mysql);
  }
  Report report{out};
  try {
    make_runtime(config, targets);
  } catch (const std::exception& error) {
    out << "FAILED  " << error.what() << '\n';
    return 1;
  }
  Loop loop;
  loop.config = config;
  Offload offload;
  KeyDeriver deriver(offload);
  const auto stay = boost::asio::make_work_guard(loop.io);
  supervise("check_online", try_all(loop, *config, targets, deriver, report));
  loop.io.run();
  return report.failures == 0 ? 0 : 1;
}

}  // namespace weirpool::proxy
