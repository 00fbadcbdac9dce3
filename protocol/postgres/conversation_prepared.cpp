// Prepared statements of the conversation: whose name means which text on which backend.
#include <algorithm>
#include <utility>

#include "protocol/postgres/conversation.hpp"

namespace weirpool::protocol::postgres {
namespace {

constexpr std::string_view kTaken = "42P05";
constexpr std::uint32_t kMinParse = 8;  // of the length word: two empty names and a count

/// It has EXECUTE in it, be it a part of something else.
bool may_execute(std::string_view text) {
  constexpr std::string_view kWord = "execute";
  const auto same = [](char a, char b) { return (a | 0x20) == b; };
  return std::search(text.begin(), text.end(), kWord.begin(), kWord.end(), same) != text.end();
}

}  // namespace

PostgresConversation::Step PostgresConversation::on_parse(const Header& header, Run& run) {
  if (!gather_.collecting() && header.length > kMaxParse) return on_long_parse(header, run);
  if (header.length < kMinParse) return Verdict::close(Fault::protocol_violation);
  // A message that has to be collected, or rewritten, starts at the front of what is unread.
  const Bytes rest = run.rest();
  if (run.size != 0 && rest.size() < header.total()) return std::nullopt;
  if (run.size != 0 && rest[kHeaderSize] != 0) return std::nullopt;
  if (run.size != 0 && (header.total() > kMaxNeed || catalog_->policy.refused != 0)) {
    return std::nullopt;
  }
  if (const auto verdict = gather_.collect(rest, header.total())) return *verdict;
  // Its batch has failed while it was on its way.
  if (phase_ == Phase::skipping) {
    to_backend_.skip(gather_.consume());
    return std::nullopt;
  }
  const Bytes message = gather_.message();
  const auto parsed = ParseMessage::parse(message.subspan(kHeaderSize));
  if (!parsed) return Verdict::close(Fault::protocol_violation);
  if (catalog_->policy.refused != 0 && refuse_parse(effects_of(parsed->text, reading()).bits)) {
    unsynced_ = true;
    to_backend_.skip(gather_.consume());
    return std::nullopt;
  }
  if (parsed->name.empty()) {
    if (const Step later = on_unnamed_parse(*parsed, run)) return later;
    unsynced_ = true;
    ++backend_->tally.client_parses;
    ++backend_->tally.server_parses;
    const bool in_place = !gather_.collecting();
    if (!in_place) to_backend_.out().bytes(message);
    gather_.consume();
    return in_place ? pass(header, run) : std::nullopt;
  }
  if (const Step refused = on_named_parse(*parsed, run)) return refused;
  unsynced_ = true;
  ++backend_->tally.client_parses;
  to_backend_.skip(gather_.consume());
  return std::nullopt;
}

bool PostgresConversation::refuse_parse(Effects effects) {
  std::string words = refusal_of(catalog_->policy, effects);
  if (words.empty()) return false;
  fail_parse(std::move(words));
  return true;
}

/// The backend is made to fail in its place.
void PostgresConversation::fail_parse(std::string words) {
  queue_.push(Reply::parse, nullptr, failure(std::move(words)));
  const std::string body = std::string(kRefusedText) + std::string(3, '\0');
  ParseMessage::serialize({}, bytes_of(body), to_backend_.out());
}

/// Clients that name nothing parse the same again and again. Behind a batch that may yet fail it is
/// another one, which the failure does not concern.
bool PostgresConversation::parses_again(const ParseMessage& message) const {
  constexpr std::size_t kWorthLooking = 64;
  if (!unnamed_ || unnamed_->body() != text_of(message.body)) return false;
  if (unnamed_->reading != reading() || queue_.size() > kWorthLooking) return false;
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    if (ends_with_ready(queue_.at(i))) return false;
  }
  return true;
}

/// A value: not yet.
PostgresConversation::Step PostgresConversation::on_unnamed_parse(const ParseMessage& message,
                                                                  const Run& run) {
  if (parses_again(message)) {
    if (const Step later = cleanse(unnamed_->effects, run)) return later;
  } else {
    TextEffects effects = effects_of(message.text, reading());
    if (const Step later = cleanse(effects, run)) return later;
    unnamed_ = unnamed_statement(message.body, std::move(effects), reading());
  }
  backend_->unnamed = unnamed_;
  backend_->unnamed_certain = true;
  queue_.push(Reply::parse, unnamed_);
  return std::nullopt;
}

/// A value: not yet, or never.
PostgresConversation::Step PostgresConversation::on_named_parse(const ParseMessage& message,
                                                                const Run& run) {
  const auto known = statements_.find(message.name);
  if (known != statements_.end()) {
    // The name is taken. The backend is made to say so itself, if it has nothing else to say of the
    // text, which also fails the batch there.
    const StatementRef taken = on_backend(known->second);
    ParseMessage::serialize(taken->backend_name, message.body, to_backend_.out());
    queue_.push(Reply::parse, nullptr, failure(taken_error(message.name), kTaken));
    return std::nullopt;
  }
  if (sql_ && sql_->find(message.name) != nullptr) {
    // By a PREPARE in SQL: the server's names are one set.
    fail_parse(taken_error(message.name));
    return std::nullopt;
  }
  if (not_for_keeping(message)) return leave_to_backend(message, run);
  StatementRef statement =
      catalog_->statements.named(message.body, message.text, meaning(message.text), reading());
  if (const Step later = cleanse(statement->effects, run)) return later;
  bound_ = nullptr;
  statements_.add(message.name, statement);
  if (backend_->statements.has(*statement)) {
    if (!altered_ && !may_have_failed()) {
      queue_.push(Reply::parse_made_up, std::move(statement), note_of(message.name));
      return std::nullopt;
    }
    // What the transaction has changed since, the server would see in a new one; and one that has
    // failed takes none.
    backend_->statements.erase(*statement);
    inject_close({statement, 0});
  }
  inject(statement);
  // The client asked for this one: its ParseComplete is the real one.
  Expected& last = queue_[queue_.size() - 1];
  last.reply = Reply::parse;
  last.note = note_of(message.name);
  return std::nullopt;
}

/// What is sent now may meet a transaction that has failed.
bool PostgresConversation::may_have_failed() const {
  if (status_ == 'E') return true;
  if (status_ == 'I' && !may_begin_) return false;
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    if (ends_with_ready(queue_.at(i))) return true;
  }
  return false;
}

void PostgresConversation::inject_close(const BackendStatements::Known& known) {
  NameMessage{'S', known.statement->backend_name}.serialize('C', to_backend_.out());
  auto note = note_of({});
  note->generation = known.generation;
  queue_.push(Reply::close_injected, known.statement, std::move(note));
}

void PostgresConversation::inject(const StatementRef& statement) {
  if (backend_->statements.outdated(*statement)) {
    backend_->statements.erase(*statement);
    inject_close({statement, 0});
  }
  while (const auto victim = backend_->statements.evict_for_one_more()) inject_close(*victim);
  ++backend_->tally.server_parses;
  ParseMessage::serialize(statement->backend_name, bytes_of(statement->body()), to_backend_.out());
  queue_.push(Reply::parse_injected, statement);
  backend_->statements.add(statement);
}

/// What the names in a text mean now. While a transaction has changed parameters, that is nobody
/// else's business.
std::string_view PostgresConversation::meaning(std::string_view text) {
  // EXECUTE of what was prepared in SQL has its columns.
  const bool within = (sql_ || (effects_ & kPinPrepare) != 0) && may_execute(text);
  const Effects foreign = within ? kForeignMeaning | kPinPrepare : kForeignMeaning;
  if (unsettled_ == 0 && (effects_ & foreign) == 0)
    return within ? sql_->key() : wanted_->meaning();
  if (private_meaning_.empty()) private_meaning_ = catalog_->private_meaning();
  return private_meaning_;
}

/// The statement was prepared under settings that mean what the client's do now. Under others the
/// server would perhaps plan it anew, for everybody who shares it. In a transaction that has
/// changed settings it stays what it is, for these are over soon.
bool PostgresConversation::fits(ClientStatement& mine) {
  if (mine.meant == settings_number_) return true;
  if (unsettled_ != 0 || (effects_ & kForeignMeaning) != 0) return true;
  const Statement& statement = *mine.statement;
  if ((sql_ || (effects_ & kPinPrepare) != 0) && may_execute(statement.body())) return true;
  const std::string& now = wanted_->meaning();
  if (statement.meaning() != now && !same_but_for_search_path(statement.meaning(), now)) {
    return false;
  }
  mine.meant = settings_number_;
  return true;
}

/// The backend has the statement, in what it means now.
bool PostgresConversation::backend_has(ClientStatement& mine) {
  if (fits(mine) && backend_->statements.has(*mine.statement)) return true;
  const std::string_view now = meaning(mine.statement->body());
  if (mine.statement->meaning() == now) return false;
  mine.statement = catalog_->statements.renamed(*mine.statement, now);
  if (mine.described != 0) {
    Columns& columns = mine.statement->columns;
    mine.described = mine.columns == 0 ? columns.generation() : columns.for_who_knows(mine.columns);
  }
  return backend_->statements.has(*mine.statement);
}

/// A statement of the client's as the backend knows it, given to the backend if it does not.
StatementRef PostgresConversation::on_backend(ClientStatement& mine) {
  if (!backend_has(mine)) inject(mine.statement);
  return mine.statement;
}

/// It was given to the backend in an earlier batch of the pipeline, which may fail in front of it:
/// the backend's answer is awaited.
bool PostgresConversation::in_doubt(const Statement& statement) {
  bool given = false;
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    const Expected& owed = queue_[i];
    if (given && ends_with_ready(owed.reply)) return true;
    given = given || (owed.reply == Reply::parse_injected && owed.statement.get() == &statement);
  }
  return false;
}

bool PostgresConversation::holds_unnamed() {
  return backend_->unnamed_certain && backend_->unnamed == unnamed_;
}

void PostgresConversation::inject_unnamed() {
  if (unnamed_ && unnamed_->body().empty()) unnamed_.reset();
  if (unnamed_) {
    ParseMessage::serialize({}, bytes_of(unnamed_->body()), to_backend_.out());
    queue_.push(Reply::parse_injected, unnamed_);
  } else {
    // There may be somebody else's: without it the backend gives the right error itself.
    NameMessage{'S', {}}.serialize('C', to_backend_.out());
    queue_.push(Reply::close_injected);
  }
  backend_->unnamed = unnamed_;
  backend_->unnamed_certain = true;
}

PostgresConversation::Step PostgresConversation::on_bind(const Header& header, Run& run) {
  const Bytes rest = run.rest();
  const auto wanted = std::min<std::uint64_t>(header.total(), kMaxNeed);
  const auto visible =
      static_cast<std::size_t>(std::min<std::uint64_t>(header.total(), rest.size()));
  const auto head = BindHead::parse(rest.first(visible).subspan(kHeaderSize));
  if (!head) {
    if (rest.size() < wanted) return Verdict::need(wanted);
    return Verdict::close(Fault::protocol_violation);
  }
  const auto known = statements_.find(head->statement);
  const bool named = known != statements_.end();
  const bool ready = head->statement.empty()
                         ? holds_unnamed()
                         : !named && foreign_name(head->statement) == head->statement;
  if (!ready && run.size != 0) return std::nullopt;
  if (named && in_doubt(*known->second.statement)) return Verdict::hold();
  const StatementRef& means = named ? known->second.statement : unnamed_;
  if (!named && !head->statement.empty()) {
    if (const Step later = cleanse_for_unkept(run)) return later;
  }
  if (means && (named || head->statement.empty())) {
    if (const Step later = cleanse(means->effects, run)) return later;
    const bool drops =
        head->portal.empty() && deallocated_by(means->effects, means->body()) != statements_.end();
    if (drops && run.size != 0) return std::nullopt;
    if (drops) return bind_nothing(header, *head, *means);
  }
  // Does the client ask for the columns next?
  const auto total = static_cast<std::size_t>(header.total());
  if (named && rest.size() < total && total <= kMaxNeed) return Verdict::need(total);
  const bool asks = rest.size() > total && rest[total] == 'D';
  if (named && !asks && columns_in_question(known->second)) return ask_columns(known->second);
  if (head->portal.empty()) deallocates_.clear();
  unsynced_ = true;
  bound_ = nullptr;
  ++backend_->tally.binds;
  if (head->statement.empty()) {
    streamed_.reset();
    if (!ready) inject_unnamed();
    if (unnamed_) execute_effects(unnamed_->effects, unnamed_->body());
    if (unnamed_) note_ending(unnamed_->body(), true);
    if (unnamed_) note_bound(head->portal, unnamed_->body());
    queue_.push(Reply::bind);
    if (ready) return pass(header, run);
    carry_ = header.total();
    return std::nullopt;
  }
  drew_ = drew_ || !named;
  if (ready) return pass(header, run, Reply::bind);
  if (named) {
    return bind_named(header, *head, known->second, asks);
  }
  rewrite_bind(header, *head, foreign_name(head->statement));
  queue_.push(Reply::bind);
  return std::nullopt;
}

PostgresConversation::Step PostgresConversation::bind_named(const Header& header,
                                                            const BindHead& head,
                                                            ClientStatement& mine, bool asks) {
  const StatementRef statement = on_backend(mine);
  if (mine.described != 0 && !knows_columns(mine) && !asks) {
    rewrite_bind(header, head, kOutdatedName);
    queue_.push(Reply::bind, nullptr, failure(outdated_error()));
    return std::nullopt;
  }
  keep_batch();
  execute_effects(statement->effects, statement->body());
  note_ending(statement->body(), true);
  note_bound(head.portal, statement->body());
  rewrite_bind(header, head, statement->backend_name);
  queue_.push_about(Reply::bind, statement->number);
  bound_ = &mine;
  return std::nullopt;
}

/// The same Bind, to the statement with another name.
void PostgresConversation::rewrite_bind(const Header& header, const BindHead& head,
                                        std::string_view name) {
  const std::size_t head_size = head.portal.size() + name.size() + 2;
  Writer& out = to_backend_.out();
  out.u8('B');
  out.be32(static_cast<std::uint32_t>(header.length - head.size + head_size));
  out.cstr(head.portal);
  out.cstr(name);
  to_backend_.skip(kHeaderSize + head.size);
  carry_ = header.total() - kHeaderSize - head.size;
}

PostgresConversation::Step PostgresConversation::on_describe(const Header& header, Run& run) {
  const Bytes rest = run.rest();
  if (header.total() > kMaxNeed) return Verdict::close(Fault::protocol_violation);
  if (rest.size() < header.total()) return Verdict::need(header.total());
  const auto size = static_cast<std::size_t>(header.total());
  const auto message = NameMessage::parse(rest.first(size).subspan(kHeaderSize));
  if (!message) return Verdict::close(Fault::protocol_violation);
  if (message->kind == 'P') {
    unsynced_ = true;
    if (bound_ == nullptr) return pass(header, run, Reply::describe_portal);
    const Columns& columns = bound_->statement->columns;
    const bool known = bound_->described == columns.generation() && bound_->columns != 0 &&
                       bound_->columns == columns.digest();
    bound_->described = columns.generation();
    queue_.push_about(Reply::describe_portal, known ? 0 : bound_->statement->number);
    return pass(header, run);
  }
  const auto known = statements_.find(message->name);
  const bool named = known != statements_.end();
  const bool ready = message->name.empty() ? holds_unnamed() : false;
  if (!ready && run.size != 0) return std::nullopt;
  if (named && in_doubt(*known->second.statement)) return Verdict::hold();
  unsynced_ = true;
  if (ready) return pass(header, run, Reply::describe_statement);
  if (named) {
    const StatementRef statement = on_backend(known->second);
    keep_batch();
    known->second.described = statement->columns.generation();
    NameMessage{'S', statement->backend_name}.serialize('D', to_backend_.out());
    queue_.push_about(Reply::describe_statement, statement->number);
  } else {
    if (message->name.empty()) inject_unnamed();
    NameMessage{'S', foreign_name(message->name)}.serialize('D', to_backend_.out());
    queue_.push(Reply::describe_statement);
  }
  to_backend_.skip(header.total());
  return std::nullopt;
}

PostgresConversation::Step PostgresConversation::on_close(const Header& header, Run& run) {
  const Bytes rest = run.rest();
  if (header.total() > kMaxNeed) return Verdict::close(Fault::protocol_violation);
  if (rest.size() < header.total()) return Verdict::need(header.total());
  const auto size = static_cast<std::size_t>(header.total());
  const auto message = NameMessage::parse(rest.first(size).subspan(kHeaderSize));
  if (!message) return Verdict::close(Fault::protocol_violation);
  if (message->kind == 'P') {
    unsynced_ = true;
    return pass(header, run, Reply::close);
  }
  const auto known = statements_.find(message->name);
  const bool named = known != statements_.end();
  // A name weirpool does not know may be one of a PREPARE in SQL.
  const bool ready = !named && foreign_name(message->name) == message->name;
  if (!ready && run.size != 0) return std::nullopt;
  unsynced_ = true;
  if (ready) {
    if (message->name.empty()) {
      unnamed_.reset();
      backend_->unnamed.reset();
    } else {
      doubt_sql();
      doubt_unkept();
    }
    return pass(header, run, Reply::close);
  }
  queue_.push(Reply::close_made_up, named ? known->second.statement : nullptr,
              note_of(message->name));
  bound_ = nullptr;
  if (named) statements_.erase(known);
  to_backend_.skip(header.total());
  return std::nullopt;
}

PostgresConversation::Step PostgresConversation::close_unattached(Bytes unread,
                                                                  const Header& header) {
  if (header.total() > kMaxNeed) return Verdict::close(Fault::protocol_violation);
  if (unread.size() < header.total()) return Verdict::need(header.total());
  const auto size = static_cast<std::size_t>(header.total());
  const auto message = NameMessage::parse(unread.first(size).subspan(kHeaderSize));
  if (!message) return Verdict::close(Fault::protocol_violation);
  if (message->kind == 'S' && message->name.empty()) unnamed_.reset();
  if (message->kind == 'S' && !message->name.empty()) {
    const auto known = statements_.find(message->name);
    if (known != statements_.end()) {
      statements_.erase(known);
    } else {
      sql_ = catalog_->sql_statements.without(sql_, message->name);
    }
  }
  to_client_.skip(header.total());
  write_bare('3', to_client_.out());
  return std::nullopt;
}

}  // namespace weirpool::protocol::postgres
