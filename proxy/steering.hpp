// What an administrator has said and not taken back. Immutable; every worker holds the one it works
// by.
#pragma once

#include <set>
#include <string>

namespace weirpool::proxy {

struct Steering {
  bool paused = false;             ///< all of them
  bool suspended = false;          ///< nothing is read, neither from clients nor for them
  std::set<std::string> held;      ///< paused databases
  std::set<std::string> disabled;  ///< databases that let nobody in

  bool holds(const std::string& database) const { return paused || held.contains(database); }
};

}  // namespace weirpool::proxy
