#include "protocol/mysql/session_tracker.hpp"

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/commands.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint8_t kCharacteristics = 1;  // the next transaction has been told something
constexpr std::uint8_t kFlags = 2;            // one of the eight transaction flags is set

void set_bit(std::uint8_t& bits, std::uint8_t bit, bool on) {
  bits = static_cast<std::uint8_t>(on ? bits | bit : bits & ~bit);
}

}  // namespace

void SessionTracker::attached() {
  announced_ = 0;
  doubt_ = {};
  transaction_ = Transaction::none;
}

void SessionTracker::detached() {
  pins_ = 0;
  holdings_.clear();
  deed_.reset();
  dirty_ = false;
  doubt_ = {};
  announced_ = 0;
  transaction_ = Transaction::none;
}

void SessionTracker::lost_transaction_ended() {
  constexpr unsigned kInTransaction = status::in_trans | status::in_trans_readonly;
  status_ = static_cast<std::uint16_t>(status_ & ~kInTransaction);
}

void SessionTracker::reset(const SessionState& to, std::uint16_t status) {
  detached();
  wanted_ = to;
  status_ = status;
  last_ = {};
  looks_back_ = false;
}

void SessionTracker::set_multi_statements(bool on, ServerState& backend) {
  wanted_.multi_statements = on;
  backend.session.multi_statements = on;
}

void SessionTracker::adopt_variables(const ServerState& backend) {
  wanted_.variables = backend.session.variables;
}

void SessionTracker::note_last(const SessionText& text, const OkPacket& ok, std::uint64_t rows) {
  last_.failed = false;
  last_.row_count = ok.ends_rows ? -1 : static_cast<std::int64_t>(ok.affected_rows);
  if (ok.ends_rows) last_.found_rows = rows;
  if (!text.reads_diagnostics()) last_.warnings = ok.warnings;
}

void SessionTracker::ok(std::uint8_t command, const SessionText& text, const OkPacket& ok,
                        std::uint64_t rows, ServerState& backend) {
  note_last(text, ok, rows);
  const bool statement = com::runs_text(command);
  const bool passing = statement && text.sets_for_itself();
  // What it says of sql_mode is over with the statement, which was read before.
  constexpr std::uint16_t kOfMode = status::no_backslash_escapes;
  const auto told = static_cast<std::uint16_t>(
      passing ? (ok.status & ~kOfMode) | (backend.status & kOfMode) : ok.status);
  learned_status(told);
  backend.status = told;
  const Reported reported = apply(ok, backend, passing);
  // A change that the tracker does not name is one weirpool cannot replay.
  const bool named =
      command == com::init_db || passing ||
      (statement && text.one_or_sets() && (text.starts_with_set() || text.starts_with_use()));
  // The server says of a SET GLOBAL whether it has changed the session after all.
  const bool elsewhere = deed_ && deed_->kind == Deed::Kind::set_global && !reported.change;
  const bool followed = elsewhere || (deed_ && holdings_.accounts_for(*deed_) != 0);
  const bool forgotten = forget_calls_ && text.calls_procedure() && !text.multiple();
  if (reported.change && !followed && !forgotten && !(named && reported.settings))
    pins_ |= text.calls_procedure() ? Pin::routine : Pin::session_state;
  const bool explained = reported.settings || reported.characteristics;
  if (statement && !followed && text.sets() && (!text.one_or_sets() || !explained))
    pins_ |= Pin::session_state;
  if (statement && text.sets_around_more()) pins_ |= Pin::session_state;
}

/// A reply names an id that was generated, one that the statement has brought, which
/// LAST_INSERT_ID() does not know, or what LAST_INSERT_ID(…) was given. Of an UPDATE it is the last
/// of these; behind rows, and of a procedure, it says nothing.
void SessionTracker::note_insert_id(const SessionText& text, const OkPacket& ok,
                                    const GivenNumbers& given, ServerState& backend) {
  if (ok.last_insert_id == 0) {
    const bool silent = text.inserts() && ok.ends_rows;
    if (silent || text.calls() || text.sets_last_insert_id()) doubt_insert_id(backend);
    return;
  }
  if (text.only_updates() || !given.may_include(ok.last_insert_id)) {
    doubt_ = {};
  } else {
    doubt_insert_id(backend);
  }
  wanted_.last_insert_id = ok.last_insert_id;
  backend.session.last_insert_id = ok.last_insert_id;
}

void SessionTracker::doubt_insert_id(const ServerState& backend) {
  if (doubt_.open) return;
  doubt_ = {true, wanted_.last_insert_id, backend.session.last_insert_id};
}

void SessionTracker::learned_insert_id(std::optional<std::uint64_t> id, ServerState& backend) {
  if (!id) {
    pins_ |= Pin::last_insert_id;
    doubt_ = {};
    return;
  }
  // Unchanged: what was there may be another client's. (What may change it in other ways was set to
  // the client's own value first.)
  const bool changed = *id == wanted_.last_insert_id || *id != doubt_.there;
  wanted_.last_insert_id = changed ? *id : doubt_.wanted;
  backend.session.last_insert_id = *id;
  doubt_ = {};
}

/// `passing`: the variables are set for this statement only, so the client does not want them.
SessionTracker::Reported SessionTracker::apply(const OkPacket& ok, ServerState& backend,
                                               bool passing) {
  Reported reported;
  ChangeReader changes(ok.changes);
  SessionChange change;
  while (changes.next(change)) {
    switch (change.type) {
      case ChangeType::variable: {
        const Tracked tracked =
            passing ? Tracked::kept : track_variable(wanted_, change.name, change.value);
        if (tracked == Tracked::unsafe) pins_ |= Pin::variables;
        if (keeps_statements(change.name)) backend.keeps_statements = true;
        // The character set of a user variable is that of its literal: no longer the session's.
        const bool users = !wanted_.variables.empty() && is_user_variable(wanted_.variables[0]);
        if (users && is_charset(change.name)) pins_ |= Pin::user_variable;
        if (tracked != Tracked::ignored) reported.settings = true;
        track_variable(backend.session, change.name, change.value);
        if (!passing) backend.note_variable(change.name, change.value);
        break;
      }
      case ChangeType::schema:
        wanted_.schema = change.value;
        backend.session.schema = change.value;
        reported.settings = true;
        break;
      case ChangeType::state: reported.change = change.value == "1"; break;
      case ChangeType::characteristics:
        reported.characteristics = !change.value.empty();
        set_bit(announced_, kCharacteristics, reported.characteristics);
        break;
      case ChangeType::transaction:
        set_bit(announced_, kFlags, change.value.find_first_not_of('_') != std::string_view::npos);
        break;
      default: break;
    }
  }
  if (!changes.ok()) pins_ |= Pin::session_state;
  return reported;
}

void SessionTracker::name_lock(std::string_view name) {
  if (name.empty()) return deed_.reset();
  deed_->names[0] = "'" + std::string(name) + "'";
}

void SessionTracker::error(const SessionText& text, const ServerState& backend) {
  if (text.calls() || text.inserts() || text.sets_last_insert_id()) doubt_insert_id(backend);
  last_.failed = true;
  last_.row_count = -1;
  last_.warnings = 1;
  if (transaction_ != Transaction::none) return;
  // An error carries no status: without autocommit, or behind code we cannot see, a transaction may
  // have been opened before it.
  if ((status_ & status::autocommit) == 0 || text.calls()) transaction_ = Transaction::unknown;
}

void SessionTracker::ended(const SessionText& text, ServerState& backend) {
  // The number of rows that LIMIT has cut off is there for the next statement only.
  pins_ &= ~static_cast<Pins>(Pin::found_rows);
  if (!text.reads_diagnostics()) pins_ &= ~static_cast<Pins>(Pin::diagnostics);
  if (text.may_take_role()) backend.took_role = true;
  Pins found = text.pins();
  if (deed_) found &= ~holdings_.accounts_for(*deed_);
  pins_ |= found;
  // Code that is not in the text may leave what nothing announces: locks, user variables.
  dirty_ = dirty_ || (text.calls() && (forget_calls_ || !text.calls_procedure()));
  if (deed_ && !last_.failed) settle_deed(backend);
  deed_.reset();
}

void SessionTracker::settle_deed(ServerState& backend) {
  using Kind = Deed::Kind;
  if (holdings_.accounts_for(*deed_) == 0) return;
  for (const Variable& variable : deed_->variables) {
    const Tracked tracked = track_user_variable(wanted_, variable.name, variable.value);
    if (tracked != Tracked::kept) pins_ |= Pin::user_variable;
    track_user_variable(backend.session, variable.name, variable.value);
  }
  holdings_.done(*deed_, wanted_.schema);
  if (deed_->kind == Kind::drop_locks) pins_ &= ~(Pins{} | Pin::named_lock);
  // Names can be changed behind the statements that are followed.
  const bool named = deed_->kind == Kind::create_temporary || deed_->kind == Kind::prepare ||
                     deed_->kind == Kind::open_handler || deed_->kind == Kind::begin_xa;
  dirty_ = dirty_ || named;
}

void SessionTracker::learned_status(std::uint16_t told) {
  status_ = told;
  const bool open = (told & (status::in_trans | status::in_trans_readonly)) != 0;
  transaction_ = open ? Transaction::open : Transaction::none;
}

bool SessionTracker::outside_transaction() const {
  return transaction_ == Transaction::none && announced_ == 0;
}

Pins SessionTracker::pins(const ServerState& backend) const {
  Pins pins = pins_ | holdings_.pins();
  if (looks_back_) pins |= Pin::diagnostics;
  // No command unsets a schema: a client that has one where its login had none, or the other way
  // round, keeps what it has.
  if (wanted_.schema.empty() != backend.login_schema().empty()) pins |= Pin::schema;
  return pins;
}

}  // namespace weirpool::protocol::mysql
