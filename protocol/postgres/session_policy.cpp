#include "protocol/postgres/session_policy.hpp"

#include "protocol/bytes.hpp"
#include "protocol/postgres/query_messages.hpp"

namespace weirpool::protocol::postgres {

std::string refusal_of(const SessionPolicy& policy, Effects effects) {
  const Effects refused = policy.refused & effects;
  if (refused == 0) return {};
  std::string_view kind = pin_label(refused);
  if ((refused & kSettings) != 0) kind = "set_parameter";
  if ((refused & kRoles) != 0) kind = "role";
  const std::string message =
      "weirpool refuses statements that change this state of a session: " + std::string(kind);
  ErrorResponse error;
  error.severity = "ERROR";
  error.sqlstate = "0A000";
  error.message = message;
  error.detail = "The operator has chosen so in pool.session_state.";
  Writer out;
  error.serialize(out);
  return std::string(text_of(out.view()));
}

}  // namespace weirpool::protocol::postgres
