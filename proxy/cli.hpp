// The command line: run, check, config sample|schema|dump|reference, healthcheck, version.
#pragma once

namespace weirpool::proxy {

/// Exit codes of every command.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;  ///< at run time: not healthy, not reachable, cannot bind
inline constexpr int kExitUsage = 2;    ///< the command line itself
inline constexpr int kExitConfig = 78;  ///< EX_CONFIG of sysexits.h: restarting will not help

/// Parses and runs; standard output is for results, standard error for complaints.
int run_command_line(int argc, const char* const* argv);

}  // namespace weirpool::proxy
