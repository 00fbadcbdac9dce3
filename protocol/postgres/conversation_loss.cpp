// What becomes of the session when its backend goes: see backend_lost() in engine.hpp.
#include "protocol/postgres/conversation.hpp"
#include "protocol/postgres/transaction_text.hpp"

namespace weirpool::protocol::postgres {

/// What is sent may use a sequence, and begin a transaction or end it: from here to its
/// ReadyForQuery nobody could tell whether a lost backend has committed.
void PostgresConversation::note_ending(std::string_view text, bool whole) {
  const std::string_view words = text.substr(0, text.find('\0'));
  if (!drew_ || (status_ == 'I' && !may_begin_)) {
    const Reach reach = reach_of(words, whole);
    may_begin_ = may_begin_ || (status_ == 'I' && reach.begins);
    drew_ = drew_ || reach.draws;
  }
  // What stands before it may begin the transaction that it ends.
  if (doubtful_ || (status_ == 'I' && !texts_behind())) return;
  const Ending ending = ending_of(words, whole);
  // A text that is not kept may be anything.
  doubtful_ = text.empty() || ending == Ending::commit || ending == Ending::unclear;
}

/// A portal lives until the transaction ends, and may be executed in a later batch.
void PostgresConversation::note_bound(std::string_view portal, std::string_view text) {
  const Ending ending = ending_of(text.substr(0, text.find('\0')), true);
  const bool ends = text.empty() || ending == Ending::commit || ending == Ending::unclear;
  if (portal.empty()) {
    unnamed_ends_ = ends;
  } else {
    named_ends_ = named_ends_ || ends;
  }
}

/// A transaction block that certainly has not been committed, of which nothing but its statements
/// is lost with the backend.
bool PostgresConversation::expendable() const {
  if (status_ == 'I' || doubtful_ || settings_changed_ || (effects_ & kPins) != 0) return false;
  if (pooling_ == Pooling::session || phase_ == Phase::copy_in || awaits_bind()) return false;
  if (text_left_ != 0 || carry_ != 0 || gather_.collecting()) return false;
  std::size_t ready = 0;
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    if (ends_with_ready(queue_.at(i))) ++ready;
  }
  return ready <= 1;
}

LostTransaction::Heard PostgresConversation::heard() const {
  using Heard = LostTransaction::Heard;
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    if (ends_with_ready(queue_.at(i))) return Heard::part_of_query;
  }
  if (phase_ == Phase::skipping) return Heard::error_in_batch;
  if (!queue_.empty() || unsynced_) return Heard::part_of_batch;
  return status_ == 'E' ? Heard::error : Heard::nothing;
}

Verdict PostgresConversation::backend_lost(bool torn) {
  const bool bound = (effects_ & kPins) != 0 || check_ || pooling_ == Pooling::session;
  if (!torn && !used_ && !bound) return Verdict::lease();
  if (!torn && expendable()) {
    lost_ = std::make_unique<LostTransaction>(heard(), catalog_, std::string(meaning({})));
    return Verdict::hold();
  }
  if (last_words_) return Verdict::close(Fault::none);
  const bool idle = !torn && queue_.empty() && !unsynced_ && text_left_ == 0 && carry_ == 0;
  return Verdict::close(idle ? Fault::backend_lost : Fault::outcome_unknown);
}

PostgresConversation::Step PostgresConversation::lost_message(Bytes unread) {
  const Step verdict = lost_->step(unread, to_client_, statements_);
  if (lost_->over()) lost_.reset();
  return verdict;
}

}  // namespace weirpool::protocol::postgres
