// What engines count on one backend for the operator's statistics.
#pragma once

#include <cstdint>

namespace weirpool::protocol {

/// Whoever reads it starts it again from zero.
struct Tally {
  std::uint32_t transactions = 0;   ///< ended, implicit ones included
  std::uint32_t queries = 0;        ///< requests answered to their end
  std::uint32_t client_parses = 0;  ///< statements that clients prepared
  std::uint32_t server_parses = 0;  ///< those that the backend had to be told
  std::uint32_t binds = 0;          ///< executions of prepared statements
};

}  // namespace weirpool::protocol
