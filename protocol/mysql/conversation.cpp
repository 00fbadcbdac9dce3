#include "protocol/mysql/conversation.hpp"

#include <utility>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/client_login.hpp"

namespace weirpool::protocol::mysql {
namespace {

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
  state.ignore_space = (start.capabilities & cap::ignore_space) != 0;
  state.multi_statements = (start.capabilities & cap::multi_statements) != 0;
  return state;
}

SessionText::Mode first_lexing(const ConversationStart& start) {
  const bool escapes = (first_status(start) & status::no_backslash_escapes) == 0;
  return {escapes, start.facts && start.facts->ansi_quotes, false};
}

}  // namespace

ServerConversation::ServerConversation(ConversationStart start)
    : start_(std::move(start)),
      tracker_(first_state(start_), first_status(start_), forgets_calls(start_)),
      response_(Response::dialect_of(start_.capabilities), *this),
      lexing_(first_lexing(start_)) {}

Verdict ServerConversation::step(Party from, MutableBytes unread) {
  if (from == Party::client) flag_.streaming = false;
  if (from == Party::backend) response_.resumed();
  if (errand_ != Errand::none) {
    const Verdict verdict = run_errand(from, unread);
    if (verdict.kind != Verdict::Kind::done) return verdict;
    end_errand();
  }
  if (lost_ == Lost::unsaid && from == Party::client) return say_lost();
  if (flag_.again && response_.finished()) return prepare_again();
  if (flag_.unsettled && response_.finished()) settle();
  if (errand_ != Errand::none) return run_errand(from, unread);
  if (pooling_ == Pooling::statement && backend_ && response_.finished() &&
      !tracker_.outside_transaction()) {
    return Verdict::close(Fault::transaction_refused);
  }
  if ((from == Party::client || unread.empty()) && at_rest()) {
    const bool pinned = pins() != 0;
    if (const std::optional<Errand> left = last_errand(pinned)) {
      start(*left);
      return run_errand(from, unread);
    }
    if (!pinned) return Verdict::release();
  }
  return from == Party::client ? from_client(unread) : from_backend(unread);
}

void ServerConversation::place(Pooling pooling, std::string_view database, bool /*reset_always*/) {
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
  lexing_ = first_lexing(start_);
  forget_diagnostics();
}

void ServerConversation::forget_diagnostics() {
  diagnostics_.clear();
  flag_.diagnostics_lost = false;
}

/// Of a command that is no text: what SHOW WARNINGS is to say. It is not asked of the backend,
/// whose server may put it behind what another client's statement has left there.
void ServerConversation::keep_error(std::uint16_t code, std::string_view message) {
  const auto status = static_cast<std::uint16_t>(tracker_.status() & status::lasting);
  const std::uint16_t collation = tracker_.wanted().collation;
  diagnostics_ = diagnostics_of({code, message, start_.capabilities, collation, status});
  flag_.diagnostics_lost = false;
}

void ServerConversation::attach(BackendState& backend) {
  // One dialect makes both.
  backend_ = static_cast<ServerState*>(&backend);
  flag_.fresh = true;
  flag_.foreign = true;
  flag_.refused = false;
  flag_.cut = false;
  backend_->statements.keep_to_room();
  response_.attach(*backend_);
  tracker_.attached();
}

void ServerConversation::detach() {
  note_lexing();
  ServerState* const backend = std::exchange(backend_, nullptr);
  exchange_.reset();
  recording_.reset();
  statements_.detached();
  if (!calls_.empty()) {
    // Nobody knows what they did. (Who has a backend of its own is not asked about them.)
    backend->took_role = backend->took_role || pooling_ != Pooling::session;
    calls_.clear();
  }
  preparing_.reset();
  current_ = nullptr;
  entry_ = nullptr;
  errand_ = Errand::none;
  tracker_.detached();
  flag_.unsettled = false;
  flag_.replica = false;
  flag_.again = false;
  flag_.fresh = false;
  flag_.doubtful = false;
  flag_.refused_to_write = false;
  flag_.leaving = false;
  flag_.scoped = false;
  outside_.reset();
  flag_.questioned = false;
  flag_.cut = !response_.finished();
  response_.expect(ReplyPhase::idle, response_.client_sequence(), 0);
  response_.release_memory();
  out_.release();
}

void ServerConversation::refuse(Fault fault, std::string_view detail) {
  const FaultRow& row = row_of(fault);
  std::string message(row.message);
  if (!detail.empty()) message.append(": ").append(detail);
  flag_.refused = true;
  drop({row.mysql_errno, std::string(row.mysql_sqlstate), std::move(message)});
}

std::unique_ptr<ClientLogin> ServerConversation::take_login() {
  return std::make_unique<ServerSideLogin>(start_);
}

bool ServerConversation::at_boundary() const {
  if (backend_ == nullptr) return true;
  return owes_nothing() && tracker_.outside_transaction();
}

/// Neither side is in the middle of anything, but perhaps of a transaction.
bool ServerConversation::owes_nothing() const {
  return response_.finished() && errand_ == Errand::none && !flag_.unsettled && !asking() &&
         !flag_.replica;
}

/// The client's command, or the file that belongs to it, has not passed whole.
bool ServerConversation::asking() const {
  return intake_ == Intake::text || intake_ == Intake::payload || intake_ == Intake::tail ||
         intake_ == Intake::file || flag_.streaming;
}

Pins ServerConversation::pins() const { return tracker_.pins(*backend_) | statements_.pins(); }

/// The backend could go back if nothing pinned it.
bool ServerConversation::at_rest() const {
  return backend_ != nullptr && !flag_.fresh && intake_ == Intake::command && at_boundary() &&
         pooling_ != Pooling::session;
}

bool ServerConversation::needs_reset() const {
  return backend_ != nullptr && (leaves_traces() || impatient(backend_->session));
}

/// The client has left more than settings on its backend.
bool ServerConversation::leaves_traces() const {
  const bool lasting = backend_->keeps_statements || backend_->took_role;
  const bool marked = tracker_.dirty() || lasting || !calls_.empty();
  return pins() != 0 || marked;
}

std::string_view ServerConversation::pin_reason() const {
  if (backend_ == nullptr) return {};
  return flag_.replica ? "replication" : reason_of(pins());
}

std::uint32_t ServerConversation::idle_limit_seconds() const {
  return wait_timeout_of(tracker_.wanted());
}

std::uint32_t ServerConversation::statement_limit_ms() const {
  return statement_limit_of(tracker_.wanted());
}

std::string_view ServerConversation::request_text(Bytes unread) const {
  if (row_of_command(command_).handling != Handling::text) return {};
  return scanned_ <= sql_at_ ? std::string_view{}
                             : text_of(unread.first(scanned_).subspan(sql_at_));
}

bool ServerConversation::says_goodbye(Bytes unread) const {
  return intake_ == Intake::command && unread.size() > kHeaderSize &&
         header_of(unread).length == 1 && unread[kHeaderSize] == com::quit;
}

void ServerConversation::write_rollback(Writer& out) const {
  const bool open = backend_ != nullptr && owes_nothing() && !tracker_.outside_transaction();
  if (!open || intake_ != Intake::command) return;
  // With attributes a query begins with how many there are, and in how many sets.
  const bool attributes = (start_.capabilities & cap::query_attributes) != 0;
  constexpr std::string_view kNoAttributes("\0\1", 2);
  std::string text(attributes ? kNoAttributes : std::string_view{});
  write_command(out, com::query, text.append("ROLLBACK"));
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
