// Before a client whose statements may have changed its session leaves its backend, the backend
// itself is asked what the session is like now: after a rollback, behind a function, in the
// server's own spelling. What exists no longer pins no longer; what parameters have become follows
// the client.
//
//   weirpool                                         backend
//   Query SELECT EXISTS(...), current_setting(...) ->
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

/// Kinds of state the server can be asked about.
inline constexpr Effects kVerifiable =
    kPinListen | kPinPrepare | kPinWithHold | kPinTemporary | kPinAdvisoryLock;

/// The columns of a DataRow; no value: NULL. An error: not a DataRow.
using Row = std::vector<std::optional<std::string>>;
Result<Row> parse_row(Bytes payload);

class SessionCheck {
 public:
  /// The parameter may have changed; `reset`: if so, to its default.
  void touch(std::string_view lower, bool reset);
  bool touched(std::string_view lower) const;
  /// These pins may be over.
  void verify(Effects pins) { pins_ |= pins & kVerifiable; }
  /// Some of what was done may have been undone.
  void rolled_back() { rolled_back_ = true; }

  /// `backend` reports some of what was touched; a client with profile `wanted` has been at it.
  /// Empty: everything is known without asking.
  std::string query(const BackendParameters& backend, const Profile& wanted);
  /// The answer to query(): which of the pins are over. Nothing: it does not fit the question.
  std::optional<Effects> over(const Row& row) const;

  struct Touched {
    std::string name;
    bool reset = false;                 ///< by all that touched it
    std::optional<std::size_t> column;  ///< of the answer; none: the backend reports it
  };
  const std::vector<Touched>& parameters() const { return touched_; }

 private:
  std::vector<Touched> touched_;
  std::size_t columns_ = 0;
  Effects pins_ = 0;
  bool rolled_back_ = false;
};

}  // namespace weirpool::protocol::postgres
