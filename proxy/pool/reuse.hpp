// May this backend be lent again? The one place that decides, one line per reason.
#pragma once

#include <string_view>

#include "proxy/metrics/counters.hpp"

namespace weirpool::proxy {

/// What a session found when its lease ended.
struct Standing {
  bool stream_healthy = true;   ///< no read or write of it has failed
  bool at_boundary = false;     ///< the conversation proves it: nothing owed, no transaction
  bool half_forwarded = false;  ///< part of a message has been passed on, in either direction
  bool leftover = false;        ///< it has sent bytes that belong to no answer
  bool needs_reset = false;     ///< it holds state of the client
  bool aimed = false;           ///< a cancel request was sent for it during the lease
  bool refused_to_write = false;
  bool role_doubtful = false;  ///< the same, though a writer was asked for
  bool outdated = false;       ///< its address or its server is not what it was
  bool expired = false;        ///< server_lifetime has passed
  bool recalled = false;       ///< an administrator wants it closed
  bool draining = false;       ///< weirpool is going down
};

enum class Reuse : std::uint8_t {
  lend,    ///< as it is
  wash,    ///< after a fence, and a reset where it holds state
  retire,  ///< never again
};

struct Judgement {
  Reuse reuse;
  metrics::CloseReason reason;  ///< retire: why
};

Judgement judge(const Standing& standing);

}  // namespace weirpool::proxy
