// One round trip without effect. See Exchange.
#pragma once

#include <memory>

#include "protocol/mysql/exchange.hpp"

namespace weirpool::protocol::mysql {

std::unique_ptr<Engine> make_ping(ServerState& state);

}  // namespace weirpool::protocol::mysql
