// Statements that are ended before their time: by a cancel request, by KILL, by the session itself.
#include <openssl/crypto.h>

#include <utility>

#include "proxy/session/session.hpp"

namespace weirpool::proxy {

using protocol::Fault;
using protocol::KillResult;

void Session::cancel(protocol::Bytes key) {
  if (cancel_key_size_ == 0 || key.size() != cancel_key_size_) return;
  if (CRYPTO_memcmp(key.data(), cancel_key_.data(), cancel_key_size_) != 0) return;
  cancel_statement();
}

void Session::cancel_statement() {
  if (state_ == State::waiting) {
    cancelled_ = true;
    signal_.notify_later(host_.loop().ready);
  } else if (lease_ && conversation_->executing()) {
    order_cancel();
  } else if (lease_ && !conversation_->at_boundary() &&
             conversation_->answered() == answered_before_ && !up_.empty()) {
    // The backend is still being made ready for the request: that is not what is to be cancelled.
    cancel_wanted_ = true;
  }
}

void Session::order_cancel() {
  shard_->cancel(*lease_);
  lease_->fence->waiter = &signal_;
  cancelling_ = true;
  cancelled_at_ = conversation_->answered();
}

/// What has been cancelled is over, but the cancel has not landed yet: it must not hit what comes
/// next on the same backend. What the client has sent ahead takes its chance, as without a proxy.
bool Session::awaits_cancel() {
  CancelFence& fence = *lease_->fence;
  const bool executing = conversation_->executing();
  if (!executing || conversation_->answered() != cancelled_at_) fence.statement_over();
  if (executing) return false;
  if (fence.in_flight > 0 || fence.uncertain) return true;
  fence.waiter = nullptr;
  cancelling_ = false;
  return false;
}

/// Nobody knows when, so nothing else can be asked of that backend.
bool Session::cancel_uncertain() const {
  const CancelFence& fence = *lease_->fence;
  return fence.uncertain && fence.in_flight == 0 && !conversation_->executing();
}

KillResult Session::kill(const protocol::KillRequest& request, const PoolKey& asker) {
  if (!conversation_ || shard_->key().target != asker.target) return KillResult::unknown;
  if (shard_->key().user != asker.user) return KillResult::not_owner;
  if (!request.whole_session) {
    cancel_statement();
  } else {
    leave(Fault::none);
    nudge();
  }
  return KillResult::done;
}

Task<void> Session::kill_other() {
  struct Pending {
    Signal answered;
    KillResult result = KillResult::unknown;
  };
  const auto pending = std::make_shared<Pending>();
  std::function<void(KillResult)> answer = [pending](KillResult result) {
    pending->result = result;
    pending->answered.notify();
  };
  host_.kill(conversation_->kill_request(), shard_->key(), std::move(answer));
  co_await pending->answered.wait();
  conversation_->killed(pending->result);
}

/// Returns when the session that is meant has heard of it: a client that waits for the end of this
/// connection, as libpq does, may rely on that before it asks for something else.
Task<void> Session::cancel_other(protocol::Bytes key) {
  const auto heard = std::make_shared<Signal>();
  host_.cancel(key, [heard] { heard->notify(); });
  co_await heard->wait();
}

}  // namespace weirpool::proxy
