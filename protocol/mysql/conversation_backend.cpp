// The backend's side of the conversation: its replies, and what they tell about the session.
#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/conversation.hpp"

namespace weirpool::protocol::mysql {
namespace {

/// 1290 names the option that prevents a statement, in whatever language; --secure-file-priv and
/// --skip-grant-tables say nothing about the server's role.
bool refuses_to_write(const ErrPacket& error) {
  constexpr std::uint16_t kOption = 1290;
  constexpr std::uint16_t kReadOnlyMode = 1836;
  const bool read_only = error.message.find("read-only") != std::string_view::npos ||
                         error.message.find("read_only") != std::string_view::npos;
  return error.code == kReadOnlyMode || (error.code == kOption && read_only);
}

}  // namespace

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

void ServerConversation::on_ok(const OkPacket& ok, std::uint64_t rows) {
  flag_.unsettled = true;
  if (ok.warnings > 0 || text_.calls()) note_warning();
  if (com::runs_text(command_) && text_.sets_for_itself()) {
    begin_scope();
  } else if (!ok.changes.empty()) {
    outside_.reset();
  }
  tracker_.ok(command_, text_, ok, rows, *backend_);
  tracker_.note_insert_id(text_, ok, given_, *backend_);
  if (command_ == com::set_option) tracker_.set_multi_statements(flag_.multi_on, *backend_);
  statement_answered(ok);
}

bool ServerConversation::on_error(const ErrPacket& error) {
  if (refuses_to_write(error)) flag_.refused_to_write = true;
  flag_.unsettled = true;
  note_warning();
  if (error.code == kTooManyStatementsCode && make_room()) return false;
  if (command_ == com::stmt_prepare) statements_.none_last();
  if (com::runs_text(command_) && text_.sets_for_itself()) begin_scope();
  tracker_.error(text_, *backend_);
  calls_.failed(error.code, error.message);
  if (!com::runs_text(command_)) keep_error(error.code, error.message);
  statement_failed();
  return true;
}

void ServerConversation::note_warning() { backend_->warned = backend_->server().mariadb(); }

/// A server may ask for any file the client can read: it is believed only if the client has just
/// said that it wants to send one. (MariaDB prepares such statements too.)
bool ServerConversation::may_ask_for_file() const {
  if ((start_.capabilities & cap::local_files) == 0) return false;
  return com::runs_text(command_) && text_.loads_local();
}

/// What GET_LOCK() and RELEASE_LOCK() have answered stands in rows: the server is asked what is so.
bool ServerConversation::locks_changed() const {
  const bool taken = text_.takes_lock() && !tracker_.failed();
  return (taken || text_.releases_lock()) && tracker_.holdings().has_locks();
}

/// COMMIT RELEASE, or COMMIT where completion_type says so: the server closes behind its OK, as it
/// does with a KILL of the session. Whether it does is seen by asking it for a sign of life.
bool ServerConversation::may_part() const {
  if (!text_.ends_transaction() || tracker_.failed()) return false;
  const std::string* type = tracker_.wanted().find("completion_type");
  // What has been set and not been reported could be anything.
  return text_.says_release() || (type != nullptr && *type == "RELEASE") ||
         has(pins(), Pin::session_state);
}

/// Once per reply, behind its last packet.
void ServerConversation::settle() {
  flag_.unsettled = false;
  ++answered_;
  if (!com::runs_text(command_)) return;
  if (tracker_.sets_global() && !tracker_.failed()) start_.catalog->defaults_changed();
  tracker_.ended(text_, *backend_);
  if (text_.calls_procedure()) end_call();
  if (!text_.reads_diagnostics()) forget_diagnostics();
  if (may_part()) {
    start(Errand::parting);
  } else if (!tracker_.failed() && text_.hides_collation()) {
    start(Errand::collation);
  } else if (locks_changed()) {
    start(Errand::locks);
  } else if (wants_diagnostics()) {
    start(Errand::diagnostics);
  }
}

}  // namespace weirpool::protocol::mysql
