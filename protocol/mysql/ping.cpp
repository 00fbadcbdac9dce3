#include "protocol/mysql/ping.hpp"

#include "protocol/mysql/commands.hpp"

namespace weirpool::protocol::mysql {

std::unique_ptr<Engine> make_ping(ServerState& state) {
  auto exchange = std::make_unique<Exchange>(state);
  write_command(exchange->commands(), com::ping);
  exchange->expect(1);
  return exchange;
}

}  // namespace weirpool::protocol::mysql
