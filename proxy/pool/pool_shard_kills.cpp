// Statements that are ended on a logged-in connection of their own, see Dialect::kill: ordered by
// sessions, carried out one by one on one connection of the ledger's reserve.
#include <algorithm>
#include <utility>

#include "config/limits.hpp"
#include "proxy/net/supervise.hpp"
#include "proxy/pool/pool_shard.hpp"

namespace weirpool::proxy {

void PoolShard::order_kill(const BackendConn& backend) {
  CancelFence& fence = *backend.fence;
  if (fence.in_flight > 0 || fence.queued == fence.statement) return;
  metrics_.cancels.add(1);
  fence.queued = fence.statement;
  const TlsChannel* const tls = backend.stream.encrypted() ? backend.stream.tls() : nullptr;
  kills_.push_back({backend.fence, fence.statement, backend.state->remote_id(), backend.address,
                    tls != nullptr ? tls->peer_name() : std::string()});
  if (!std::exchange(killing_, true)) supervise("kill", run_kills());
}

Task<void> PoolShard::run_kills() {
  Deadline deadline(loop_.deadlines, kill_wake_);
  for (drop_void_kills(); !kills_.empty(); drop_void_kills()) {
    if (!target_.ledger().try_open_reserved()) {
      if (target_.ledger().limit() < 2) break;  // there is no reserve
      deadline.arm_in(config::kCancelRetry);
      co_await kill_wake_.wait();
      continue;
    }
    // A server that dies takes many clients' patience with it: their kills do not storm it either.
    const ConnectPacer::Limits limits = ConnectPacer::Limits::of(*loop_.config);
    if (!target_.begin_attempt(limits)) {
      target_.ledger().closed_reserved();
      deadline.arm(std::max(target_.retry_at(limits), Clock::now() + config::kCancelRetry));
      co_await kill_wake_.wait();
      continue;
    }
    const TimePoint began = Clock::now();
    // Another host of the database has the same ids for other statements.
    const PeerAddress address = kills_.front().address;
    const std::string host = kills_.front().host;
    std::vector<std::string> passwords = co_await passwords_();
    Connected side = co_await connect_backend_at(loop_, target_, place_.key, std::move(passwords),
                                                 deriver_, address, host);
    attempt_ended(outcome_of(side), began);
    if (!side.backend) {
      target_.ledger().closed_reserved();
      give_up_kills(address);
      continue;
    }
    co_await run_kills_on(std::move(side.backend));
  }
  for (const KillOrder& order : std::exchange(kills_, {})) give_up(order);
  killing_ = false;
}

/// Statements that have ended by themselves.
void PoolShard::drop_void_kills() {
  std::erase_if(kills_, [this](const KillOrder& order) {
    if (order.is_void()) give_up(order);
    return order.is_void();
  });
}

/// Nobody can be reached there.
void PoolShard::give_up_kills(const PeerAddress& address) {
  std::erase_if(kills_, [&](const KillOrder& order) {
    if (order.address == address) give_up(order);
    return order.address == address;
  });
}

Task<void> PoolShard::run_kills_on(std::unique_ptr<BackendConn> via) {
  const auto ours = [&](const KillOrder& order) { return order.address == via->address; };
  bool useful = true;
  while (useful) {
    drop_void_kills();
    const auto found = std::find_if(kills_.begin(), kills_.end(), ours);
    if (found == kills_.end()) break;
    KillOrder order = std::move(*found);
    kills_.erase(found);
    useful = co_await carry_out(loop_, target_.dialect(), *via, std::move(order));
  }
  // The server closes in its own time; other statements do not wait for that.
  supervise("kill", part_with_side(std::move(via), useful ? Parting::polite : Parting::abrupt));
}

Task<void> PoolShard::part_with_side(std::unique_ptr<BackendConn> via, Parting parting) {
  ++cancelling_;
  co_await part_with(loop_, std::move(via), parting);
  target_.ledger().closed_reserved();
  --cancelling_;
}

}  // namespace weirpool::proxy
