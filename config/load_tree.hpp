// The common end of load_text() and load_url().
#pragma once

#include "config/load.hpp"
#include "config/tree.hpp"

namespace weirpool::config {

/// Checks a parsed tree against the option table and against itself; takes over `problems`.
Loaded load_tree(const Node& root, Problems& problems);

}  // namespace weirpool::config
