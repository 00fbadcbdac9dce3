// What an administrator does to a pool, see pool_shard.hpp: pause, recall, drain, look.
#include "proxy/net/endpoints.hpp"
#include "proxy/pool/pool_shard.hpp"

namespace weirpool::proxy {

using metrics::CloseReason;
using protocol::Fault;

void PoolShard::set_paused(bool paused) {
  if (paused == paused_) return;
  paused_ = paused;
  if (!paused) {
    tend(Clock::now());
    open_where_needed();
    return;
  }
  stop_wanting();
  while (std::unique_ptr<BackendConn> backend = pop_idle(false)) {
    retire(std::move(backend), Parting::polite, CloseReason::recalled);
  }
}

void PoolShard::recall() {
  recalled_at_ = Clock::now();
  for (BackendConn& backend : all_) backend.expires = kRecalled;
  while (std::unique_ptr<BackendConn> backend = pop_idle(false)) {
    retire(std::move(backend), Parting::polite, CloseReason::recalled);
  }
}

void PoolShard::drain() {
  draining_ = true;
  while (std::unique_ptr<BackendConn> backend = pop_idle(false)) {
    retire(std::move(backend), Parting::polite, CloseReason::shutdown);
  }
  refuse_all(Fault::shutting_down, {});
  if (retry_pending_) retry_wake_.notify_later(loop_.ready);
  if (tending_) line_wake_.notify_later(loop_.ready);
}

std::size_t PoolShard::recalled() const {
  const TimePoint now = Clock::now();
  std::size_t count = 0;
  for (const BackendConn& backend : all_) {
    if (backend.expires <= now) ++count;
  }
  return count;
}

std::vector<metrics::Link> PoolShard::inspect() const {
  const TimePoint now = Clock::now();
  std::vector<metrics::Link> links;
  for (const BackendConn& backend : all_) {
    metrics::Link link;
    link.address = reinterpret_cast<std::uintptr_t>(&backend);
    link.other = reinterpret_cast<std::uintptr_t>(backend.client);
    link.backend = target_.backend().name;
    link.database = place_.key.database;
    link.user = place_.key.user;
    link.state = backend.client != nullptr      ? "active"
                 : backend.idle_home != nullptr ? "idle"
                                                : "tested";
    link.peer = {backend.address.text(), backend.address.port};
    link.local = local_endpoint(backend.stream.fd());
    link.since = backend.opened;
    link.requested = backend.lent;
    link.close_needed = backend.expires <= now;
    link.remote_pid = backend.state->remote_id();
    link.tls = backend.stream.encrypted();
    links.push_back(std::move(link));
  }
  return links;
}

}  // namespace weirpool::proxy
