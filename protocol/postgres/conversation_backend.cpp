// The backend's half of the conversation. Drawn in conversation.hpp.
#include <algorithm>
#include <array>
#include <utility>

#include "protocol/postgres/conversation.hpp"

namespace weirpool::protocol::postgres {
namespace {

bool made_up(Reply reply) { return reply == Reply::parse_made_up || reply == Reply::close_made_up; }

/// The longest front of a message an engine may ask for.
std::uint64_t front_of(const Header& header) {
  return std::min<std::uint64_t>(header.total(), kMaxNeed);
}

/// May what it has done give the parameters of statements other types? DROP TABLE is not among
/// them: many drop a table in case it is there, again and again; a new one that differs is found
/// out when a statement does not fit it.
bool retypes(std::string_view tag) {
  if (tag.size() < 9 || (tag[0] != 'A' && tag[0] != 'D')) return false;
  static constexpr std::array<std::string_view, 8> kRetyping{
      "ALTER TABLE", "ALTER TYPE",     "ALTER DOMAIN", "ALTER EXTENSION",
      "DROP TYPE",   "DROP EXTENSION", "DROP SCHEMA",  "DROP DOMAIN"};
  return std::find(kRetyping.begin(), kRetyping.end(), tag) != kRetyping.end();
}

Bytes visible_payload(const Header& header, Bytes rest) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(header.total(), rest.size()));
  return rest.first(size).subspan(kHeaderSize);
}

}  // namespace

Verdict PostgresConversation::backend_step(Bytes unread) {
  backend_moving_ = false;
  backend_partial_ = !unread.empty();
  if (backend_ == nullptr) return Verdict::hold();
  if (const Step queued = to_client_.next()) return *queued;
  if (own_) return own_step(unread);
  if (healing_) return heal_step(unread);
  if (settle_failed_) return Verdict::hold();
  Run run{unread, 0};
  while (!run.streams()) {
    if (run.size == 0) make_up_replies();
    if (const Step queued = to_client_.next()) return *queued;
    const std::uint64_t before = run.size;
    const Step verdict = backend_message(run);
    if (run.size != before) continue;
    if (run.size != 0) break;
    if (verdict && verdict->kind == Verdict::Kind::need && releasable()) return Verdict::release();
    if (verdict) return *verdict;
  }
  if (!queue_.full()) flushed_ = false;
  backend_moving_ = true;
  return Verdict::forward(run.size);
}

/// Says what weirpool answers itself, now that everything before it has been said.
void PostgresConversation::make_up_replies() {
  while (made_up(queue_.front()) || queue_.front() == Reply::copy_end) {
    if (queue_.front() == Reply::parse_made_up) write_bare('1', to_client_.out());
    if (queue_.front() == Reply::close_made_up) write_bare('3', to_client_.out());
    queue_.pop();
  }
}

PostgresConversation::Step PostgresConversation::backend_message(Run& run) {
  if (made_up(queue_.front()) || queue_.front() == Reply::copy_end) return std::nullopt;
  const Bytes rest = run.rest();
  if (rest.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(rest);
  if (!legal_length(header) || last_words_) return Verdict::close(Fault::backend_violation);
  const FromBackend action = backend_action(queue_.front(), header.tag);
  // Once something has been answered, sending it all again would answer it twice.
  keeping_ = keeping_ && (action == FromBackend::notice || action == FromBackend::parameter ||
                          action == FromBackend::error);
  switch (action) {
    case FromBackend::notice:
      if (run.size != 0 && header.tag == 'A' && !listens()) return std::nullopt;
      if (!for_nobody(header.tag)) return pass(header, run);
      to_client_.skip(header.total());
      return std::nullopt;
    case FromBackend::pass: return pass(header, run);
    case FromBackend::complete: queue_.pop(); return pass(header, run);
    case FromBackend::skip:
    case FromBackend::swallow:
      if (run.size != 0) return std::nullopt;
      if (action == FromBackend::swallow) queue_.pop();
      to_client_.skip(header.total());
      return std::nullopt;
    case FromBackend::columns: return on_columns(header, run);
    case FromBackend::command: return on_command(header, run, false);
    case FromBackend::command_end: return on_command(header, run, true);
    case FromBackend::copy_in: return on_copy_in(header, run);
    case FromBackend::error: return on_error(header, run);
    case FromBackend::ready: return on_ready(run);
    case FromBackend::parameter: return on_parameter(header, run);
    case FromBackend::violation: break;
  }
  return Verdict::close(Fault::backend_violation);
}

PostgresConversation::Step PostgresConversation::on_error(const Header& header, Run& run) {
  const Bytes rest = run.rest();
  if (rest.size() < front_of(header)) return Verdict::need(front_of(header));
  const ErrorResponse error = ErrorResponse::parse(visible_payload(header, rest));
  if (error.fatal()) {
    const bool survives = expendable();
    if (survives && run.size != 0) return std::nullopt;
    last_words_ = true;
    if (!survives) return pass(header, run);
    // The client hears something else, when the backend has gone.
    to_client_.skip(header.total());
    return std::nullopt;
  }
  if (check_) check_->rolled_back();
  resets_all_ = false;
  if (error.sqlstate == "25006") refused_to_write_ = true;
  // A function may have deallocated what is taken to be there.
  if (error.sqlstate == "26000") doubt_sql();
  doubt_types(error.sqlstate);
  if (!queue_.empty() && error.sqlstate == "0A000" && error.routine == "RevalidateCachedQuery") {
    if (run.size != 0) return std::nullopt;
    if (outdated()) {
      to_client_.skip(header.total());
      return std::nullopt;
    }
  }
  std::string words;
  const Note* note = queue_.empty() ? nullptr : queue_[0].note.get();
  if (note != nullptr && !note->words.empty() &&
      (note->instead_of.empty() || note->instead_of == error.sqlstate)) {
    if (run.size != 0) return std::nullopt;
    words = note->words;
  }
  keeping_ = false;
  switch (queue_.front()) {
    case Reply::none: return Verdict::close(Fault::backend_violation);
    case Reply::deallocate: undo(queue_[0]); [[fallthrough]];
    case Reply::query:
    case Reply::function:
    case Reply::sync:
      if (phase_ == Phase::copy_in) phase_ = Phase::relay;
      break;
    default: fail_batch(); break;
  }
  if (words.empty()) return pass(header, run);
  to_client_.skip(header.total());
  to_client_.out().text(words);
  return std::nullopt;
}

/// The backend ignores what stands before the next Sync, whether it has been sent or not.
void PostgresConversation::fail_batch() {
  std::size_t end = 1;
  while (end < queue_.size() && queue_.at(end) != Reply::sync) ++end;
  for (std::size_t i = end; i > 0; --i) undo(queue_[i - 1]);
  for (std::size_t i = 0; i < end; ++i) queue_.pop();
  phase_ = queue_.empty() ? Phase::skipping : Phase::relay;
}

/// Somebody has asked for notifications and may be this client.
bool PostgresConversation::listens() const {
  return (effects_ & kPinListen) != 0 || pooling_ == Pooling::session ||
         (catalog_->policy.allowed & kPinListen) != 0;
}

/// A notification that a client has not asked for, a function of whoever has had the backend has:
/// it is nobody's, and the backend has to forget the channel.
bool PostgresConversation::for_nobody(std::uint8_t tag) {
  if (tag != 'A' || listens()) return false;
  backend_->left_behind |= kPinListen;
  return true;
}

PostgresConversation::Step PostgresConversation::on_copy_in(const Header& header, Run& run) {
  // While it reads rows the backend ignores a Sync, so nothing will answer those sent already.
  bool ignored = false;
  while (queue_.at(1) == Reply::sync) {
    queue_.erase(1);
    ignored = true;
  }
  for (std::size_t i = 1; i < queue_.size(); ++i) ignored = ignored && queue_.at(i) != Reply::sync;
  unsynced_ = unsynced_ || ignored;
  if (queue_.at(1) == Reply::copy_end) {
    queue_.erase(1);
  } else if (queue_.size() > 1) {
    return Verdict::close(Fault::protocol_violation);
  } else {
    phase_ = Phase::copy_in;
  }
  return pass(header, run);
}

PostgresConversation::Step PostgresConversation::on_ready(Run& run) {
  const Bytes rest = run.rest();
  if (rest.size() < kHeaderSize + 1) return Verdict::need(kHeaderSize + 1);
  const Header header = peek_header(rest);
  const char status = static_cast<char>(rest[kHeaderSize]);
  if (header.length != 5 || (status != 'I' && status != 'T' && status != 'E')) {
    return Verdict::close(Fault::backend_violation);
  }
  // Instead of the answer to BEGIN: the client must not believe that it stands in a transaction.
  if (status != 'I' && pooling_ == Pooling::statement) {
    return Verdict::close(Fault::transaction_refused);
  }
  status_ = status;
  served_ = true;
  ++answered_;
  ++backend_->tally.queries;
  if (status == 'I') ++backend_->tally.transactions;
  queue_.pop();
  if (status == 'I' && queue_.empty()) unsettled_ = 0;
  if (queue_.empty()) doubtful_ = forgetting_ = may_begin_ = false;
  if (status == 'I' && queue_.empty()) named_ends_ = unnamed_ends_ = false;
  if (status == 'I') settings_changed_ = altered_ = false;
  // What was parsed before the end of the transaction may have the old types.
  if (status == 'I' && std::exchange(retyped_, false)) catalog_->statements.retire_all();
  const bool reset = std::exchange(resets_all_, false) && status == 'I' && queue_.empty();
  if (reset) effects_ &= ~(kPinSet | kPinSetConfig);
  if (phase_ == Phase::copy_in) phase_ = Phase::relay;
  return pass(header, run);
}

PostgresConversation::Step PostgresConversation::on_command(const Header& header, Run& run,
                                                            bool last) {
  if (queue_.front() == Reply::deallocate || queue_.front() == Reply::deallocate_portal) {
    return on_deallocated(header, run, last);
  }
  // Tags that say what has become of the session; their lengths tell all others apart.
  static constexpr std::size_t kLongest = std::string_view("DISCARD SEQUENCES").size() + 1;
  const std::size_t payload = header.length - 4;
  if (payload <= kLongest && run.rest().size() < header.total()) {
    return Verdict::need(header.total());
  }
  if (payload > 1 && payload <= kLongest) {
    const auto tag = text_of(visible_payload(header, run.rest())).substr(0, payload - 1);
    resets_all_ = resets_all_ && tag == "RESET";
    on_tag(tag);
  } else {
    resets_all_ = false;
  }
  if (last) queue_.pop();
  return pass(header, run);
}

void PostgresConversation::on_tag(std::string_view tag) {
  altered_ = altered_ || tag.starts_with("ALTER ") || tag.starts_with("CREATE ") ||
             tag.starts_with("DROP ");
  // Nobody else's statement knows a temporary table.
  retyped_ = retyped_ || (retypes(tag) && (effects_ & kPinTemporary) == 0);
  switch (tag.front()) {
    case 'D':
      if (tag == "DEALLOCATE ALL") forgotten_by_backend(false);
      if (tag == "DISCARD ALL") forgotten_by_backend(true);
      if (tag == "DISCARD SEQUENCES" && queue_.size() == 1) effects_ &= ~kPinSequence;
      break;
    case 'R':
      if (check_ && tag == "ROLLBACK") check_->rolled_back();
      break;
    default: break;
  }
}

void PostgresConversation::forgotten_by_backend(bool everything) {
  statements_.clear();
  sql_.reset();
  bound_ = nullptr;
  backend_->statements.clear();
  backend_->sql_statements.reset();
  if (everything) {
    unnamed_.reset();
    backend_->discarded();
    if (queue_.size() == 1) {
      effects_ &= kPinLoad | kPinSeed;
      sql_lost_ = false;
      check_.reset();
      want(startup_);
    }
    touch_everything();
    for (const std::string_view name : {"role", "session_authorization"}) {
      if (wanted_->find(name) != nullptr) check().touch(name, true);
    }
  }
  keep_what_is_underway();
}

/// What has been sent behind the statement that made the backend forget is not forgotten.
void PostgresConversation::keep_what_is_underway() {
  for (std::size_t i = 1; i < queue_.size(); ++i) {
    const Expected& entry = queue_[i];
    const bool injected = entry.reply == Reply::parse_injected;
    if (entry.reply != Reply::parse && !injected) continue;
    const StatementRef& statement = entry.statement;
    if (statement == nullptr || statement->backend_name.empty()) {
      backend_->unnamed_certain = false;
      continue;
    }
    backend_->statements.add(statement);
    if (!injected) statements_.add(entry.client_name(), statement);
  }
}

}  // namespace weirpool::protocol::postgres
