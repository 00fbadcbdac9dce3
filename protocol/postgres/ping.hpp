// Proof of life, and the fence behind a cancel request: a cancel that is still on its way hits this
// query or an idle backend, never somebody's statement.
//
//   weirpool        backend
//   Query ""    ->
//               <-  EmptyQueryResponse (or the ErrorResponse of the cancel), ReadyForQuery 'I'
#pragma once

#include "protocol/postgres/round_trip.hpp"

namespace weirpool::protocol::postgres {

class Ping final : public RoundTrip {
 public:
  explicit Ping(Backend& backend) : RoundTrip(backend, "") {}

 private:
  bool succeeded() override { return true; }
  /// query_canceled: exactly what the fence is for.
  bool failed(const ErrorResponse& error) override { return error.sqlstate == "57014"; }
};

}  // namespace weirpool::protocol::postgres
