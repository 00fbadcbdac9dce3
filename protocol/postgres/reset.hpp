// Brings a backend back to where its login left it, by undoing what its last client did and no
// more: statements prepared for everybody survive, unless there is no other way.
//
//   weirpool                              backend
//   Query UNLISTEN *; DISCARD TEMP ... ->
//                                      <-  answers, ParameterStatus*, ReadyForQuery 'I' (swallowed)
#pragma once

#include "protocol/postgres/round_trip.hpp"

namespace weirpool::protocol::postgres {

/// Ends with done, or with close(backend_lost) if the backend did not do it or there is state that
/// only its end undoes.
class Reset final : public RoundTrip {
 public:
  /// Undoes what `backend` says was left behind; if it says nothing, everything there may be.
  explicit Reset(Backend& backend);

 private:
  bool succeeded() override;
  bool failed(const ErrorResponse&) override { return false; }

  Effects undone_;
};

}  // namespace weirpool::protocol::postgres
