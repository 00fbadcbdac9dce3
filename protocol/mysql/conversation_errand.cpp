// What weirpool tells and asks a backend on its own account in the middle of a conversation:
// settings that differ, resets, what only the backend knows. The client's command waits for the
// replies.
#include <charconv>
#include <utility>

#include "protocol/mysql/conversation.hpp"

namespace weirpool::protocol::mysql {

Verdict ServerConversation::run_errand(Party from, MutableBytes unread) {
  const Verdict verdict =
      recording_ ? recording_->step(from, unread) : exchange_->step(from, unread);
  const bool parted = errand_ == Errand::parting && verdict.kind == Verdict::Kind::close;
  return parted ? Verdict::close(Fault::none) : verdict;
}

/// What is still to be asked or told before the backend is released; what a CALL may have done,
/// also when something pins it.
std::optional<ServerConversation::Errand> ServerConversation::last_errand(bool pinned) const {
  if (pinned) return calls_.empty() ? std::nullopt : std::optional(Errand::routine);
  if (tracker_.doubts_insert_id()) return Errand::insert_id;
  if (!calls_.empty()) return Errand::routine;
  // A reset would take it along, and the prepared statements too.
  if (leaves_traces()) return std::nullopt;
  if (flag_.scoped) return Errand::scope;
  if (impatient(backend_->session)) return Errand::patience;
  return std::nullopt;
}

/// What SET STATEMENT … FOR sets is set back behind the statement's answer, and reported, as if it
/// were a change, with the next answer that reports any: that is not to be another client's.
void ServerConversation::begin_scope() {
  if (!flag_.scoped) outside_ = std::make_unique<SessionState>(backend_->session);
  flag_.scoped = true;
}

/// What is set back is what it was. What is not, because a function has set it, say, differs from
/// what the client wants, and goes the way of all that differs.
void ServerConversation::end_scope(const Exchange& exchange) {
  flag_.scoped = false;
  const std::unique_ptr<SessionState> before = std::move(outside_);
  if (!before) return;
  for (const std::string& name : exchange.reported()) {
    const std::string* value = before->find(name);
    if (value == nullptr) {
      forget_variable(backend_->session, name);
    } else {
      track_variable(backend_->session, name, *value);
    }
  }
}

/// The server waits for this connection as long as for others again.
void ServerConversation::end_patience(bool refused) {
  refused ? tracker_.soil() : forget_variable(backend_->session, kWaitTimeout);
}

/// The client's statement has left warnings or an error, and the backend is about to be released:
/// what SHOW WARNINGS would say later is asked now.
bool ServerConversation::wants_diagnostics() const {
  const LastStatement& last = tracker_.last();
  if (last.warnings == 0 || text_.reads_diagnostics()) return false;
  // Behind an error of a CALL the reply also tells whether that has left a transaction open.
  const bool doubtful = text_.calls() && tracker_.doubts_transaction();
  return (doubtful || at_boundary()) && pins() == 0;
}

/// Brings the backend to this client's settings. False: an exchange has been started and comes
/// first.
bool ServerConversation::synchronize(bool whole_text) {
  flag_.whole_text = whole_text;
  if (reads_insert_id() && tracker_.insert_id_may_be_foreign()) {
    start(Errand::insert_id);
    return false;
  }
  // A session that began before a SET GLOBAL would have other defaults than one that began later.
  const bool outdated = flag_.fresh && backend_->defaults != start_.catalog->defaults();
  const bool differs =
      flag_.fresh && (backend_->warned || !tracker_.wanted().same_settings(backend_->session));
  if (!differs && !looks_back() && !outdated) return true;
  flag_.reset_first = outdated;
  start(Errand::replay);
  flag_.reset_first = false;
  return false;
}

/// The statement asks what an earlier one did, and the backend would tell of another client's.
bool ServerConversation::looks_back() const {
  if (!com::runs_text(command_)) return false;
  const bool stale = tracker_.wanted().last_insert_id != backend_->session.last_insert_id;
  return (reads_insert_id() && stale) || (flag_.foreign && text_.reads_diagnostics());
}

bool ServerConversation::reads_insert_id() const {
  const bool reads = text_.reads_last_insert_id() || text_.calls() || !flag_.whole_text;
  return reads && com::runs_text(command_);
}

/// Refused: the same again behind a reset, and then a refusal ends the session.
void ServerConversation::end_replay(bool refused) {
  if (refused) {
    flag_.reset_first = true;
    start(Errand::replay);
    flag_.reset_first = false;
    return;
  }
  const std::uint64_t id =
      looks_back() ? tracker_.wanted().last_insert_id : backend_->session.last_insert_id;
  backend_->session = tracker_.wanted();
  backend_->session.last_insert_id = id;
  if (const std::string* mode = tracker_.wanted().find("sql_mode")) {
    backend_->note_variable("sql_mode", *mode);
  }
  flag_.foreign = false;
}

unsigned ServerConversation::write_settings(Writer& out, const SessionState& have,
                                            const SessionState& want) const {
  unsigned replies = 0;
  const auto query = [&](std::string_view sql) {
    backend_->write_query(out, sql);
    ++replies;
  };
  if (have.multi_statements != want.multi_statements) {
    write_set_multi_statements(out, want.multi_statements);
    ++replies;
  }
  if (have.schema != want.schema) {
    write_command(out, com::init_db, want.schema);
    ++replies;
  }
  if (needs_collation(have, want)) query(collation_sql(want.collation));
  if (const std::string sql = settings_sql(have, want); !sql.empty()) query(sql);
  if (const std::string sql = user_variables_sql(have, want); !sql.empty()) query(sql);
  return replies;
}

void ServerConversation::start(Errand errand) {
  errand_ = errand;
  if (errand == Errand::diagnostics) {
    recording_ = std::make_unique<Recording>(*backend_, "SHOW WARNINGS");
    return;
  }
  if (errand == Errand::locks) {
    recording_ = std::make_unique<Recording>(*backend_, tracker_.holdings().count_locks_sql());
    return;
  }
  if (errand == Errand::insert_id) {
    recording_ = std::make_unique<Recording>(*backend_, "SELECT LAST_INSERT_ID()");
    return;
  }
  if (errand == Errand::routine) {
    recording_ = std::make_unique<Recording>(*backend_, calls_.next().definition_sql());
    return;
  }
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
    case Errand::prepare: write_prepare(out); break;
    case Errand::scope:
      // Only what sets something makes the tracker report what has been set before.
      query("SET @@session.session_track_schema=ON");
      exchange_->keep_tracking();
      break;
    case Errand::parting:
      write_command(out, com::ping);
      ++replies;
      break;
    case Errand::patience:
      query("SET @@session.wait_timeout=DEFAULT");
      exchange_->go_on_after_errors();
      break;
    case Errand::collation:
      // Setting it to itself makes the tracker report it.
      query("SET @@session.collation_connection=@@session.collation_connection");
      exchange_->keep_tracking();
      break;
    default:
      // What a SET cannot undo, a reset can; it costs the backend its prepared statements.
      if (flag_.reset_first) {
        replies += backend_->write_reset(out);
        backend_->defaults = start_.catalog->defaults();
        backend_->was_reset();
      } else {
        exchange_->go_on_after_errors();
      }
      replies += write_settings(out, there, wanted);
      // It reads a table of a kind, and so clears MariaDB's diagnostics.
      if (flag_.fresh && std::exchange(backend_->warned, false)) {
        query("DO (SELECT 1 FROM (SELECT 1) AS weirpool)");
      }
      // Only for a statement that looks back; it also clears what others have left in MySQL.
      if (looks_back()) {
        query("SET @@session.last_insert_id=" + std::to_string(wanted.last_insert_id));
      }
      break;
  }
  exchange_->expect(replies);
}

/// The reply to a CALL has come.
void ServerConversation::end_call() {
  const RoutinePolicy policy = start_.catalog->routines();
  const bool known = calls_.end(tracker_.failed()) && !text_.multiple() && !text_.uncertain();
  if (policy == RoutinePolicy::allow) return calls_.clear();
  if (policy == RoutinePolicy::pin || !known) pin_call(true);
}

/// It may have left anything; a role, which no reset gives back, only where that is so.
void ServerConversation::pin_call(bool perhaps_a_role) {
  tracker_.pin(Pin::routine);
  calls_.clear();
  backend_->took_role = backend_->took_role || perhaps_a_role;
}

/// The third column of SHOW CREATE PROCEDURE is the definition; NULL: the user may not see it.
void ServerConversation::end_routine(const Recording& answer) {
  const Calls::Call call = calls_.take();
  const std::string_view definition = answer.value(2);
  // An error does not say what was reported of the session: MySQL does so with the next reply.
  const bool silent = call.failed && backend_->server().mariadb();
  if (!leaves_nothing(definition, silent)) {
    pin_call(answer.cut() || may_take_role(definition));
  } else if (!start_.catalog->routine_memory().knows(call.routine, definition)) {
    tracker_.soil();
  }
}

/// What the backend has said to a question.
void ServerConversation::end_question(Errand asked) {
  const std::unique_ptr<Recording> answer = std::move(recording_);
  flag_.questioned = true;
  const bool forgotten = forgets_calls(start_) && text_.calls_procedure();
  if (answer->session_changed() && !forgotten) tracker_.pin(Pin::session_state);
  if (answer->status() == 0) note_warning();
  if (answer->status() != 0) tracker_.learned_status(answer->status());
  if (asked == Errand::locks) {
    if (answer->value() == "0") tracker_.locks_are_free();
  } else if (asked == Errand::routine) {
    end_routine(*answer);
  } else if (asked == Errand::insert_id) {
    const std::string_view text = answer->value();
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    const bool told = error == std::errc() && end == text.data() + text.size();
    tracker_.learned_insert_id(told ? std::optional(id) : std::nullopt, *backend_);
  } else {
    // What is too much to be kept stays where it is until the next statement.
    if (answer->cut()) return tracker_.pin(Pin::diagnostics);
    diagnostics_ = answer->take();
    flag_.diagnostics_lost = diagnostics_.empty();
  }
}

void ServerConversation::end_errand() {
  const Errand done = std::exchange(errand_, Errand::none);
  if (recording_) return end_question(done);
  const std::unique_ptr<Exchange> exchange = std::move(exchange_);
  tracker_.replayed(*backend_);
  switch (done) {
    case Errand::reset:
      backend_->was_reset();
      statements_.clear();
      tracker_.reset(backend_->session, backend_->status);
      flag_ = {};
      calls_.clear();
      forget_diagnostics();
      drop({});
      break;
    case Errand::prepare: end_prepare(*exchange); break;
    case Errand::collation: tracker_.adopt_variables(*backend_); break;
    case Errand::parting: flag_.questioned = true; break;
    case Errand::scope: end_scope(*exchange); break;
    case Errand::patience: end_patience(exchange->refused().code != 0); break;
    default: end_replay(exchange->refused().code != 0); break;
  }
}

}  // namespace weirpool::protocol::mysql
