// Brings a backend back to where its login left it.
//
//   weirpool              backend
//   Query DISCARD ALL ->
//                     <-  CommandComplete, ParameterStatus*, ReadyForQuery 'I'   (swallowed)
#pragma once

#include "protocol/postgres/round_trip.hpp"

namespace weirpool::protocol::postgres {

/// Ends with done, or with close(backend_lost) if the backend did not do it. DISCARD ALL is refused
/// inside a transaction, so it is a simple Query of its own.
class Reset final : public RoundTrip {
 public:
  explicit Reset(Backend& backend) : RoundTrip(backend, "DISCARD ALL") {}

 private:
  bool succeeded() override {
    backend().discarded();
    return true;
  }
  bool failed(const ErrorResponse&) override { return false; }
};

}  // namespace weirpool::protocol::postgres
