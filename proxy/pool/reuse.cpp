#include "proxy/pool/reuse.hpp"

namespace weirpool::proxy {

using metrics::CloseReason;

Judgement judge(const Standing& standing) {
  if (!standing.stream_healthy) return {Reuse::retire, CloseReason::backend_lost};
  if (standing.half_forwarded) return {Reuse::retire, CloseReason::client_gone};
  if (!standing.at_boundary) return {Reuse::retire, CloseReason::client_gone};
  if (standing.leftover) return {Reuse::retire, CloseReason::violation};
  if (standing.draining) return {Reuse::retire, CloseReason::shutdown};
  if (standing.recalled) return {Reuse::retire, CloseReason::recalled};
  if (standing.expired) return {Reuse::retire, CloseReason::lifetime};
  if (standing.outdated) return {Reuse::retire, CloseReason::outdated};
  if (standing.role_doubtful) return {Reuse::wash, CloseReason::outdated};
  if (standing.needs_reset || standing.aimed) return {Reuse::wash, CloseReason::reset_failed};
  return {Reuse::lend, CloseReason::stale};
}

}  // namespace weirpool::proxy
