// RESET and SET ... TO DEFAULT lead back to what the startup message asked for, which the backend
// does not know: it goes to the server's default. Behind the boundary the next backend is settled
// anyway; inside a transaction it is done at once, before the client's next message:
//
//   client              weirpool                               backend
//   Query RESET x  ->                                   ->
//                  <-                                   <-     RESET, ReadyForQuery 'T'
//                       SELECT set_config('x', ...)     ->
//                                                       <-     (swallowed) ReadyForQuery 'T'
//
// A rollback undoes both. In the middle of a batch, or of one text, nothing can be put behind it.
#include <array>

#include "protocol/postgres/conversation.hpp"

namespace weirpool::protocol::postgres {

/// Whatever the client has asked so far has been answered, and nothing of a message is on its way.
bool PostgresConversation::between_requests() const {
  return queue_.empty() && phase_ == Phase::relay && !unsynced_ && text_left_ == 0 && carry_ == 0 &&
         !gather_.collecting();
}

PostgresConversation::Step PostgresConversation::restore_step() {
  if (status_ == 'E' || own_ || settle_failed_ || last_words_ || !between_requests()) {
    return std::nullopt;
  }
  Change change;
  const auto add = [&](std::string_view name) {
    const std::string* asked = startup_->find(name);
    if (asked != nullptr) append_set(change, name, *asked);
  };
  for (const SessionCheck::Touched& touched : check_->parameters()) {
    if (touched.led_back && !sets_identity(touched.name)) add(touched.name);
  }
  for (const std::string_view name : {"session_authorization", "role"}) {
    if (check_->led_back(name)) add(name);
  }
  if (change.empty()) return std::nullopt;
  // As if the client had set it: it is to be found so at the boundary.
  for (const std::string& name : change.names) check_->touch(name, false);
  begin_own(Purpose::restore, change.text, std::move(change.names));
  return to_backend_.next();
}

/// The client has been told the server's default of those that the backend reports.
void PostgresConversation::restored(const Own& own) {
  for (const std::string& name : own.names) {
    const Reported* reported = backend_->parameters.following(name);
    const std::string* told = wanted_->find(name);
    if (reported == nullptr || (told != nullptr && *told == reported->value)) continue;
    ParameterStatus{reported->name, reported->value}.serialize(to_client_.out());
    const ProfileRef next = catalog_->profiles.with(wanted_, name, reported->value);
    if (next->meaning() != wanted_->meaning()) meaning_moved();
    want(next);
  }
}

}  // namespace weirpool::protocol::postgres
