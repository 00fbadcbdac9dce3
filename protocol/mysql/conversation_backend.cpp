// The backend's side of the conversation: its replies, and what they tell about the session.
#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/conversation.hpp"

namespace weirpool::protocol::mysql {

Verdict ServerConversation::from_backend(MutableBytes unread) {
  if (response_.finished()) {
    return unread.empty() ? Verdict::need(1) : last_words(unread);
  }
  if (asking()) return early_answer(unread);
  const Verdict verdict = response_.step(unread);
  if (response_.awaits_file()) intake_ = Intake::file;
  return verdict;
}

/// An answer before the question is out: a server does that with an error (a packet larger than it
/// allows, a shutdown), and then leaves. The client hears it as the last thing.
Verdict ServerConversation::early_answer(MutableBytes unread) {
  if (unread.size() <= kHeaderSize) return Verdict::need(kHeaderSize + 1);
  const std::size_t total = kHeaderSize + header_of(unread).length;
  if (unread[kHeaderSize] != 0xFF || total > kMaxNeed) {
    return Verdict::close(Fault::backend_violation);
  }
  if (unread.size() < total) return Verdict::need(total);
  last_words_ = text_of(unread.first(total).subspan(kHeaderSize));
  return Verdict::close(Fault::backend_lost);
}

void ServerConversation::on_ok(const OkPacket& ok) {
  flag_.unsettled = true;
  tracker_.ok(command_, text_, ok, *backend_);
  if (command_ == com::set_option) tracker_.set_multi_statements(flag_.multi_on, *backend_);
}

void ServerConversation::on_error() {
  constexpr std::uint16_t kReadOnlyOption = 1290;  // --read-only, --super-read-only and the like
  constexpr std::uint16_t kReadOnlyMode = 1836;
  const std::uint16_t code = response_.error_code();
  if (code == kReadOnlyOption || code == kReadOnlyMode) flag_.refused_to_write = true;
  flag_.unsettled = true;
  tracker_.error(command_, text_);
}

void ServerConversation::on_prepared(std::uint32_t statement_id) {
  flag_.unsettled = true;
  tracker_.prepared(statement_id, text_);
}

/// A server may ask for any file the client can read: it is believed only if the client has just
/// said that it wants to send one. (MariaDB prepares such statements too.)
bool ServerConversation::may_ask_for_file() const {
  if ((start_.capabilities & cap::local_files) == 0) return false;
  return command_ == com::stmt_execute ? tracker_.prepared_load()
                                       : command_ == com::query && text_.loads_local();
}

/// Once per reply, behind its last packet.
void ServerConversation::settle() {
  flag_.unsettled = false;
  ++answered_;
  const bool sql = row_of_command(command_).handling == Handling::text;
  if (!sql) return;
  tracker_.ended(text_, *backend_);
  if (command_ == com::query && !tracker_.failed() && text_.hides_collation())
    start(Errand::collation);
}

}  // namespace weirpool::protocol::mysql
