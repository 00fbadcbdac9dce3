// How what a client has begun is ended when it goes, see session.hpp: so that its backend can serve
// the next one. A backend that does not come to rest in time is closed.
#include <utility>

#include "proxy/session/session.hpp"

namespace weirpool::proxy {

void Session::depart(Departure how) {
  const bool stuck = lease_ && (conversation_->endless() || conversation_->awaits_client());
  if (!lease_ || stuck || up_.mid_message()) return leave(protocol::Fault::none);
  departure_ = how;
  transaction_since_ = {};
  if (how == Departure::vanished) {
    turn_deaf();
    if (conversation_->executing()) order_cancel();
  }
  signal_.notify_later(host_.loop().ready);
}

void Session::sweep(TimePoint now) {
  const config::Duration patience = host_.loop().config->tcp.user_timeout;
  if (patience.count() == 0 || (!lease_ && !unflushed())) return;
  if (client_.silence(now) >= patience) client_.give_up();
}

/// Who has said goodbye may still listen; what it does not take is dropped.
void Session::turn_deaf() {
  deaf_ = true;
  down_.abandon();
}

/// Nothing is left to be done for a client that has gone; or nothing can be done.
bool Session::wound_up() {
  if (!lease_) return true;
  if (conversation_->executing() || up_.pending()) return false;
  if (conversation_->at_boundary() || conversation_->awaits_client()) return true;
  // What the client wanted is finished; what is left is weirpool's own affair, and soon over.
  if (std::exchange(departure_, Departure::vanished) == Departure::goodbye) transaction_since_ = {};
  if (cancelling_ && awaits_cancel()) return false;
  protocol::Writer words;
  conversation_->write_rollback(words);
  if (words.empty()) return false;
  if (std::exchange(rolled_back_, true)) return true;
  roll_back(words.view());
  return false;
}

/// In the name of the client, so that its engine knows what is undone with the transaction.
void Session::roll_back(protocol::Bytes words) {
  up_.reset();  // what it has said beyond is for nobody
  up_.hear(words);
  signal_.notify_later(host_.loop().ready);
}

}  // namespace weirpool::proxy
