// Prepared statements of the conversation: the client's ids become those of the attached backend,
// a backend that lacks a statement gets it first, parameter types that another client has bound to
// it are bound anew.
//
//   c->p EXECUTE 1   p->b PREPARE text   p<-b id 7   p->b EXECUTE 7   c<-p<-b reply
#include <algorithm>
#include <utility>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/conversation.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint16_t kNeedsReprepareCode = 1615;
constexpr std::uint16_t kNoCursorCode = 1421;
constexpr std::uint16_t kTooLongCode = 1153;
constexpr std::uint16_t kWrongArgumentsCode = 1210;
constexpr std::size_t kIdAt = 1;  // in the payload of every command of a statement
constexpr std::size_t kIdEnd = kIdAt + 4;

}  // namespace

// ------------------------------------------------------------------------------------- preparing

bool ServerConversation::may_prepare() const {
  return statements_.size() < start_.catalog->max_client_statements();
}

Verdict ServerConversation::refuse_prepare(MutableBytes unread) {
  statements_.none_last();
  const std::string bound = std::to_string(start_.catalog->max_client_statements());
  return drop(
      {kTooManyStatementsCode, "42000",
       "Can't create more than max_prepared_stmt_count statements (current value: " + bound + ")"},
      unread);
}

std::uint32_t ServerConversation::on_prepared(const PrepareOk& ok) {
  flag_.unsettled = true;
  // MariaDB's PREPARE leaves what SHOW WARNINGS says as it was.
  const bool clears = !backend_->server().mariadb();
  tracker_.answered(clears);
  if (clears) forget_diagnostics();
  ClientStatement mine;
  mine.parameters = ok.parameters;
  if (flag_.remember) {
    context_ = start_.catalog->context(tracker_.wanted(), context_);
    mine.statement = start_.catalog->statement(context_, prepare_text_, text_);
    leave_to_holder(mine.statement);
    backend_->statements.add({mine.statement, ok.statement, ok.parameters, false, {}});
  } else {
    mine.statement = std::make_shared<const Statement>(Statement{nullptr, {}, 0, text_});
    mine.backend_id = ok.statement;
  }
  std::string().swap(prepare_text_);
  return statements_.add(std::move(mine));
}

/// The server has no room for another statement: it gets some back, and the client's PREPARE again.
bool ServerConversation::make_room() {
  const bool retry =
      command_ == com::stmt_prepare && flag_.remember && backend_->statements.shrink();
  flag_.again = retry;
  return retry;
}

Verdict ServerConversation::prepare_again() {
  flag_.again = false;
  out_.clear();
  write_closes(out_);
  write_command(out_, com::stmt_prepare, prepare_text_);
  response_.expect(ReplyPhase::prepare, 1, tracker_.status());
  return Verdict::send(Party::backend, out_.view());
}

void ServerConversation::write_closes(Writer& out) {
  for (const std::uint32_t id : backend_->statements.closing()) {
    std::array<std::uint8_t, 4> argument{};
    put_le32(argument, id);
    write_command(out, com::stmt_close, text_of(argument));
  }
  backend_->statements.closed();
}

/// The id of this statement on the attached backend; none: an exchange that prepares it has been
/// started and comes first.
std::optional<std::uint32_t> ServerConversation::backend_id(const ClientStatement& statement) {
  entry_ = nullptr;
  if (statement.bound()) return statement.backend_id;
  if (!statement.held()) leave_to_holder(statement.statement);
  entry_ = backend_->statements.find(*statement.statement);
  if (entry_ != nullptr) return entry_->id;
  preparing_ = statement.statement;
  start(Errand::prepare);
  return std::nullopt;
}

/// Another statement of this client's with the same text has a cursor or long data there.
void ServerConversation::leave_to_holder(const StatementRef& statement) {
  const auto* entry = backend_->statements.find(*statement);
  if (entry == nullptr || !entry->busy) return;
  statements_.bind_holder(*statement, backend_->statements.release(*statement));
}

/// PREPARE, between two changes of settings where the client has others by now than it had then.
void ServerConversation::write_prepare(Writer& out) {
  const SessionState& now = backend_->session;
  const SessionState then = with_context(now, *preparing_->context);
  const bool elsewhere = !then.same_settings(now);
  exchange_->go_on_after_errors();
  if (elsewhere) exchange_->expect(write_settings(out, now, then));
  write_closes(out);
  write_command(out, com::stmt_prepare, preparing_->text());
  exchange_->expect_prepared();
  if (elsewhere) exchange_->expect(write_settings(out, then, now));
}

/// What became of the PREPARE; its failure is what the client's command fails with.
void ServerConversation::end_prepare(const Exchange& exchange) {
  const StatementRef statement = std::exchange(preparing_, nullptr);
  const Exchange::Refusal& refused = exchange.refused();
  const std::optional<PrepareOk>& ok = exchange.prepared();
  if (ok) {
    backend_->statements.add({statement, ok->statement, ok->parameters, false, {}});
    if (refused.code != 0) backend_->statements.drop(*statement);
  }
  if (refused.code == 0) return;
  note_warning();
  if (refused.code == kTooManyStatementsCode && backend_->statements.shrink()) return;
  const bool silent = row_of_command(command_).handling == Handling::statement_silent;
  drop(silent ? Answer{kSilence, {}, {}} : Answer{refused.code, refused.state, refused.message});
}

// --------------------------------------------------------------------------------------- using

Verdict ServerConversation::statement_command(const CommandRow& row, MutableBytes unread,
                                              FrameHeader header) {
  const bool silent = row.handling == Handling::statement_silent;
  if (header.length < kIdEnd) {
    return drop({silent ? kSilence : kMalformedCode, "HY000", "Malformed communication packet"},
                unread);
  }
  if (unread.size() < kHeaderSize + kIdEnd) return Verdict::need(kHeaderSize + kIdEnd);
  const std::uint32_t id = Reader(unread.subspan(kHeaderSize + kIdAt)).le32();
  ClientStatement* const statement = statements_.find(id);
  if (statement == nullptr) {
    return drop(
        {silent ? kSilence : kUnknownStatementCode, "HY000", "Unknown prepared statement handler"},
        unread);
  }
  if (command_ == com::stmt_close) return close_statement(id, *statement, unread, header);
  if (command_ == com::stmt_reset && !statement->held()) return drop({}, unread);
  if (command_ == com::stmt_fetch && !statement->cursor) {
    return drop(
        {kNoCursorCode, "HY000", "The statement (" + std::to_string(id) + ") has no open cursor."},
        unread);
  }
  if (std::optional<Answer> answer = own_row(*statement)) return drop(std::move(*answer), unread);
  return use_statement(*statement, unread, header);
}

/// The answer to an EXECUTE that no backend knows.
std::optional<ServerConversation::Answer> ServerConversation::own_row(
    const ClientStatement& statement) {
  if (command_ != com::stmt_execute || statement.bound()) return std::nullopt;
  const SessionText& effects = statement.statement->effects;
  const std::string_view sql = statement.statement->text();
  if (!effects.reads_diagnostics() && !effects.reads_connection_id()) return std::nullopt;
  if (std::optional<Answer> answer = own_diagnostics(sql, true)) return answer;
  std::optional<PlainQuery> query = parse_plain_query(sql);
  if (!query) return own_past(sql);
  if (query->what != Asked::connection_id && asks_backend()) return std::nullopt;
  Answer answer;
  answer.result = result_of(std::move(*query));
  answer.result->binary = true;
  return answer;
}

Verdict ServerConversation::use_statement(ClientStatement& statement, MutableBytes unread,
                                          FrameHeader header) {
  if (backend_ == nullptr) return Verdict::lease();
  const bool executes = com::runs_text(command_);
  if (executes) {
    text_ = statement.statement->effects;
    follow(statement.statement->text());
    if (text_.calls_procedure()) {
      const ContextRef& context = statement.statement->context;
      note_call(statement.statement->text(), true,
                context ? std::string_view(context->settings.schema) : std::string_view{});
    }
  }
  if (!synchronize(true)) return run_errand(Party::client, unread);
  if (executes) read_again(*statement.statement);
  const std::optional<std::uint32_t> id = backend_id(statement);
  if (!id) return run_errand(Party::client, unread);
  if (entry_ != nullptr && entry_->parameters != statement.parameters) {
    backend_->statements.drop(*statement.statement);
    return drop({kNeedsReprepareCode, "HY000", "Prepared statement needs to be re-prepared"},
                unread);
  }
  current_ = &statement;
  execute_id_ = *id;
  if (executes) return execute(unread, header);
  put_le32(unread.subspan(kHeaderSize + kIdAt), *id);
  if (command_ == com::stmt_send_long_data) hold(statement, statement.cursor, true);
  if (command_ == com::stmt_reset) hold(statement, false, false);
  text_.begin({});
  return forward_command(unread, header);
}

/// The text of a statement that was prepared under the server's own sql_mode, if that is another
/// one on this backend, which has prepared it by itself.
void ServerConversation::read_again(const Statement& statement) {
  const bool own = statement.context && statement.context->settings.find("sql_mode") == nullptr &&
                   tracker_.wanted().find("sql_mode") == nullptr;
  SessionText::Mode mode = lexing_there();
  mode.everything = text_.uncertain();
  if (!own || mode == text_.mode()) return;
  text_.begin(mode);
  text_.feed(bytes_of(statement.text()));
  text_.finish();
  follow(statement.text());
}

void ServerConversation::hold(ClientStatement& statement, bool cursor, bool long_data) {
  statement.cursor = cursor;
  statement.long_data = long_data;
  if (statement.bound()) return;
  if (auto* entry = backend_->statements.find(*statement.statement)) entry->busy = statement.held();
}

/// Nothing is told to the backend, which keeps the statement for others, unless this client has
/// something open in it.
Verdict ServerConversation::close_statement(std::uint32_t id, const ClientStatement& statement,
                                            MutableBytes unread, FrameHeader header) {
  if (!statement.held() && !statement.bound()) {
    statements_.erase(id);
    return drop({kSilence, {}, {}}, unread);
  }
  if (statement.bound()) {
    put_le32(unread.subspan(kHeaderSize + kIdAt), statement.backend_id);
    statements_.erase(id);
    text_.begin({});
    return forward_command(unread, header);
  }
  backend_->statements.drop(*statement.statement);
  statements_.erase(id);
  return drop({kSilence, {}, {}}, unread);
}

// ------------------------------------------------------------------------------------- executing

ExecuteLayout ServerConversation::execute_layout() const {
  return {command_, current_->parameters, (start_.capabilities & cap::query_attributes) != 0};
}

Verdict ServerConversation::execute(MutableBytes unread, FrameHeader header) {
  const std::size_t total = kHeaderSize + header.length;
  if (tracker_.awaits_lock_name() && unread.size() < total && total <= kMaxNeed)
    return Verdict::need(total);
  if (current_->bound() || current_->parameters == 0) {
    if (tracker_.awaits_lock_name()) tracker_.name_lock({});
    return forward_execute({}, unread, header);
  }
  const std::size_t visible = std::min(total, unread.size());
  const Bytes payload = Bytes(unread).first(visible).subspan(kHeaderSize);
  const ExecuteHead head(execute_layout(), payload);
  if (tracker_.awaits_lock_name()) name_lock(head, visible == total ? payload : Bytes{});
  const std::size_t end = kHeaderSize + head.size();
  // One that is cut short goes on as it is: the backend says what it thinks of it.
  if (!head.sound() || total < end) return forward_execute({}, unread, header);
  if (end > kMaxExecuteHead) return refuse_execute("Names of parameters are too long", unread);
  if (visible < end) return end <= kMaxNeed ? Verdict::need(end) : collect_head(unread, end);
  if (head.brings_types()) return forward_execute(head.types(), unread, header);
  if (never_bound()) {
    return drop({kWrongArgumentsCode, "HY000", "Incorrect arguments to mysqld_stmt_execute"},
                unread);
  }
  if (!needs_types()) return forward_execute(current_->types, unread, header);
  if (header.length + head.growth() >= kMaxPayload) {
    return refuse_execute("Parameters without types are too long", unread);
  }
  return collect_head(unread, end);
}

/// A name that cannot be read off, or has come as long data, is followed by nobody.
void ServerConversation::name_lock(const ExecuteHead& head, Bytes payload) {
  const std::string_view types = head.brings_types() ? head.types() : current_->types;
  tracker_.name_lock(current_->long_data ? std::string_view{} : head.first_text(payload, types));
}

Verdict ServerConversation::refuse_execute(std::string_view why, MutableBytes unread) {
  return drop({kTooLongCode, "08S01", std::string(why)}, unread);
}

/// The types that are bound to the statement are other clients' at best.
bool ServerConversation::never_bound() const {
  return entry_ != nullptr && current_->types.empty();
}

/// The backend has other types bound to the statement than this client believes.
bool ServerConversation::needs_types() const {
  return entry_ != nullptr && entry_->types != current_->types && !current_->types.empty();
}

/// Takes the first `size` bytes of the command out of the stream: they are longer than what can be
/// seen at once, or have to be changed.
Verdict ServerConversation::collect_head(MutableBytes unread, std::size_t size) {
  head_.clear();
  head_size_ = size;
  intake_ = Intake::head;
  return more_head(unread);
}

Verdict ServerConversation::more_head(MutableBytes unread) {
  if (head_.size() < head_size_) {
    if (unread.empty()) return Verdict::need(1);
    const std::size_t taken = std::min(unread.size(), head_size_ - head_.size());
    head_.insert(head_.end(), unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(taken));
    return Verdict::skip(taken);
  }
  const ExecuteHead head(execute_layout(), Bytes(head_).subspan(kHeaderSize));
  const std::size_t total = kHeaderSize + header_of(head_).length;
  const std::size_t end = kHeaderSize + head.size();
  if (!head.sound() || end <= head_.size() || total < end) return send_head(head);
  if (end > kMaxExecuteHead) return Verdict::close(Fault::message_too_large);
  // How long names are shows only bit by bit.
  head_size_ = std::min(total, std::max(end, 2 * head_.size()));
  return more_head(unread);
}

Verdict ServerConversation::send_head(const ExecuteHead& head) {
  FrameHeader header = header_of(head_);
  left_ = kHeaderSize + header.length - head_.size();
  const bool whole = head.sound() && kHeaderSize + head.size() <= head_.size();
  std::string types;
  if (whole && head.brings_types()) {
    types = head.types();
  } else if (whole && never_bound()) {
    return Verdict::close(Fault::protocol_violation);
  } else if (whole && needs_types()) {
    types = current_->types;
    if (header.length + head.growth() >= kMaxPayload)
      return Verdict::close(Fault::message_too_large);
    header.length += static_cast<std::uint32_t>(head.growth());
    head.splice(head_, types);
  } else if (whole) {
    types = current_->types;
  }
  patch_header(head_, header);
  put_le32(MutableBytes(head_).subspan(kHeaderSize + kIdAt), execute_id_);
  begin_execute(types);
  flag_.more_frames = header.length == kMaxPayload;
  intake_ = left_ > 0 ? Intake::tail : flag_.more_frames ? Intake::payload : Intake::command;
  out_.clear();
  out_.bytes(head_);
  std::vector<std::uint8_t>().swap(head_);
  return Verdict::send(Party::backend, out_.view());
}

/// The rest of a packet whose head has been sent.
Verdict ServerConversation::forward_tail(MutableBytes unread) {
  intake_ = flag_.more_frames ? Intake::payload : Intake::command;
  flag_.streaming = unread.size() < left_;
  return Verdict::forward(std::exchange(left_, 0));
}

Verdict ServerConversation::forward_execute(std::string_view types, MutableBytes unread,
                                            FrameHeader header) {
  begin_execute(types);
  put_le32(unread.subspan(kHeaderSize + kIdAt), execute_id_);
  return forward_command(unread, header);
}

/// `types`: what the backend has bound after this; empty: nobody knows, and the client's own are
/// what they were.
void ServerConversation::begin_execute(std::string_view types) {
  flag_.fresh = false;
  flag_.foreign = false;
  flag_.questioned = false;
  flag_.open = current_->held();
  note_ending(current_->statement->text(), true);
  if (com::runs_text(command_)) note_given(current_->statement->text());
  hold(*current_, false, false);
  if (!types.empty() && current_->types != types) current_->types = types;
  if (entry_ != nullptr && entry_->types != types) entry_->types = types;
  response_.expect(row_of_command(command_).reply, 1, tracker_.status());
}

// --------------------------------------------------------------------------------- what came of it

void ServerConversation::statement_answered(const OkPacket& ok) {
  if (current_ == nullptr || (!com::runs_text(command_) && command_ != com::stmt_fetch)) return;
  const bool open = (ok.status & status::cursor_exists) != 0;
  const bool last = (ok.status & status::last_row_sent) != 0;
  if (open || current_->cursor) hold(*current_, open && !last, current_->long_data);
}

void ServerConversation::statement_failed() {
  if (current_ == nullptr) return;
  if (entry_ != nullptr) entry_->types.clear();
  // What an error leaves of a cursor or of long data is not told: without the statement, nothing.
  const bool unsure = flag_.open || command_ == com::stmt_fetch;
  if (!unsure || current_->bound()) return;
  hold(*current_, false, false);
  backend_->statements.drop(*current_->statement);
  entry_ = nullptr;
}

}  // namespace weirpool::protocol::mysql
