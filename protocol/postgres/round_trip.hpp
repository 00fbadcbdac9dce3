// One simple Query of weirpool's own at a boundary, its reply swallowed. Base of reset and ping.
#pragma once

#include <optional>
#include <string_view>

#include "protocol/engine.hpp"
#include "protocol/postgres/backend_state.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/query_messages.hpp"

namespace weirpool::protocol::postgres {

class RoundTrip : public Engine {
 public:
  /// `backend` outlives the engine.
  RoundTrip(Backend& backend, std::string_view query);

  Verdict step(Party from, MutableBytes unread) final;

 protected:
  Backend& backend() { return backend_; }

 private:
  /// ReadyForQuery came and nothing went wrong; false: give the backend up all the same.
  virtual bool succeeded() = 0;
  /// An error that is not fatal; false: give the backend up.
  virtual bool failed(const ErrorResponse& error) = 0;
  /// The payload of a DataRow, as far as it fits.
  virtual void row(Bytes /*payload*/) {}
  Verdict message(Bytes unread);
  Verdict parameter(Bytes unread, std::uint64_t total);
  Verdict give_up();

  Backend& backend_;
  Outbox outbox_{Party::backend};
  Gather gather_;  ///< of a ParameterStatus that is long
  bool ended_ = false;
};

}  // namespace weirpool::protocol::postgres
