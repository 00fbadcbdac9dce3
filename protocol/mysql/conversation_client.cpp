// The client's side of the conversation: commands, their text, what is answered without a backend.
#include <algorithm>
#include <utility>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/conversation.hpp"
#include "protocol/mysql/kill.hpp"
#include "protocol/mysql/query_attributes.hpp"
#include "protocol/mysql/transaction_text.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint16_t kUnknownCommandCode = 1047;
constexpr std::uint16_t kUnsupportedCode = 1235;
constexpr std::uint16_t kUnknownThreadCode = 1094;
constexpr std::uint16_t kNotOwnerCode = 1095;

/// Nobody needs to hear what a recorded reply tells.
class Echo final : public ResponseObserver {
 public:
  void on_ok(const OkPacket& /*ok*/, std::uint64_t /*rows*/) override {}
  bool on_error(const ErrPacket& /*error*/) override { return true; }
  std::uint32_t on_prepared(const PrepareOk& ok) override { return ok.statement; }
  bool may_ask_for_file() const override { return false; }
  bool may_give_parameters() const override { return false; }
};

}  // namespace

Verdict ServerConversation::from_client(MutableBytes unread) {
  switch (intake_) {
    case Intake::text: return more_text(unread);
    case Intake::payload: return next_frame(unread);
    case Intake::head: return more_head(unread);
    case Intake::tail: return forward_tail(unread);
    case Intake::discard: return discard(unread);
    case Intake::answer: return reply(unread);
    case Intake::file: return file_packet(unread);
    case Intake::command: break;
  }
  if (response_.in_log()) return log_packet(unread);
  if (!response_.finished() || flag_.leaving) return Verdict::hold();
  return command(unread);
}

Verdict ServerConversation::command(MutableBytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  sequence_ = 0;
  if (!in_order(unread)) return Verdict::close(Fault::protocol_violation);
  current_ = nullptr;
  if (backend_ != nullptr && !backend_->statements.closing().empty()) {
    out_.clear();
    write_closes(out_);
    return Verdict::send(Party::backend, out_.view());
  }
  if (header.length == 0) return drop({kUnknownCommandCode, "08S01", "Unknown command"}, unread);
  if (unread.size() == kHeaderSize) return Verdict::need(kHeaderSize + 1);
  command_ = unread[kHeaderSize];
  return dispatch(row_of_command(command_), unread, header);
}

/// Whether the packet at the front carries the id it has to carry. Inside compressed frames, which
/// have numbers of their own, servers do not look at packets' ids and some clients lose count: they
/// are put right for the backend.
bool ServerConversation::in_order(MutableBytes unread) {
  const bool compressed = (start_.capabilities & (cap::compress | cap::zstd)) != 0;
  if (compressed) unread[3] = sequence_;
  return unread[3] == sequence_;
}

Verdict ServerConversation::dispatch(const CommandRow& row, MutableBytes unread,
                                     FrameHeader header) {
  if (lost_ != Lost::no) {
    if (const std::optional<Verdict> answer = lost_command(row, unread, header)) return *answer;
  }
  switch (row.handling) {
    case Handling::quit: return Verdict::done();
    case Handling::unknown: return drop({kUnknownCommandCode, "08S01", "Unknown command"}, unread);
    case Handling::log_in: return Verdict::log_in();
    case Handling::reset: return reset_command(unread);
    case Handling::kill: return kill_command(unread, header);
    case Handling::text: return text_command(unread, header);
    case Handling::statement:
    case Handling::statement_silent: return statement_command(row, unread, header);
    case Handling::ping:
      if (backend_ == nullptr) return drop({}, unread);
      break;
    case Handling::forward:
    case Handling::replica: break;
  }
  if (header.length == kMaxPayload) return Verdict::close(Fault::message_too_large);
  constexpr std::size_t kOption = kHeaderSize + 1 + 2;
  if (command_ == com::set_option && header.length == 3) {
    if (unread.size() < kOption) return Verdict::need(kOption);
    flag_.multi_on = Reader(unread.subspan(kHeaderSize + 1)).le16() == kMultiStatementsOn;
  }
  if (backend_ == nullptr) return Verdict::lease();
  if (!synchronize(true)) return run_errand(Party::client, unread);
  if (row.handling == Handling::replica) flag_.replica = true;
  text_.begin({});
  return forward_command(unread, header);
}

Verdict ServerConversation::text_command(MutableBytes unread, FrameHeader header) {
  const std::size_t total = kHeaderSize + header.length;
  if (unread.size() < std::min(total, kMaxNeed)) return Verdict::need(std::min(total, kMaxNeed));
  if (command_ == com::stmt_prepare && !may_prepare()) return refuse_prepare(unread);
  if (scanned_ == 0) scan(unread, header);
  const bool whole = scanned_ == total && header.length < kMaxPayload;
  const std::string_view sql = text_of(unread.first(scanned_).subspan(sql_at_));
  if (text_.kills()) return kill_text(whole ? sql : std::string_view{}, unread);
  follow(whole && command_ == com::query ? sql : std::string_view{});
  if (tracker_.kills()) return refuse_kill(unread);
  if (text_.calls_procedure() && whole && refuses_call()) {
    return drop({kUnsupportedCode, "42000", "CALL is refused by pool.session_state.routines"},
                unread);
  }
  if (text_.calls_procedure()) note_call(sql, whole, tracker_.wanted().schema);
  if (whole && command_ == com::query) {
    if (std::optional<Answer> answer = own_answer(sql)) return drop(std::move(*answer), unread);
  }
  if (whole && command_ == com::query && ends_nothing(sql)) {
    tracker_.answered_nothing();
    forget_diagnostics();
    return drop({}, unread);
  }
  if (backend_ == nullptr) return Verdict::lease();
  if (!synchronize(whole)) return run_errand(Party::client, unread);
  if (lexing_there() != lexing_) {
    // It has been read as an earlier backend would have read it.
    lexing_ = lexing_there();
    scanned_ = 0;
    return text_command(unread, header);
  }
  note_ending(sql, whole);
  note_given(whole ? sql : std::string_view{});
  response_.expect(row_of_command(command_).reply, 1, tracker_.status());
  flag_.fresh = false;
  flag_.foreign = false;
  flag_.questioned = false;
  flag_.more_frames = header.length == kMaxPayload;
  left_ = total - scanned_;
  intake_ = left_ > 0 ? Intake::text : flag_.more_frames ? Intake::payload : Intake::command;
  return Verdict::forward(std::exchange(scanned_, 0));
}

/// A statement that ends a transaction where there is none has nothing to do, and nothing to stand
/// in line for: ROLLBACK of one that could not even begin, as drivers send it behind any error,
/// and, without autocommit, what applications and pools end all their work with. To refuse the
/// latter would be to refuse in what is, to the client, a transaction.
bool ServerConversation::ends_nothing(std::string_view sql) const {
  // Something may be meant to follow the end.
  if (backend_ != nullptr || tracker_.wanted().find("completion_type") != nullptr) return false;
  if (flag_.refused && verb_of(sql) == Verb::rollback) return true;
  return (tracker_.status() & status::autocommit) == 0 && ends_transaction(sql);
}

/// Whether the statement takes or gives back something by name; most do not even look like it.
void ServerConversation::follow(std::string_view sql) {
  tracker_.follow(text_.worth_following() ? deed_of(sql, text_) : std::nullopt);
}

/// What the statement may have brought along of ids.
void ServerConversation::note_given(std::string_view sql) {
  const bool understood = text_.inserts() && !text_.multiple() && !text_.uncertain();
  given_ = understood ? GivenNumbers::of(sql) : GivenNumbers();
}

bool ServerConversation::refuses_call() const {
  return start_.catalog->routines() == RoutinePolicy::refuse;
}

/// What is about to be called, to be asked about later. Of a long text what has come so far.
void ServerConversation::note_call(std::string_view sql, bool whole, std::string_view schema) {
  const bool understood = !text_.multiple() && !text_.uncertain();
  calls_.begin(understood ? called_routine(sql, schema, whole) : Routine{});
}

void ServerConversation::feed(Bytes sql) {
  text_.feed(sql);
  if (flag_.remember) prepare_text_.append(text_of(sql));
}

/// How the attached backend reads quotes, once it is set as the client wants.
SessionText::Mode ServerConversation::lexing_there() const {
  return {(backend_->status & status::no_backslash_escapes) == 0, backend_->ansi_quotes, false};
}

/// What is known now is the best guess until another backend is attached: the client may have set
/// it, and the servers' default may have changed.
void ServerConversation::note_lexing() {
  if (backend_ != nullptr && !flag_.fresh) lexing_ = lexing_there();
}

/// Looks at the beginning of a text, as much of it as is there.
void ServerConversation::scan(MutableBytes unread, FrameHeader header) {
  // With any of these the layout of what follows depends on the one PREPARE.
  constexpr std::uint64_t kBinding = cap::optional_metadata | cap::cache_metadata;
  const std::size_t total = kHeaderSize + header.length;
  scanned_ = std::min(total, unread.size());
  sql_at_ = kHeaderSize + 1;
  bool everything = hides_quotes(tracker_.wanted());
  if (command_ == com::query && (start_.capabilities & cap::query_attributes) != 0) {
    const Bytes behind = unread.first(scanned_).subspan(sql_at_);
    const std::optional<std::size_t> at = sql_behind_attributes(behind);
    // Attributes without an end in sight: their bytes are looked at too, and may hide quotes.
    if (at) sql_at_ += *at;
    everything = everything || !at;
  }
  note_lexing();
  text_.begin({lexing_.backslash_escapes, lexing_.ansi_quotes, everything});
  flag_.remember = command_ == com::stmt_prepare && (start_.capabilities & kBinding) == 0 &&
                   header.length <= kMaxStatementText && statements_.room_for(header.length);
  prepare_text_.clear();
  const Bytes sql = unread.first(scanned_).subspan(sql_at_);
  const bool whole = scanned_ == total && header.length < kMaxPayload;
  if (whole && !flag_.remember && text_.glance(sql)) return;
  feed(sql);
  if (whole) text_.finish();
}

Verdict ServerConversation::more_text(MutableBytes unread) {
  if (unread.empty()) return Verdict::need(1);
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, unread.size()));
  feed(unread.first(count));
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
  if (!in_order(unread)) return Verdict::close(Fault::protocol_violation);
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

/// One packet of the file a backend has asked for, whatever is in it.
Verdict ServerConversation::file_packet(MutableBytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  // Behind a full packet an empty one is the rest of it, not the end.
  const bool last = header.length == 0 && !flag_.more_frames;
  sequence_ = response_.client_sequence();
  if (!in_order(unread)) return Verdict::close(Fault::protocol_violation);
  response_.file_packet(unread.first(kHeaderSize), last);
  const std::size_t total = kHeaderSize + header.length;
  flag_.more_frames = header.length == kMaxPayload;
  flag_.streaming = unread.size() < total;
  if (last) intake_ = Intake::command;
  return Verdict::forward(total);
}

/// What a replica says while the log streams towards it: acknowledgements, or goodbye.
Verdict ServerConversation::log_packet(MutableBytes unread) {
  if (unread.size() <= kHeaderSize) return Verdict::need(kHeaderSize + 1);
  const std::size_t total = kHeaderSize + header_of(unread).length;
  if (unread[kHeaderSize] == com::quit) return Verdict::done();
  if (total > kMaxNeed) return Verdict::close(Fault::protocol_violation);
  return unread.size() < total ? Verdict::need(total) : Verdict::forward(total);
}

Verdict ServerConversation::forward_command(MutableBytes unread, FrameHeader header) {
  const std::size_t total = kHeaderSize + header.length;
  // Of a text note_ending() has said it.
  if (!com::runs_text(command_)) flag_.doubtful = false;
  flag_.fresh = false;
  flag_.foreign = false;
  flag_.questioned = false;
  flag_.more_frames = header.length == kMaxPayload;
  flag_.streaming = unread.size() < total;
  intake_ = flag_.more_frames ? Intake::payload : Intake::command;
  response_.expect(row_of_command(command_).reply, 1, tracker_.status());
  return Verdict::forward(total);
}

/// Takes the client's command out of the stream and answers it here.
void ServerConversation::drop(Answer answer) {
  answer_ = std::move(answer);
  flag_.remember = false;
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
  if (!in_order(unread)) return Verdict::close(Fault::protocol_violation);
  if (header.length < kMaxPayload) intake_ = Intake::answer;
  return Verdict::skip(kHeaderSize + header.length);
}

Verdict ServerConversation::reply(MutableBytes unread) {
  intake_ = Intake::command;
  flag_.fresh = false;
  if (answer_.code == kSilence) return step(Party::client, unread);
  out_.clear();
  if (answer_.result) {
    answer_.result->serialize(out_, static_cast<std::uint8_t>(sequence_ + 1));
    return Verdict::send(Party::client, out_.view());
  }
  if (!answer_.diagnostics.empty()) {
    write_diagnostics();
    return Verdict::send(Party::client, out_.view());
  }
  const std::size_t at = begin_packet(out_, static_cast<std::uint8_t>(sequence_ + 1));
  if (answer_.code == 0) {
    write_ok(out_, tracker_.status() & status::lasting, 0);
  } else {
    ErrPacket{answer_.code, answer_.state, answer_.message}.serialize(out_);
    if (answer_.code != kUnknownErrorCode) keep_error(answer_.code, answer_.message);
    if (backend_ == nullptr) tracker_.answered_error();
  }
  end_packet(out_, at);
  return Verdict::send(Party::client, out_.view());
}

/// COM_PROCESS_KILL: u32 id
Verdict ServerConversation::kill_command(MutableBytes unread, FrameHeader header) {
  constexpr std::size_t kLength = 1 + 4;
  if (header.length != kLength) {
    return drop({kMalformedCode, "HY000", "Malformed communication packet"}, unread);
  }
  if (unread.size() < kHeaderSize + kLength) return Verdict::need(kHeaderSize + kLength);
  kill_request_ = {Reader(unread.subspan(kHeaderSize + 1)).le32(), true};
  return Verdict::kill();
}

/// Ids are weirpool's own, so no KILL goes to a backend. `sql` is empty if not all of it is there.
Verdict ServerConversation::kill_text(std::string_view sql, MutableBytes unread) {
  const std::optional<KillRequest> request = parse_kill(sql, start_.connection_id);
  if (!request || command_ != com::query) return refuse_kill(unread);
  kill_request_ = *request;
  return Verdict::kill();
}

/// What is put together at the server, or stands in a procedure, cannot be seen: it is told there
/// that no connection has a client's number, for no server counts that far.
Verdict ServerConversation::refuse_kill(MutableBytes unread) {
  return drop({kUnsupportedCode, "42000", "This form of KILL is not supported by weirpool"},
              unread);
}

void ServerConversation::killed(KillResult result) {
  const std::string id = std::to_string(kill_request_.id);
  switch (result) {
    case KillResult::done: return drop({});
    case KillResult::unknown:
      return drop({kUnknownThreadCode, "HY000", "Unknown thread id: " + id});
    case KillResult::not_owner:
      return drop({kNotOwnerCode, "HY000", "You are not owner of thread " + id});
  }
}

/// The attached backend knows what the client did last, better than weirpool.
bool ServerConversation::asks_backend() const { return backend_ != nullptr && !flag_.questioned; }

/// The answer to a query that weirpool knows itself. An attached backend knows all but the id.
std::optional<ServerConversation::Answer> ServerConversation::own_answer(std::string_view sql) {
  // Which id was generated an attached backend may have to be asked for.
  const bool looks_back = (text_.reads_diagnostics() && !asks_backend()) ||
                          (text_.reads_last_insert_id() && backend_ == nullptr);
  if (!text_.reads_connection_id() && !looks_back) return std::nullopt;
  if (std::optional<Answer> answer = own_diagnostics(sql, false)) return answer;
  std::optional<PlainQuery> query = parse_plain_query(sql);
  if (!query && flag_.diagnostics_lost && text_.reads_diagnostics()) {
    return Answer{kUnknownErrorCode, "HY000",
                  "The warnings of the last statement went with its database connection"};
  }
  if (!query) return own_past(sql);
  const bool id = query->what == Asked::last_insert_id;
  const bool asks = id ? backend_ != nullptr : asks_backend();
  if (query->what != Asked::connection_id && asks) return std::nullopt;
  Answer answer;
  answer.result = result_of(std::move(*query));
  return answer;
}

/// What only a backend can put together, of a statement that has run on another one: an error
/// rather than another client's numbers. The session keeps its backend from now on.
std::optional<ServerConversation::Answer> ServerConversation::own_past(std::string_view sql) {
  const bool nothing_yet = answered_ == 0 || pooling_ == Pooling::session;
  if (asks_backend() || nothing_yet || !reads_own_past(sql)) return std::nullopt;
  tracker_.keep_for_looking_back();
  return Answer{kUnsupportedCode, "42000",
                "ROW_COUNT(), FOUND_ROWS() and GET DIAGNOSTICS within a larger statement find "
                "the one before it from now on: the session keeps its database connection"};
}

std::optional<ServerConversation::Answer> ServerConversation::own_diagnostics(std::string_view sql,
                                                                              bool binary) const {
  if (asks_backend() || diagnostics_.empty()) return std::nullopt;
  const std::optional<DiagnosticsQuery> query = parse_diagnostics_query(sql);
  if (!query) return std::nullopt;
  Answer answer;
  answer.diagnostics = select_diagnostics(diagnostics_, *query, binary);
  return answer;
}

PlainResult ServerConversation::result_of(PlainQuery query) {
  PlainResult result;
  result.query = std::move(query);
  result.value = known_value(result.query.what);
  result.status = tracker_.status() & status::lasting;
  result.capabilities = start_.capabilities;
  result.mariadb = start_.facts && start_.facts->mariadb();
  if (!asks_backend() && !result.query.shows) tracker_.answered_query();
  return result;
}

std::int64_t ServerConversation::known_value(Asked what) const {
  const LastStatement& last = tracker_.last();
  switch (what) {
    case Asked::connection_id: return start_.connection_id;
    case Asked::last_insert_id: return static_cast<std::int64_t>(tracker_.wanted().last_insert_id);
    case Asked::row_count: return last.row_count;
    case Asked::found_rows: return static_cast<std::int64_t>(last.found_rows);
    case Asked::warning_count: return last.warnings;
    case Asked::error_count: break;
  }
  return last.failed ? 1 : 0;
}

/// What a backend has said to SHOW WARNINGS, as this client's dialect has it.
void ServerConversation::write_diagnostics() {
  Echo echo;
  Response translator(Response::dialect_of(start_.capabilities), echo);
  translator.expect(ReplyPhase::first, 1, tracker_.status());
  MutableBytes rest(answer_.diagnostics);
  while (!translator.finished()) {
    const Verdict verdict = translator.step(rest);
    if (verdict.kind == Verdict::Kind::send) {
      out_.bytes(verdict.bytes);
      continue;
    }
    const bool moved =
        verdict.kind == Verdict::Kind::forward || verdict.kind == Verdict::Kind::skip;
    if (!moved || verdict.count > rest.size()) return;
    if (verdict.kind == Verdict::Kind::forward) out_.bytes(rest.first(verdict.count));
    rest = rest.subspan(verdict.count);
  }
}

Verdict ServerConversation::reset_command(MutableBytes unread) {
  if (backend_ != nullptr) {
    start(Errand::reset);
    return run_errand(Party::client, unread);
  }
  statements_.clear();
  reset_virtual_session();
  return drop({}, unread);
}

}  // namespace weirpool::protocol::mysql
