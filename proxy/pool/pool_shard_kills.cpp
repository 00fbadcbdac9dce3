// Statements that are ended on a logged-in connection of their own, see Dialect::kill: ordered by
// sessions, carried out one by one on one connection of the ledger's reserve.
#include <utility>

#include "config/limits.hpp"
#include "proxy/net/supervise.hpp"
#include "proxy/pool/pool_shard.hpp"

namespace weirpool::proxy {

void PoolShard::order_kill(const BackendConn& backend) {
  CancelFence& fence = *backend.fence;
  if (fence.in_flight > 0) return;
  metrics_.cancels.add(1);
  fence.aimed = true;
  ++fence.in_flight;
  kills_.push_back({backend.fence, backend.state->remote_id(), backend.address});
  if (!std::exchange(killing_, true)) supervise("kill", run_kills());
}

Task<void> PoolShard::run_kills() {
  Deadline deadline(loop_.deadlines, kill_wake_);
  while (!kills_.empty()) {
    if (!target_.ledger().try_open_reserved()) {
      if (target_.ledger().limit() < 2) break;  // there is no reserve
      deadline.arm_in(config::kCancelRetry);
      co_await kill_wake_.wait();
      continue;
    }
    std::vector<std::string> passwords = co_await passwords_();
    Connected side =
        co_await connect_backend(loop_, target_, place_.key, std::move(passwords), deriver_);
    if (!side.backend) {
      target_.ledger().closed_reserved();
      break;
    }
    co_await run_kills_on(std::move(side.backend));
    target_.ledger().closed_reserved();
  }
  for (const KillOrder& order : std::exchange(kills_, {})) give_up(loop_, order);
  killing_ = false;
}

Task<void> PoolShard::run_kills_on(std::unique_ptr<BackendConn> via) {
  bool useful = true;
  while (useful && !kills_.empty()) {
    KillOrder order = kills_.front();
    kills_.erase(kills_.begin());
    // Another host of the database has the same ids for other statements.
    const PeerAddress& at = via->address;
    if (order.address.ip != at.ip || order.address.port != at.port) {
      give_up(loop_, order);
      continue;
    }
    useful = co_await carry_out(loop_, target_.dialect(), *via, std::move(order));
  }
  co_await part_with(loop_, std::move(via), useful ? Parting::polite : Parting::abrupt);
}

}  // namespace weirpool::proxy
