#include "protocol/postgres/conversation.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace weirpool::protocol::postgres {

Verdict PostgresConversation::step(Party from, MutableBytes unread) {
  return from == Party::client ? client_step(unread) : backend_step(unread);
}

void PostgresConversation::attach(BackendState& backend) {
  backend_ = static_cast<Backend*>(&backend);
  status_ = 'I';
  used_ = false;
  refused_ = false;
  queue_.take(backend_->replies);
  settle();
  if (!own_) agree();
}

void PostgresConversation::detach() {
  forget_queue();
  if (backend_ != nullptr) note_left_behind();
  // Of a transaction that was lost with its backend nobody knows how it has ended.
  if (std::exchange(retyped_, false)) catalog_->statements.retire_all();
  to_client_ = Outbox(Party::client);
  to_backend_ = Outbox(Party::backend);
  gather_.consume();
  scan_.reset();
  text_left_ = 0;
  streams_ = Streams::query;
  carry_ = 0;
  streamed_.reset();
  if (unnamed_ && unnamed_->body().empty()) unnamed_.reset();
  backend_ = nullptr;
  check_.reset();
  own_.reset();
  effects_ = 0;
  phase_ = Phase::relay;
  named_ends_ = unnamed_ends_ = doubtful_ = settings_changed_ = altered_ = refused_to_write_ =
      false;
  unsettled_ = 0;
  may_begin_ = false;
  unsynced_ = settle_failed_ = sql_lost_ = served_ = cleansed_ = drew_ = resets_all_ = forgetting_ =
      asks_flush_ = flushed_ = last_words_ = false;
  own_tries_ = 0;
  keeping_ = false;
  healing_.reset();
  bound_ = nullptr;
  deallocates_.clear();
  not_supplied_.reset();
  client_moving_ = backend_moving_ = backend_partial_ = false;
}

/// For the reset. What was not asked about may be anything.
void PostgresConversation::note_left_behind() {
  Effects& left = backend_->left_behind;
  left |= (effects_ & kPins) | (check_ ? kPinSet : 0);
  if (!resets_always()) return;
  // DISCARD ALL, unless it does not do.
  left = (left & (kPinLoad | kPinSeed)) == 0 ? 0 : left | (kPins & ~kPinLoad);
}

void PostgresConversation::refuse(Fault fault, std::string_view detail) {
  refusal_ = std::make_unique<Writer>();
  write_refusal(fault, detail, *refusal_);
  refused_ = true;
}

std::uint32_t PostgresConversation::statement_limit_ms() const {
  std::uint32_t least = 0;
  for (const std::string_view name : {"statement_timeout", "transaction_timeout"}) {
    const std::string* value = wanted_->find(name);
    const std::uint32_t limit = value == nullptr ? 0 : milliseconds_of(*value);
    if (limit != 0 && (least == 0 || limit < least)) least = limit;
  }
  return least;
}

/// Query: the text. Parse: the name, the text.
std::string_view PostgresConversation::request_text(Bytes unread) const {
  if (unread.size() < kHeaderSize) return {};
  const Header header = peek_header(unread);
  if (header.tag != 'Q' && header.tag != 'P') return {};
  const auto size = std::min<std::uint64_t>(header.total(), unread.size());
  std::string_view text = text_of(unread.first(static_cast<std::size_t>(size))).substr(kHeaderSize);
  if (header.tag == 'P') text.remove_prefix(std::min(text.find('\0'), text.size() - 1) + 1);
  return text.substr(0, text.find('\0'));
}

bool PostgresConversation::says_goodbye(Bytes unread) const {
  return unread.size() >= kHeaderSize && peek_header(unread).tag == 'X';
}

void PostgresConversation::write_rollback(Writer& out) const {
  if (backend_ != nullptr && status_ != 'I' && owes_nothing()) write_query("ROLLBACK", out);
}

/// Neither side is in the middle of anything, but perhaps of a transaction.
bool PostgresConversation::owes_nothing() const {
  return queue_.empty() && phase_ == Phase::relay && !unsynced_ && !own_ && !settle_failed_ &&
         !last_words_ && !client_moving_ && !backend_moving_ && !backend_partial_ &&
         text_left_ == 0 && carry_ == 0 && !gather_.collecting();
}

std::string_view PostgresConversation::pin_reason() const {
  const std::string_view reason = pin_label(effects_);
  return reason.empty() && awaits_bind() ? "long_statement" : reason;
}

bool PostgresConversation::at_boundary() const { return backend_ == nullptr || quiet(); }

bool PostgresConversation::releasable() const {
  return backend_ != nullptr && used_ && (effects_ & kPins) == 0 && !check_ && !awaits_bind() &&
         pooling_ != Pooling::session && quiet();
}

std::string_view PostgresConversation::application() const {
  const std::string* name = wanted_->find("application_name");
  return name == nullptr ? std::string_view{} : std::string_view(*name);
}

void PostgresConversation::write_fault(Fault fault, std::string_view detail, Writer& out) {
  if (fault != Fault::none) write_error(fault, {}, detail, out);
}

/// The backend did not do what `entry` assumed: it failed or was skipped.
void PostgresConversation::undo(Expected& entry) {
  switch (entry.reply) {
    case Reply::query:
    case Reply::close: backend_->unnamed_certain = false; return;
    case Reply::errand: cleansed_ = false; return;
    case Reply::deallocate:
    case Reply::deallocate_portal: statements_.add(entry.client_name(), entry.statement); return;
    case Reply::parse:
    case Reply::parse_injected:
    case Reply::parse_made_up:
    case Reply::close_injected:
    case Reply::close_made_up: break;
    default: return;
  }
  const StatementRef& statement = entry.statement;
  if (statement == nullptr || statement->backend_name.empty()) {
    backend_->unnamed_certain = false;
    if (entry.reply == Reply::parse && unnamed_ == statement) unnamed_.reset();
    return;
  }
  const auto named = statements_.find(entry.client_name());
  switch (entry.reply) {
    case Reply::parse:
    case Reply::parse_made_up:
      if (named != statements_.end() && named->second.statement == statement) {
        bound_ = nullptr;
        statements_.erase(named);
      }
      if (entry.reply == Reply::parse) backend_->statements.erase(*statement);
      return;
    case Reply::parse_injected: backend_->statements.erase(*statement); return;
    case Reply::close_injected:
      backend_->statements.add({statement, entry.note == nullptr ? 0 : entry.note->generation});
      return;
    case Reply::close_made_up:
      if (named == statements_.end()) {
        statements_.add(entry.client_name(), statement);
      }
      return;
    default: return;
  }
}

void PostgresConversation::forget_queue() {
  if (backend_ != nullptr) {
    for (std::size_t i = queue_.size(); i > 0; --i) undo(queue_[i - 1]);
    queue_.give_back(backend_->replies);
  }
}

}  // namespace weirpool::protocol::postgres
