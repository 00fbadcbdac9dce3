// Tree + option table -> Config: types, bounds, required and unknown keys, defaults.
#pragma once

#include <map>
#include <string>

#include "config/config.hpp"
#include "config/problems.hpp"
#include "config/tree.hpp"

namespace weirpool::config {

/// Where each path stands in the file, for the checks that come after.
using Positions = std::map<std::string, Mark>;

/// Fills `config` as far as it goes; what is wrong goes to `problems`. Reads the files and
/// variables that passwords come from.
void read_tree(const Node& root, Config& config, Positions& positions, Problems& problems);

}  // namespace weirpool::config
