// Brings a backend back to the state after its login. See Exchange.
#pragma once

#include <memory>

#include "protocol/mysql/exchange.hpp"

namespace weirpool::protocol::mysql {

/// Ends with close where no command can restore the state (a schema, where the login had none).
std::unique_ptr<Engine> make_reset(ServerState& state);

}  // namespace weirpool::protocol::mysql
