#include "protocol/mysql/conversation.hpp"

#include <utility>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/client_login.hpp"

namespace weirpool::protocol::mysql {
namespace {

Response::ClientDialect dialect_of(std::uint64_t capabilities) {
  return {(capabilities & cap::deprecate_eof) != 0, (capabilities & cap::session_track) != 0,
          (capabilities & (cap::optional_metadata | cap::cache_metadata)) != 0,
          (capabilities & cap::optional_metadata) != 0};
}

std::uint16_t first_status(const ConversationStart& start) {
  return static_cast<std::uint16_t>(start.facts ? start.facts->status : status::autocommit) &
         status::lasting;
}

SessionState first_state(const ConversationStart& start) {
  const std::uint16_t fallback = start.facts ? start.facts->collation : std::uint16_t{0};
  SessionState state;
  state.collation =
      usable_collation(start.collation, start.facts && start.facts->mariadb(), fallback);
  state.schema = start.schema;
  state.multi_statements = (start.capabilities & cap::multi_statements) != 0;
  return state;
}

}  // namespace

ServerConversation::ServerConversation(ConversationStart start)
    : start_(std::move(start)),
      tracker_(first_state(start_), first_status(start_), start_.max_statements),
      response_(dialect_of(start_.capabilities), *this) {}

Verdict ServerConversation::step(Party from, MutableBytes unread) {
  if (from == Party::client) flag_.streaming = false;
  if (errand_ != Errand::none) {
    const Verdict verdict = run_errand(from, unread);
    if (verdict.kind != Verdict::Kind::done) return verdict;
    end_errand();
  }
  if (lost_ == Lost::unsaid && from == Party::client) return say_lost();
  if (flag_.unsettled && response_.finished()) settle();
  if (errand_ != Errand::none) return run_errand(from, unread);
  if (pooling_ == Pooling::statement && backend_ && response_.finished() &&
      !tracker_.outside_transaction()) {
    return Verdict::close(Fault::transaction_refused);
  }
  if (releasable() && (from == Party::client || unread.empty())) return Verdict::release();
  return from == Party::client ? from_client(unread) : from_backend(unread);
}

void ServerConversation::place(Pooling pooling, std::string_view database) {
  pooling_ = pooling;
  if (start_.schema.empty() || start_.schema == database) return;
  start_.schema = database;
  tracker_.reset(first_state(start_), first_status(start_));
}

/// COM_RESET_CONNECTION where no backend is attached.
void ServerConversation::reset_virtual_session() {
  SessionState state = first_state(start_);
  state.collation = start_.facts ? start_.facts->collation : std::uint16_t{0};
  state.schema = tracker_.wanted().schema;
  tracker_.reset(state, first_status(start_));
}

void ServerConversation::attach(BackendState& backend) {
  // One dialect makes both.
  backend_ = static_cast<ServerState*>(&backend);
  flag_.fresh = true;
  flag_.foreign = true;
  flag_.cut = false;
  tracker_.attached();
}

void ServerConversation::detach() {
  backend_ = nullptr;
  exchange_.reset();
  errand_ = Errand::none;
  tracker_.detached();
  flag_.unsettled = false;
  flag_.replica = false;
  flag_.fresh = false;
  flag_.doubtful = false;
  flag_.refused_to_write = false;
  flag_.leaving = false;
  flag_.cut = !response_.finished();
  response_.expect(ReplyPhase::idle, response_.client_sequence(), 0);
  response_.release_memory();
  out_.release();
}

void ServerConversation::refuse(Fault fault, std::string_view detail) {
  const FaultRow& row = row_of(fault);
  std::string message(row.message);
  if (!detail.empty()) message.append(": ").append(detail);
  drop({row.mysql_errno, row.mysql_sqlstate, std::move(message)});
}

std::unique_ptr<ClientLogin> ServerConversation::take_login() {
  return std::make_unique<ServerSideLogin>(start_);
}

bool ServerConversation::at_boundary() const {
  if (backend_ == nullptr) return true;
  return response_.finished() && errand_ == Errand::none && !flag_.unsettled && !asking() &&
         !flag_.replica && tracker_.outside_transaction();
}

/// The client's command, or the file that belongs to it, has not passed whole.
bool ServerConversation::asking() const {
  return intake_ == Intake::text || intake_ == Intake::payload || intake_ == Intake::file ||
         flag_.streaming;
}

bool ServerConversation::releasable() const {
  return backend_ != nullptr && !flag_.fresh && intake_ == Intake::command && at_boundary() &&
         tracker_.pins(*backend_) == 0 && pooling_ != Pooling::session;
}

bool ServerConversation::needs_reset() const {
  if (backend_ == nullptr) return false;
  return tracker_.pins(*backend_) != 0 || impatient(backend_->session);
}

std::string_view ServerConversation::pin_reason() const {
  if (backend_ == nullptr) return {};
  return flag_.replica ? "replication" : reason_of(tracker_.pins(*backend_));
}

std::uint32_t ServerConversation::idle_limit_seconds() const {
  return wait_timeout_of(tracker_.wanted());
}

bool ServerConversation::executing() const { return backend_ != nullptr && !response_.finished(); }

void ServerConversation::write_fault(Fault fault, std::string_view detail, Writer& out) {
  if (fault == Fault::outcome_unknown) return;  // see conversation_loss.cpp
  const bool replying = flag_.cut || !response_.finished();
  const std::uint8_t next = static_cast<std::uint8_t>(sequence_ + 1);
  const std::uint8_t sequence = replying ? response_.client_sequence() : next;
  if (last_words_.empty()) return write_fault_packet(out, sequence, fault, detail);
  const std::size_t at = begin_packet(out, sequence);
  out.text(last_words_);
  end_packet(out, at);
}

}  // namespace weirpool::protocol::mysql
