// Before a client whose statements may have changed its session leaves its backend, the backend
// itself is asked what the session is like now: after a rollback, behind a function, in the
// server's own spelling. What exists no longer pins no longer; what parameters have become follows
// the client.
//
//   weirpool                                         backend
//   Query SELECT EXISTS(...), current_setting(...); SELECT name, statement ... ->
//                                                  <-  RowDescription, DataRow, ... (swallowed)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/postgres/parameters.hpp"
#include "protocol/postgres/session_words.hpp"

namespace weirpool::protocol::postgres {

/// Kinds of state that texts make and the server can be asked about.
inline constexpr Effects kVerifiableTexts =
    kPinListen | kPinPrepare | kPinWithHold | kPinTemporary | kPinAdvisoryLock;
/// And those of the protocol.
inline constexpr Effects kVerifiable = kVerifiableTexts | kPinLongStatement;

/// The columns of a DataRow; no value: NULL. An error: not a DataRow.
using Row = std::vector<std::optional<std::string>>;
Result<Row> parse_row(Bytes payload);

class SessionCheck {
 public:
  /// The parameter may have changed; `reset`: if so, to its default.
  void touch(std::string_view lower, bool reset);
  bool touched(std::string_view lower) const;
  bool led_back(std::string_view lower) const;
  /// These pins may be over.
  void verify(Effects pins) { pins_ |= pins & kVerifiable; }
  /// Some of what was done may have been undone.
  void rolled_back();
  /// A text of the client's that is one PREPARE has been sent.
  void prepares(std::string_view text);
  /// It has, and its parameters are known: it can be prepared again elsewhere.
  bool has_prepared(std::string_view text) const;
  /// The same, and perhaps not as it once was.
  bool may_have_muddled(std::string_view text) const;
  /// What is prepared may have been read under other parameters than those the session ends with.
  void muddle() { muddled_ = true; }
  /// It was read under parameters set before it, which a rollback would undo.
  void relies_on_settings() { relies_ = true; }

  /// `backend` reports some of what was touched; a client with profile `wanted` has been at it.
  /// Empty: everything is known without asking.
  std::string query(const BackendParameters& backend, const Profile& wanted);
  /// The answer to query(): which of the pins are over. Nothing: it does not fit the question.
  std::optional<Effects> over(const Row& row) const;
  /// The answer to query() has two results, or one that is none of over(): the names and texts of
  /// what has been prepared in SQL.
  bool lists() const { return (pins_ & kPinPrepare) != 0; }
  /// How many results stand before that one.
  std::size_t results_before_list() const { return columns_ == 0 ? 0 : 1; }

  struct Touched {
    std::string name;
    bool reset = false;                 ///< by all that touched it
    bool led_back = false;              ///< by the last, and nobody has set it since
    std::optional<std::size_t> column;  ///< of the answer; none: the backend reports it
  };
  const std::vector<Touched>& parameters() const { return touched_; }

 private:
  bool muddled() const { return muddled_ || (relies_ && rolled_back_); }

  std::vector<Touched> touched_;
  std::size_t columns_ = 0;
  std::vector<std::string> prepared_;
  std::size_t prepared_bytes_ = 0;
  Effects pins_ = 0;
  bool rolled_back_ = false;
  bool muddled_ = false;
  bool relies_ = false;
};

}  // namespace weirpool::protocol::postgres
