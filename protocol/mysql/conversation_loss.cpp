// What becomes of the session when its backend goes: see backend_lost() in engine.hpp.
//
//   in a transaction that cannot have been committed   ERR 1213 as the answer, or to what comes
//   next;
//                                                      then to everything, COMMIT included, until
//                                                      ROLLBACK, BEGIN or START TRANSACTION
//   anything else under way                            the end of the stream and no word: every
//                                                      number there is would invite a retry
#include <algorithm>
#include <utility>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/conversation.hpp"
#include "protocol/mysql/query_attributes.hpp"
#include "protocol/mysql/transaction_text.hpp"

namespace weirpool::protocol::mysql {

/// `sql`, or its front, goes to the backend now, prepared or not.
void ServerConversation::note_ending(std::string_view sql, bool whole) {
  const bool open = (tracker_.status() & (status::in_trans | status::in_trans_readonly)) != 0;
  flag_.doubtful = open && com::runs_text(command_) && verb_of(sql, whole) == Verb::other;
}

bool ServerConversation::expendable() const {
  const bool open = (tracker_.status() & (status::in_trans | status::in_trans_readonly)) != 0;
  if (!open || tracker_.outside_transaction() || pins() != 0) return false;
  // Errands in front of a command, which nobody has been given yet.
  const bool before =
      errand_ == Errand::replay || errand_ == Errand::prepare || errand_ == Errand::insert_id;
  if (pooling_ == Pooling::session || (errand_ != Errand::none && !before)) return false;
  if (intake_ != Intake::command || flag_.streaming) return false;
  return response_.finished() || (!flag_.doubtful && !text_.multiple());
}

Verdict ServerConversation::backend_lost(bool torn) {
  // The client wanted it so, and has its answer: as the server does, without a word.
  if (errand_ == Errand::parting) return Verdict::close(Fault::none);
  // Everything has been answered: what is lost is only what somebody might have asked later.
  if (!torn && errand_ == Errand::diagnostics) {
    flag_.diagnostics_lost = true;
    return Verdict::hold();
  }
  if (!torn && (errand_ == Errand::patience || errand_ == Errand::scope)) return Verdict::hold();
  // The front of an EXECUTE that has been taken apart was meant for the backend that is gone.
  if (!torn && flag_.fresh && intake_ != Intake::head) return Verdict::lease();
  if (!torn && expendable()) {
    lost_ = response_.finished() ? Lost::unheard : Lost::unsaid;
    return Verdict::hold();
  }
  const bool idle = !torn && response_.finished() && errand_ == Errand::none &&
                    intake_ == Intake::command && !flag_.streaming;
  if (!idle) return Verdict::close(Fault::outcome_unknown);
  return Verdict::close(tracker_.failed() && !flag_.fresh ? Fault::none : Fault::backend_lost);
}

/// The answer that the lost backend owed.
Verdict ServerConversation::say_lost() {
  lost_ = Lost::heard;
  flag_.cut = false;
  out_.clear();
  write_fault_packet(out_, response_.client_sequence(), Fault::transaction_lost, {});
  return Verdict::send(Party::client, out_.view());
}

/// A command while the transaction is lost. No value: it goes its usual way.
std::optional<Verdict> ServerConversation::lost_command(const CommandRow& row, MutableBytes unread,
                                                        FrameHeader header) {
  switch (row.handling) {
    case Handling::quit:
    case Handling::ping:
    case Handling::unknown:
    case Handling::statement_silent: return std::nullopt;
    case Handling::log_in:
    case Handling::reset: lost_ = Lost::no; return std::nullopt;
    default: break;
  }
  if (command_ == com::query) {
    const std::size_t total = kHeaderSize + header.length;
    const std::size_t visible = std::min(total, kMaxNeed);
    if (unread.size() < visible) return Verdict::need(visible);
    Bytes sql = Bytes(unread).first(visible).subspan(kHeaderSize + 1);
    if ((start_.capabilities & cap::query_attributes) != 0) {
      sql = sql.subspan(sql_behind_attributes(sql).value_or(0));
    }
    const Verb verb = verb_of(text_of(sql), visible == total);
    if (verb == Verb::begin || verb == Verb::rollback) {
      lost_ = Lost::no;
      tracker_.lost_transaction_ended();
    }
    if (verb == Verb::begin) return std::nullopt;
    if (verb == Verb::rollback) {
      tracker_.answered_nothing();
      forget_diagnostics();
      return drop({}, unread);
    }
  }
  const bool first = std::exchange(lost_, Lost::heard) == Lost::unheard;
  const FaultRow& told = row_of(first ? Fault::transaction_lost : Fault::transaction_failed);
  return drop({told.mysql_errno, std::string(told.mysql_sqlstate), std::string(told.message)},
              unread);
}

/// A server says something on its own only to take its leave. What becomes of the session is
/// decided when it has gone.
Verdict ServerConversation::last_words(MutableBytes unread) {
  if (unread.size() <= kHeaderSize) return Verdict::need(kHeaderSize + 1);
  if (unread[kHeaderSize] != 0xFF) return Verdict::close(Fault::backend_violation);
  flag_.leaving = true;
  return Verdict::skip(kHeaderSize + header_of(unread).length);
}

}  // namespace weirpool::protocol::mysql
