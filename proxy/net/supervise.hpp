// Starts a coroutine that nobody awaits. An exception that leaves it is a bug of ours: it is
// logged, counted by the log and ends that coroutine alone.
#pragma once

#include <string_view>

#include "proxy/net/task.hpp"

namespace weirpool::proxy {

/// `what` names the work in the log; it must be a literal.
void supervise(std::string_view what, Task<void> work);

}  // namespace weirpool::proxy
