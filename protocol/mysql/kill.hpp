// Ends the statement of another backend. See Exchange.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "protocol/mysql/exchange.hpp"

namespace weirpool::protocol::mysql {

/// KILL QUERY. A backend that is gone by now counts as done.
std::unique_ptr<Engine> make_kill(ServerState& via, std::uint64_t thread_id);

/// `KILL [HARD | SOFT] [CONNECTION | QUERY] number`, and `KILL … CONNECTION_ID()` for
/// `own_id`. None: another form (a user, a statement's number, an expression), or an id no session
/// can have.
std::optional<KillRequest> parse_kill(std::string_view sql, std::uint32_t own_id);

}  // namespace weirpool::protocol::mysql
