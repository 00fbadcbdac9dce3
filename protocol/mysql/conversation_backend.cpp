// The backend's side of the conversation: its replies, and what they tell about the session.
#include "protocol/mysql/conversation.hpp"

namespace weirpool::protocol::mysql {

Verdict ServerConversation::from_backend(MutableBytes unread) {
  if (response_.finished()) {
    // A server says something on its own only to take its leave.
    return unread.empty() ? Verdict::need(1) : Verdict::close(Fault::backend_lost);
  }
  const bool asking = intake_ == Intake::text || intake_ == Intake::payload || flag_.streaming;
  if (!asking) return response_.step(unread);
  // An answer before the question is out: a server does that with an error, and then leaves.
  if (unread.size() <= kHeaderSize) return Verdict::need(kHeaderSize + 1);
  if (unread[kHeaderSize] != 0xFF) return Verdict::close(Fault::backend_violation);
  return Verdict::close(Fault::backend_lost);
}

void ServerConversation::on_ok(const OkPacket& ok) {
  flag_.unsettled = true;
  tracker_.ok(command_, text_, ok, *backend_);
}

void ServerConversation::on_error() {
  flag_.unsettled = true;
  tracker_.error(command_, text_);
}

void ServerConversation::on_prepared(std::uint32_t statement_id) {
  flag_.unsettled = true;
  tracker_.prepared(statement_id, text_);
}

/// Once per reply, behind its last packet.
void ServerConversation::settle() {
  flag_.unsettled = false;
  const bool sql = row_of_command(command_).handling == Handling::text;
  if (!sql) return;
  tracker_.ended(text_, *backend_);
  if (command_ == com::query && !tracker_.failed() && text_.hides_collation())
    start(Errand::collation);
}

}  // namespace weirpool::protocol::mysql
