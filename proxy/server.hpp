// The process: configuration, listeners, workers, signals, reload and drain.
#pragma once

#include <iosfwd>
#include <string>

#include "config/config.hpp"

namespace weirpool::proxy {

struct RunOptions {
  std::string config_file;
  std::string database_url;  ///< used when there is no file
};

/// Serves until a signal ends it. Returns the process's exit code: 0 after a drain, 1 when a
/// listener cannot be bound, 78 when the configuration is wrong.
int run_server(const RunOptions& options);

/// `check --online`: connects and logs in to every backend as every user; says per line what it
/// found. Returns an exit code.
int check_online(const config::Snapshot& config, std::ostream& out);

}  // namespace weirpool::proxy
