// What only the whole configuration can tell: references, collisions, files.
#pragma once

#include "config/config.hpp"
#include "config/problems.hpp"
#include "config/table_reader.hpp"

namespace weirpool::config {

void validate(const Config& config, const Positions& positions, Problems& problems);

}  // namespace weirpool::config
