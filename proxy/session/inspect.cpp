// What an administrator sees of a session and does to it, see session.hpp.
#include "proxy/net/endpoints.hpp"
#include "proxy/session/session.hpp"

namespace weirpool::proxy {

using protocol::Fault;

std::optional<metrics::Link> Session::inspect() const {
  // Who has been killed is no client any more, though it may still be reading why.
  if (state_ == State::login || parting_ == Fault::killed) return std::nullopt;
  metrics::Link link;
  link.id = id_;
  link.address = reinterpret_cast<std::uintptr_t>(this);
  link.backend = site_->target->backend().name;
  link.state = metrics::kClientStateLabels[static_cast<std::size_t>(state_)];
  link.peer = {address_.text(), address_.port};
  link.local = local_endpoint(client_.fd());
  link.since = since_;
  link.requested = requested_;
  link.tls = client_.encrypted();
  if (console_) {
    link.database = "pgbouncer";
    link.user = console_->request().user;
    link.state = "active";
    return link;
  }
  link.database = shard_->key().database;
  link.user = user_;
  link.replication = conversation_->replication();
  link.application = conversation_->application();
  link.prepared = conversation_->prepared_statements();
  if (state_ == State::waiting) link.waiting = requested_;
  if (lease_) {
    link.other = reinterpret_cast<std::uintptr_t>(&*lease_);
    link.requested = lease_->lent;
    link.remote_pid = lease_->state->remote_id();
    if (conversation_->at_boundary()) link.pin = conversation_->pin_reason();
  }
  return link;
}

bool Session::of_database(std::string_view database) const {
  return shard_ != nullptr && shard_->key().database == database;
}

bool Session::unflushed() const {
  return up_.pending() || down_.pending() || client_.unsent() ||
         (lease_ && lease_->stream.unsent());
}

void Session::reconsider(const std::function<bool(const std::string& user)>& known) {
  if (!conversation_) return;  // a login is judged by what holds at its end
  take_timeouts();
  protocol::Identity identity;
  identity.user = user_;
  identity.database = shard_->key().database;
  identity.variant = shard_->key().variant;
  const std::optional<PoolKey> key = host_.route(*site_, identity);
  dismissal_ = Fault::none;  // it may be known again
  if (!key || key->target != shard_->key().target) {
    dismissal_ = Fault::unknown_database;
  } else if (key->target->backend().auth_user.empty() && !known(user_)) {
    dismissal_ = Fault::killed;
  }
  if (dismissal_ != Fault::none) nudge();
}

void Session::kill() {
  leave(Fault::killed);
  nudge();
}

}  // namespace weirpool::proxy
