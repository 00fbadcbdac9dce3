#include "protocol/mysql/conversation.hpp"

#include <algorithm>
#include <utility>

#include "protocol/mysql/capabilities.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint16_t kSilence = 0xFFFF;
constexpr std::uint16_t kUnknownCommandCode = 1047;
constexpr std::uint16_t kUnsupportedCode = 1235;
constexpr std::uint16_t kUnknownStatementCode = 1243;
constexpr std::uint16_t kMalformedCode = 1835;

Response::ClientDialect dialect_of(std::uint32_t capabilities) {
  return {(capabilities & cap::deprecate_eof) != 0, (capabilities & cap::session_track) != 0};
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
  if (flag_.unsettled && response_.finished()) settle();
  if (errand_ != Errand::none) return run_errand(from, unread);
  if (releasable() && (from == Party::client || unread.empty())) return Verdict::release();
  return from == Party::client ? from_client(unread) : from_backend(unread);
}

Verdict ServerConversation::run_errand(Party from, MutableBytes unread) {
  return exchange_->step(from, unread);
}

// ------------------------------------------------------------------------------ the client's bytes

Verdict ServerConversation::from_client(MutableBytes unread) {
  switch (intake_) {
    case Intake::text: return more_text(unread);
    case Intake::payload: return next_frame(unread);
    case Intake::discard: return discard(unread);
    case Intake::answer: return reply(unread);
    case Intake::command: break;
  }
  if (!response_.finished()) return Verdict::hold();
  return command(unread);
}

Verdict ServerConversation::command(MutableBytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  if (header.sequence != 0) return Verdict::close(Fault::protocol_violation);
  sequence_ = 0;
  if (header.length == 0) return drop({kUnknownCommandCode, "08S01", "Unknown command"}, unread);
  if (unread.size() == kHeaderSize) return Verdict::need(kHeaderSize + 1);
  command_ = unread[kHeaderSize];
  return dispatch(row_of_command(command_), unread, header);
}

Verdict ServerConversation::dispatch(const CommandRow& row, MutableBytes unread,
                                     FrameHeader header) {
  switch (row.handling) {
    case Handling::quit: return Verdict::done();
    case Handling::unknown: return drop({kUnknownCommandCode, "08S01", "Unknown command"}, unread);
    case Handling::unsupported: return Verdict::close(Fault::unsupported);
    case Handling::reset: return reset_command(unread);
    case Handling::text: return text_command(unread, header);
    case Handling::statement:
    case Handling::statement_silent: return statement_command(row, unread, header);
    case Handling::ping:
      if (backend_ == nullptr) return drop({}, unread);
      break;
    case Handling::forward: break;
  }
  if (header.length == kMaxPayload) return Verdict::close(Fault::message_too_large);
  if (backend_ == nullptr) return Verdict::lease();
  if (!synchronize(true)) return run_errand(Party::client, unread);
  return forward_command(unread, header);
}

Verdict ServerConversation::statement_command(const CommandRow& row, MutableBytes unread,
                                              FrameHeader header) {
  constexpr std::size_t kFixed = 1 + 4;  // command, statement id
  const bool silent = row.handling == Handling::statement_silent;
  if (header.length < kFixed) {
    return drop({silent ? kSilence : kMalformedCode, "HY000", "Malformed communication packet"},
                unread);
  }
  if (unread.size() < kHeaderSize + kFixed) return Verdict::need(kHeaderSize + kFixed);
  const std::uint32_t id = Reader(unread.subspan(kHeaderSize + 1)).le32();
  if (backend_ == nullptr || !tracker_.knows(id)) {
    return drop(
        {silent ? kSilence : kUnknownStatementCode, "HY000", "Unknown prepared statement handler"},
        unread);
  }
  if (command_ == com::stmt_close) tracker_.close(id);
  return forward_command(unread, header);
}

Verdict ServerConversation::text_command(MutableBytes unread, FrameHeader header) {
  const std::size_t total = kHeaderSize + header.length;
  if (unread.size() < std::min(total, kMaxNeed)) return Verdict::need(std::min(total, kMaxNeed));
  if (scanned_ == 0) {
    const std::string* sql_mode = tracker_.wanted().find("sql_mode");
    text_.begin({(tracker_.status() & status::no_backslash_escapes) == 0,
                 sql_mode != nullptr && sql_mode->find("ANSI_QUOTES") != std::string::npos,
                 hides_quotes(tracker_.wanted())});
    scanned_ = std::min(total, unread.size());
    text_.feed(unread.first(scanned_).subspan(kHeaderSize + 1));
    if (scanned_ == total && header.length < kMaxPayload) text_.finish();
  }
  if (text_.kills()) {
    return drop({kUnsupportedCode, "42000", "KILL is not supported by weirpool"}, unread);
  }
  if (backend_ == nullptr) return Verdict::lease();
  const bool whole = scanned_ == total && header.length < kMaxPayload;
  if (!synchronize(whole)) return run_errand(Party::client, unread);
  response_.expect(row_of_command(command_).reply, 1, tracker_.status());
  flag_.fresh = false;
  flag_.foreign = false;
  flag_.more_frames = header.length == kMaxPayload;
  left_ = total - scanned_;
  intake_ = left_ > 0 ? Intake::text : flag_.more_frames ? Intake::payload : Intake::command;
  return Verdict::forward(std::exchange(scanned_, 0));
}

Verdict ServerConversation::more_text(MutableBytes unread) {
  if (unread.empty()) return Verdict::need(1);
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, unread.size()));
  text_.feed(unread.first(count));
  left_ -= count;
  if (left_ == 0) intake_ = flag_.more_frames ? Intake::payload : Intake::command;
  if (intake_ == Intake::command) text_.finish();
  return Verdict::forward(count);
}

/// The header of a continuation packet.
Verdict ServerConversation::next_frame(MutableBytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  ++sequence_;
  if (header.sequence != sequence_) return Verdict::close(Fault::protocol_violation);
  response_.expect(row_of_command(command_).reply, static_cast<std::uint8_t>(sequence_ + 1),
                   tracker_.status());
  flag_.more_frames = header.length == kMaxPayload;
  const Handling handling = row_of_command(command_).handling;
  if (handling == Handling::text && header.length > 0) {
    left_ = header.length;
    intake_ = Intake::text;
    return Verdict::forward(kHeaderSize);
  }
  if (!flag_.more_frames) {
    intake_ = Intake::command;
    if (handling == Handling::text) text_.finish();
  }
  flag_.streaming = unread.size() < kHeaderSize + header.length;
  return Verdict::forward(kHeaderSize + header.length);
}

Verdict ServerConversation::forward_command(MutableBytes unread, FrameHeader header) {
  const std::size_t total = kHeaderSize + header.length;
  flag_.fresh = false;
  flag_.foreign = false;
  flag_.more_frames = header.length == kMaxPayload;
  flag_.streaming = unread.size() < total;
  intake_ = flag_.more_frames ? Intake::payload : Intake::command;
  response_.expect(row_of_command(command_).reply, 1, tracker_.status());
  text_.begin({});
  return Verdict::forward(total);
}

/// Takes the client's command out of the stream and answers it here.
void ServerConversation::drop(Answer answer) {
  answer_ = std::move(answer);
  intake_ = Intake::discard;
  scanned_ = 0;
  sequence_ = 0xFF;  // the header is read again, as sequence id 0
}

Verdict ServerConversation::drop(Answer answer, MutableBytes unread) {
  drop(std::move(answer));
  return discard(unread);
}

Verdict ServerConversation::discard(MutableBytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  ++sequence_;
  if (header.sequence != sequence_) return Verdict::close(Fault::protocol_violation);
  if (header.length < kMaxPayload) intake_ = Intake::answer;
  return Verdict::skip(kHeaderSize + header.length);
}

Verdict ServerConversation::reply(MutableBytes unread) {
  intake_ = Intake::command;
  flag_.fresh = false;
  if (answer_.code == kSilence) return step(Party::client, unread);
  out_.clear();
  const std::size_t at = begin_packet(out_, static_cast<std::uint8_t>(sequence_ + 1));
  if (answer_.code == 0) {
    write_ok(out_, tracker_.status() & status::lasting, 0);
  } else {
    ErrPacket{answer_.code, answer_.state, answer_.message}.serialize(out_);
  }
  end_packet(out_, at);
  return Verdict::send(Party::client, out_.view());
}

Verdict ServerConversation::reset_command(MutableBytes unread) {
  if (backend_ != nullptr) {
    start(Errand::reset);
    return run_errand(Party::client, unread);
  }
  SessionState state = first_state(start_);
  state.collation = start_.facts ? start_.facts->collation : std::uint16_t{0};
  state.schema = tracker_.wanted().schema;
  tracker_.reset(state, first_status(start_));
  return drop({}, unread);
}

// ----------------------------------------------------------------------------------- the backend's

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

/// Brings the backend to this client's settings. False: an exchange has been started and comes
/// first.
bool ServerConversation::synchronize(bool whole_text) {
  const SessionState& wanted = tracker_.wanted();
  const bool sql = row_of_command(command_).handling == Handling::text;
  const bool reads_id = sql && (text_.reads_last_insert_id() || !whole_text);
  const bool stale_id = reads_id && wanted.last_insert_id != backend_->session.last_insert_id;
  const bool differs = flag_.fresh && !wanted.same_settings(backend_->session);
  const bool foreign_diagnostics = flag_.foreign && sql && text_.reads_diagnostics();
  if (!differs && !stale_id && !foreign_diagnostics) return true;
  start(Errand::replay);
  return false;
}

void ServerConversation::start(Errand errand) {
  errand_ = errand;
  exchange_ = std::make_unique<Exchange>(*backend_);
  Writer& out = exchange_->commands();
  unsigned replies = 0;
  const auto query = [&](std::string_view sql) {
    write_command(out, com::query, sql);
    ++replies;
  };
  const SessionState& wanted = tracker_.wanted();
  const SessionState& there = backend_->session;
  switch (errand) {
    case Errand::reset: replies += backend_->write_reset(out); break;
    case Errand::collation:
      // Setting it to itself makes the tracker report it.
      query("SET @@session.collation_connection=@@session.collation_connection");
      exchange_->keep_tracking();
      break;
    default:
      if (needs_clearing(there, wanted)) {
        replies += backend_->write_reset(out);
        backend_->was_reset();
      }
      if (there.multi_statements != wanted.multi_statements) {
        write_set_multi_statements(out, wanted.multi_statements);
        ++replies;
      }
      if (there.schema != wanted.schema) {
        write_command(out, com::init_db, wanted.schema);
        ++replies;
      }
      if (needs_collation(there, wanted)) query(collation_sql(wanted.collation));
      if (const std::string sql = settings_sql(there, wanted); !sql.empty()) query(sql);
      // Last, and always: what was sent before has changed what the server remembers.
      query("SET @@session.last_insert_id=" + std::to_string(wanted.last_insert_id));
      break;
  }
  exchange_->expect(replies);
}

void ServerConversation::end_errand() {
  const Errand done = std::exchange(errand_, Errand::none);
  exchange_.reset();
  tracker_.replayed(*backend_);
  switch (done) {
    case Errand::reset:
      backend_->was_reset();
      tracker_.reset(backend_->session, backend_->status);
      flag_ = {};
      drop({});
      break;
    case Errand::collation: tracker_.adopt_variables(*backend_); break;
    default:
      backend_->session = tracker_.wanted();
      flag_.foreign = false;
      break;
  }
}

// ------------------------------------------------------------------------- what the replies tell

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

// ------------------------------------------------------------------------------- the proxy's side

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
  flag_.fresh = false;
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

bool ServerConversation::at_boundary() const {
  if (backend_ == nullptr) return true;
  return response_.finished() && errand_ == Errand::none && !flag_.unsettled && !flag_.streaming &&
         intake_ != Intake::text && intake_ != Intake::payload && tracker_.outside_transaction();
}

bool ServerConversation::releasable() const {
  return backend_ != nullptr && !flag_.fresh && intake_ == Intake::command && at_boundary() &&
         tracker_.pins(*backend_) == 0;
}

bool ServerConversation::needs_reset() const {
  return backend_ != nullptr && tracker_.pins(*backend_) != 0;
}

std::string_view ServerConversation::pin_reason() const {
  return backend_ == nullptr ? std::string_view{} : reason_of(tracker_.pins(*backend_));
}

bool ServerConversation::executing() const { return backend_ != nullptr && !response_.finished(); }

Verdict ServerConversation::backend_lost() {
  const bool told = tracker_.failed() && !flag_.fresh && response_.finished() &&
                    errand_ == Errand::none && intake_ == Intake::command;
  return Verdict::close(told ? Fault::none : Fault::backend_lost);
}

void ServerConversation::write_fault(Fault fault, std::string_view detail, Writer& out) {
  const bool replying = flag_.cut || !response_.finished();
  const std::uint8_t next = static_cast<std::uint8_t>(sequence_ + 1);
  write_fault_packet(out, replying ? response_.client_sequence() : next, fault, detail);
}

}  // namespace weirpool::protocol::mysql
