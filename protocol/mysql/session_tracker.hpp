// What the replies tell about one client's session: its settings, whether a transaction is open,
// and why it must keep its backend. Fed by Conversation with every OK and ERR, in their order.
#pragma once

#include <string_view>
#include <vector>

#include "protocol/mysql/backend_state.hpp"
#include "protocol/mysql/command_messages.hpp"
#include "protocol/mysql/pins.hpp"
#include "protocol/mysql/session_text.hpp"

namespace weirpool::protocol::mysql {

class SessionTracker {
 public:
  /// `max_statements` prepared statements are followed one by one; beyond, the pin is for good.
  SessionTracker(SessionState wanted, std::uint16_t status, std::uint32_t max_statements)
      : wanted_(std::move(wanted)), status_(status), max_statements_(max_statements) {}

  /// The settings this client wants; a backend it is attached to has the same after a replay.
  const SessionState& wanted() const { return wanted_; }
  /// Of the last reply, or of the greeting.
  std::uint16_t status() const { return status_; }
  /// The last reply was an error.
  bool failed() const { return failed_; }

  void attached();
  void detached();
  /// A reply of `backend` to `command`, whose SQL is in `text` (empty for other commands).
  void ok(std::uint8_t command, const SessionText& text, const OkPacket& ok, ServerState& backend);
  void error(std::uint8_t command, const SessionText& text);
  void prepared(std::uint32_t statement, const SessionText& text);
  /// The whole reply to a text has come.
  void ended(const SessionText& text, const ServerState& backend);
  /// Replies to weirpool's own commands have come.
  void replayed(const ServerState& backend) { status_ = backend.status; }
  /// COM_SET_OPTION has been carried out.
  void set_multi_statements(bool on, ServerState& backend);
  void adopt_variables(const ServerState& backend);
  /// COM_RESET_CONNECTION has been carried out, on `to` or on nothing but the session itself.
  void reset(const SessionState& to, std::uint16_t status);

  /// A prepared statement may ask for a file of the client's.
  bool prepared_load() const { return prepared_load_; }
  bool knows(std::uint32_t statement) const;
  void close(std::uint32_t statement);

  /// Outside a transaction for certain, and none has been prepared by SET TRANSACTION.
  bool outside_transaction() const;
  Pins pins(const ServerState& backend) const;

 private:
  enum class Transaction : std::uint8_t { none, open, unknown };
  struct Reported {
    bool settings = false;  ///< variables or the schema
    bool change = false;    ///< something in the session
  };
  Reported apply(const OkPacket& ok, ServerState& backend);

  SessionState wanted_;
  std::vector<std::uint32_t> statements_;
  Pins pins_ = 0;
  std::uint16_t status_;
  std::uint32_t max_statements_;
  Transaction transaction_ = Transaction::none;
  std::uint8_t announced_ = 0;  ///< bits of what the tracker says about transactions
  bool failed_ = false;
  bool prepared_load_ = false;  ///< some prepared statement sends a file of the client's
  bool prepared_call_ = false;  ///< some prepared statement runs code we cannot see
};

}  // namespace weirpool::protocol::mysql
