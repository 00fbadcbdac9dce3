// What the replies tell about one client's session: its settings, whether a transaction is open,
// and why it must keep its backend. Fed by Conversation with every OK and ERR, in their order.
#pragma once

#include <optional>
#include <string_view>

#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/command_messages.hpp"
#include "protocol/mysql/given_numbers.hpp"
#include "protocol/mysql/holdings.hpp"
#include "protocol/mysql/pins.hpp"
#include "protocol/mysql/session_text.hpp"

namespace weirpool::protocol::mysql {

/// What functions and statements that look back say about a client's last statement.
struct LastStatement {
  std::int64_t row_count = 0;
  std::uint64_t found_rows = 0;  ///< of its last result with rows, however long ago
  std::uint16_t warnings = 0;
  bool failed = false;
};

class SessionTracker {
 public:
  /// `forget_calls`: what a CALL leaves is nobody's.
  SessionTracker(SessionState wanted, std::uint16_t status, bool forget_calls = false)
      : wanted_(std::move(wanted)), forget_calls_(forget_calls), status_(status) {}

  /// The settings this client wants; a backend it is attached to has the same after a replay.
  const SessionState& wanted() const { return wanted_; }
  /// Of the last reply, or of the greeting.
  std::uint16_t status() const { return status_; }
  /// The last reply was an error.
  bool failed() const { return last_.failed; }
  const LastStatement& last() const { return last_; }
  /// Weirpool has answered a query of one row itself.
  void answered_query() { last_ = {-1, 1, 0, false}; }

  /// It has refused something.
  void answered_error() { last_ = {-1, last_.found_rows, 1, true}; }
  /// It has answered a statement that has nothing to do.
  void answered_nothing() { last_ = {0, last_.found_rows, 0, false}; }

  void attached();
  /// The status stays: a transaction that went with the backend is open until the client ends it.
  void detached();
  void lost_transaction_ended();
  /// Before a statement: what it does to what the session holds, if that is understood.
  void follow(std::optional<Deed> deed) { deed_ = std::move(deed); }
  /// It takes a lock whose name is its first parameter.
  bool awaits_lock_name() const {
    return deed_ && deed_->kind == Deed::Kind::take_lock && deed_->names[0] == kParameter;
  }
  /// Empty: it cannot be followed.
  void name_lock(std::string_view name);
  /// It changes what sessions begin with.
  bool sets_global() const { return deed_ && deed_->kind == Deed::Kind::set_global; }
  /// It is a KILL in a text of its own.
  bool kills() const { return deed_ && deed_->kills; }
  const Holdings& holdings() const { return holdings_; }
  void locks_are_free() { holdings_.locks_are_free(); }
  /// Nothing pins, but the backend has held things that a reset makes sure are gone.
  bool dirty() const { return dirty_; }
  void soil() { dirty_ = true; }
  void pin(Pin reason) { pins_ |= reason; }
  /// From now on the client keeps its backend, which alone knows what it asks for.
  void keep_for_looking_back() { looks_back_ = true; }
  /// A reply of `backend` to `command`, which executes `text` (empty for other commands).
  /// `rows` as in ResponseObserver.
  void ok(std::uint8_t command, const SessionText& text, const OkPacket& ok, std::uint64_t rows,
          ServerState& backend);
  /// The same reply, for what LAST_INSERT_ID() says from now on. `given`: what an INSERT may have
  /// brought along itself.
  void note_insert_id(const SessionText& text, const OkPacket& ok, const GivenNumbers& given,
                      ServerState& backend);
  /// The replies do not tell that for certain: the backend has to be asked before it is released.
  bool doubts_insert_id() const { return doubt_.open; }
  /// And what it says may be another client's.
  bool insert_id_may_be_foreign() const { return doubt_.open && doubt_.wanted != doubt_.there; }
  /// What the backend has said to `SELECT LAST_INSERT_ID()`. No value: it would not say.
  void learned_insert_id(std::optional<std::uint64_t> id, ServerState& backend);
  void error(const SessionText& text, const ServerState& backend);
  /// An answer without a status has come. `cleared`: warnings of what was before are gone.
  void answered(bool cleared) {
    last_.failed = false;
    if (cleared) last_.warnings = 0;
  }
  /// The whole reply to a text has come.
  void ended(const SessionText& text, ServerState& backend);
  /// Replies to weirpool's own commands have come.
  void replayed(const ServerState& backend) { status_ = backend.status; }
  /// COM_SET_OPTION has been carried out.
  void set_multi_statements(bool on, ServerState& backend);
  void adopt_variables(const ServerState& backend);
  /// COM_RESET_CONNECTION has been carried out, on `to` or on nothing but the session itself.
  void reset(const SessionState& to, std::uint16_t status);

  /// Outside a transaction for certain, and none has been prepared by SET TRANSACTION.
  bool outside_transaction() const;
  /// An error has left it open whether there is one.
  bool doubts_transaction() const { return transaction_ == Transaction::unknown; }
  /// What a reply to a question of weirpool's says about it.
  void learned_status(std::uint16_t status);
  Pins pins(const ServerState& backend) const;

 private:
  enum class Transaction : std::uint8_t { none, open, unknown };
  struct Reported {
    bool settings = false;         ///< variables or the schema
    bool characteristics = false;  ///< of the next transaction, or of the one that is open
    bool change = false;           ///< something in the session
  };
  void note_last(const SessionText& text, const OkPacket& ok, std::uint64_t rows);
  Reported apply(const OkPacket& ok, ServerState& backend, bool passing);
  void doubt_insert_id(const ServerState& backend);
  void settle_deed(ServerState& backend);

  SessionState wanted_;
  Pins pins_ = 0;
  Holdings holdings_;
  std::optional<Deed> deed_;
  bool dirty_ = false;
  bool looks_back_ = false;
  bool forget_calls_;
  std::uint16_t status_;
  Transaction transaction_ = Transaction::none;
  std::uint8_t announced_ = 0;  ///< bits of what the tracker says about transactions
  LastStatement last_;
  /// Since when it is not certain what LAST_INSERT_ID() says.
  struct {
    bool open = false;
    std::uint64_t wanted = 0;  ///< it was this for the client
    std::uint64_t there = 0;   ///< and this on the backend, perhaps another client's
  } doubt_;
};

}  // namespace weirpool::protocol::mysql
