// Randomness that keeps clocks of many connections from striking together.
#pragma once

#include "config/config.hpp"

namespace weirpool::proxy {

/// Between 80 and 100 % of `duration`, uniformly. Not for secrets.
config::Duration jittered(config::Duration duration);

}  // namespace weirpool::proxy
