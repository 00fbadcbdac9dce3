#include "protocol/mysql/session_tracker.hpp"

#include <algorithm>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/commands.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint8_t kCharacteristics = 1;  // the next transaction has been told something
constexpr std::uint8_t kFlags = 2;            // one of the eight transaction flags is set

void set_bit(std::uint8_t& bits, std::uint8_t bit, bool on) {
  bits = static_cast<std::uint8_t>(on ? bits | bit : bits & ~bit);
}

/// MariaDB: "the statement prepared last", for clients that send PREPARE and EXECUTE together.
constexpr std::uint32_t kLastPrepared = 0xFFFFFFFF;

}  // namespace

void SessionTracker::attached() {
  announced_ = 0;
  transaction_ = Transaction::none;
}

void SessionTracker::detached() {
  statements_.clear();
  pins_ = 0;
  announced_ = 0;
  prepared_call_ = false;
  prepared_load_ = false;
  transaction_ = Transaction::none;
}

void SessionTracker::reset(const SessionState& to, std::uint16_t status) {
  detached();
  wanted_ = to;
  status_ = status;
  failed_ = false;
}

void SessionTracker::set_multi_statements(bool on, ServerState& backend) {
  wanted_.multi_statements = on;
  backend.session.multi_statements = on;
}

void SessionTracker::adopt_variables(const ServerState& backend) {
  wanted_.variables = backend.session.variables;
}

void SessionTracker::ok(std::uint8_t command, const SessionText& text, const OkPacket& ok,
                        ServerState& backend) {
  failed_ = false;
  status_ = ok.status;
  backend.status = ok.status;
  const bool open = (ok.status & (status::in_trans | status::in_trans_readonly)) != 0;
  transaction_ = open ? Transaction::open : Transaction::none;
  if (ok.last_insert_id != 0) {
    wanted_.last_insert_id = ok.last_insert_id;
    backend.session.last_insert_id = ok.last_insert_id;
  }
  const Reported reported = apply(ok, backend);
  // A change that the tracker does not name is one weirpool cannot replay.
  const bool statement = command == com::query;
  const bool named =
      command == com::init_db ||
      (statement && !text.multiple() && (text.starts_with_set() || text.starts_with_use()));
  if (reported.change && !(named && reported.settings)) pins_ |= Pin::session_state;
  const bool explained = reported.settings || (announced_ & kCharacteristics) != 0;
  if (statement && text.sets() && (text.multiple() || !explained)) pins_ |= Pin::session_state;
  if (text.sets_last_insert_id() && ok.last_insert_id == 0) pins_ |= Pin::last_insert_id;
}

SessionTracker::Reported SessionTracker::apply(const OkPacket& ok, ServerState& backend) {
  Reported reported;
  ChangeReader changes(ok.changes);
  SessionChange change;
  while (changes.next(change)) {
    switch (change.type) {
      case ChangeType::variable: {
        const Tracked tracked = track_variable(wanted_, change.name, change.value);
        if (tracked == Tracked::unsafe) pins_ |= Pin::variables;
        if (tracked != Tracked::ignored) reported.settings = true;
        track_variable(backend.session, change.name, change.value);
        break;
      }
      case ChangeType::schema:
        wanted_.schema = change.value;
        backend.session.schema = change.value;
        reported.settings = true;
        break;
      case ChangeType::state: reported.change = change.value == "1"; break;
      case ChangeType::characteristics:
        set_bit(announced_, kCharacteristics, !change.value.empty());
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

void SessionTracker::error(std::uint8_t command, const SessionText& text) {
  failed_ = true;
  if (transaction_ != Transaction::none) return;
  // An error carries no status: without autocommit, or behind code we cannot see, a transaction may
  // have been opened before it.
  const bool unseen = text.calls() || (command == com::stmt_execute && prepared_call_);
  if ((status_ & status::autocommit) == 0 || unseen) transaction_ = Transaction::unknown;
}

void SessionTracker::prepared(std::uint32_t statement, const SessionText& text) {
  failed_ = false;
  prepared_call_ = prepared_call_ || text.calls();
  prepared_load_ = prepared_load_ || text.loads_local();
  if (text.sets()) pins_ |= Pin::session_state;
  if (statements_.size() < max_statements_) {
    statements_.push_back(statement);
  } else {
    pins_ |= Pin::prepared_statement;
  }
}

void SessionTracker::ended(const SessionText& text, const ServerState& backend) {
  pins_ |= text.pins(backend.server().mariadb());
}

bool SessionTracker::knows(std::uint32_t statement) const {
  return has(pins_, Pin::prepared_statement) ||
         (statement == kLastPrepared && !statements_.empty()) ||
         std::find(statements_.begin(), statements_.end(), statement) != statements_.end();
}

void SessionTracker::close(std::uint32_t statement) {
  statements_.erase(std::remove(statements_.begin(), statements_.end(), statement),
                    statements_.end());
}

bool SessionTracker::outside_transaction() const {
  return transaction_ == Transaction::none && announced_ == 0;
}

Pins SessionTracker::pins(const ServerState& backend) const {
  Pins pins = pins_;
  if (!statements_.empty()) pins |= Pin::prepared_statement;
  // No command unsets a schema: a client that has one where its login had none, or the other way
  // round, keeps what it has.
  if (wanted_.schema.empty() != backend.login_schema().empty()) pins |= Pin::schema;
  return pins;
}

}  // namespace weirpool::protocol::mysql
