// What weirpool tells a backend on its own account in the middle of a conversation: settings that
// differ, resets. The client's command waits for the replies.
#include <utility>

#include "protocol/mysql/conversation.hpp"

namespace weirpool::protocol::mysql {

Verdict ServerConversation::run_errand(Party from, MutableBytes unread) {
  return exchange_->step(from, unread);
}

/// Brings the backend to this client's settings. False: an exchange has been started and comes
/// first.
bool ServerConversation::synchronize(bool whole_text) {
  const SessionState& wanted = tracker_.wanted();
  const bool sql = row_of_command(command_).handling == Handling::text;
  const bool reads_id = sql && (text_.reads_last_insert_id() || !whole_text);
  const bool stale_id = reads_id && wanted.last_insert_id != backend_->session.last_insert_id;
  const bool differs = flag_.fresh && !wanted.same_settings(backend_->session);
  const bool foreign_diagnostics = flag_.foreign && sql && text_.reads_diagnostics();
  if (!differs && !stale_id && !foreign_diagnostics) return true;
  start(Errand::replay);
  return false;
}

void ServerConversation::start(Errand errand) {
  errand_ = errand;
  exchange_ = std::make_unique<Exchange>(*backend_);
  Writer& out = exchange_->commands();
  unsigned replies = 0;
  const auto query = [&](std::string_view sql) {
    backend_->write_query(out, sql);
    ++replies;
  };
  const SessionState& wanted = tracker_.wanted();
  const SessionState& there = backend_->session;
  switch (errand) {
    case Errand::reset: replies += backend_->write_reset(out); break;
    case Errand::collation:
      // Setting it to itself makes the tracker report it.
      query("SET @@session.collation_connection=@@session.collation_connection");
      exchange_->keep_tracking();
      break;
    default:
      if (needs_clearing(there, wanted)) {
        replies += backend_->write_reset(out);
        backend_->was_reset();
      }
      if (there.multi_statements != wanted.multi_statements) {
        write_set_multi_statements(out, wanted.multi_statements);
        ++replies;
      }
      if (there.schema != wanted.schema) {
        write_command(out, com::init_db, wanted.schema);
        ++replies;
      }
      if (needs_collation(there, wanted)) query(collation_sql(wanted.collation));
      if (const std::string sql = settings_sql(there, wanted); !sql.empty()) query(sql);
      // Last, and always: what was sent before has changed what the server remembers.
      query("SET @@session.last_insert_id=" + std::to_string(wanted.last_insert_id));
      break;
  }
  exchange_->expect(replies);
}

void ServerConversation::end_errand() {
  const Errand done = std::exchange(errand_, Errand::none);
  exchange_.reset();
  tracker_.replayed(*backend_);
  switch (done) {
    case Errand::reset:
      backend_->was_reset();
      tracker_.reset(backend_->session, backend_->status);
      flag_ = {};
      drop({});
      break;
    case Errand::collation: tracker_.adopt_variables(*backend_); break;
    default:
      backend_->session = tracker_.wanted();
      flag_.foreign = false;
      break;
  }
}

}  // namespace weirpool::protocol::mysql
