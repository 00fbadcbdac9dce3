#include "protocol/postgres/backend_state.hpp"

#include "protocol/postgres/query_messages.hpp"
#include "protocol/postgres/startup_messages.hpp"

namespace weirpool::protocol::postgres {

void Backend::write_goodbye(Writer& out) const { write_bare('X', out); }

bool Backend::write_cancel(Writer& out) const {
  if (cancel_key.empty()) return false;
  CancelRequest::serialize(process_id, cancel_key, out);
  return true;
}

void Backend::discarded() {
  parameters.discarded();
  left_behind &= kPinLoad | kPinSeed;
  statements.clear();
  sql_statements.reset();
  unnamed.reset();
  unnamed_certain = true;
}

}  // namespace weirpool::protocol::postgres
