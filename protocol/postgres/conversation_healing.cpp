// Statements whose result has changed since they were prepared ("cached plan must not change result
// type"). One backend says so, all learn it: the statement enters its next generation and is
// prepared anew wherever it is used.
//
// The types of parameters are not looked at again: those that the server has found at Parse stay
// with the statement, until it does not fit its table any more, or takes values for something else.
// Without a proxy to reconnect is enough. So when a statement fails for such a reason, and when
// types have been changed, it is retired: whoever prepares it from then on gets another one, which
// the server sees. Who has prepared it before knows the old types, and keeps it.
//
// A backend that gets a statement for the first time has nothing to compare with. So where a client
// knows the columns, it is asked for them, once, before the client's Bind goes there.
//
// Whoever knows the old columns has to hear of it, as without a proxy. Whoever does not, or asks
// for them in the same batch, need not: outside a transaction and before anything was answered the
// batch is sent once more.
//
//   client                     weirpool                               backend
//   Bind Describe Execute Sync ->                                  ->
//                                                   (swallowed)    <- ErrorResponse, ReadyForQuery
//                              Close, Parse, and the batch again   ->
//                                                   (swallowed)    <- CloseComplete, ParseComplete
//                                                                  <- BindComplete ...
#include <algorithm>
#include <boost/container_hash/hash.hpp>
#include <functional>
#include <utility>

#include "protocol/postgres/conversation.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {
namespace {

/// Longer batches are not kept to be sent again, bytes.
constexpr std::size_t kMaxKept = 8192;

/// Of the names and types in a RowDescription, or NoData: what the server looks at when it says
/// that a plan must not change its result type. Its length stands for what is not there to be seen.
std::uint32_t digest_of_columns(Bytes message) {
  constexpr std::size_t kOrigin = 4 + 2;  // table and column
  constexpr std::size_t kFormat = 2;
  Reader in(message.subspan(1));
  std::size_t digest = in.be32();
  in.be16();
  while (in.ok() && in.remaining() != 0) {
    const std::string_view name = in.cstr();
    in.skip(kOrigin);
    const std::uint32_t type = in.be32();
    in.be16();
    const std::uint32_t modifier = in.be32();
    in.skip(kFormat);
    if (!in.ok()) break;
    boost::hash_combine(digest, std::hash<std::string_view>{}(name));
    boost::hash_combine(digest, type);
    boost::hash_combine(digest, modifier);
  }
  return static_cast<std::uint32_t>(digest ^ digest >> 32) | 1U;
}

bool describes(Reply reply) {
  return reply == Reply::describe_statement || reply == Reply::describe_portal;
}

}  // namespace

/// From the message that is about to be sent on, everything is kept: it is the first that the
/// backend will answer.
void PostgresConversation::keep_batch() {
  if (status_ != 'I') return;
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    if (queue_.at(i) != Reply::parse_made_up && queue_.at(i) != Reply::close_made_up) return;
  }
  keeping_ = true;
  backend_->sent.clear();
}

void PostgresConversation::keep(const Verdict& verdict, Bytes unread) {
  Bytes sent;
  if (verdict.kind == Verdict::Kind::send) {
    sent = verdict.bytes;
  } else if (verdict.kind == Verdict::Kind::forward && verdict.count <= unread.size()) {
    sent = unread.first(static_cast<std::size_t>(verdict.count));
  } else {
    keeping_ = verdict.kind != Verdict::Kind::forward;
    return;
  }
  std::vector<std::uint8_t>& kept = backend_->sent;
  keeping_ = kept.size() + sent.size() <= kMaxKept;
  if (keeping_) kept.insert(kept.end(), sent.begin(), sent.end());
}

/// The client's name for what failed; null: it has none any more.
ClientStatement* PostgresConversation::client_statement(std::uint64_t number) {
  const auto found = std::find_if(
      statements_.begin(), statements_.end(),
      [number](const auto& entry) { return entry.second.statement->number == number; });
  return found == statements_.end() ? nullptr : &found->second;
}

/// The client knows the columns, and the backend is about to be given the statement: under the same
/// text it may return others by now, which the backend, who has never had it, would not call an
/// error.
bool PostgresConversation::columns_in_question(ClientStatement& mine) {
  if (mine.described == 0) return false;
  if (describing(*mine.statement)) return true;
  if (backend_has(mine)) return false;
  // What they are now, nobody may have said since they were found to be others.
  return knows_columns(mine) || (mine.columns != 0 && mine.statement->columns.digest() == 0);
}

/// What the client has been told is so now, perhaps again.
bool PostgresConversation::knows_columns(ClientStatement& mine) {
  const Columns& now = mine.statement->columns;
  if (mine.columns != 0 && mine.columns == now.digest()) mine.described = now.generation();
  return mine.described == now.generation();
}

/// They have been asked for, and the answer has not come: nothing has been sent since.
bool PostgresConversation::describing(const Statement& statement) {
  if (queue_.empty()) return false;
  const Expected& last = queue_[queue_.size() - 1];
  return last.reply == Reply::describe_injected && last.number == statement.number;
}

/// The backend is given the statement and asked what it returns, before anything is done with it.
PostgresConversation::Step PostgresConversation::ask_columns(ClientStatement& mine) {
  if (describing(*mine.statement)) return Verdict::hold();
  inject(mine.statement);
  NameMessage{'S', mine.statement->backend_name}.serialize('D', to_backend_.out());
  write_bare('H', to_backend_.out());
  queue_.push_about(Reply::describe_injected, mine.statement->number);
  unsynced_ = true;
  return std::nullopt;
}

PostgresConversation::Step PostgresConversation::on_columns(const Header& header, Run& run) {
  const bool injected = queue_.front() == Reply::describe_injected;
  if (injected && run.size != 0) return std::nullopt;
  if (const std::uint64_t number = queue_[0].number; number != 0) {
    const Bytes rest = run.rest();
    const auto front = std::min<std::uint64_t>(header.total(), kMaxNeed);
    if (rest.size() < front) return Verdict::need(front);
    learn_columns(number, digest_of_columns(rest.first(static_cast<std::size_t>(front))));
  }
  queue_.pop();
  if (!injected) return pass(header, run);
  to_client_.skip(header.total());
  return std::nullopt;
}

/// What a backend says of a statement is so now, whatever another one has said before.
void PostgresConversation::learn_columns(std::uint64_t number, std::uint32_t digest) {
  const StatementRef statement = backend_->statements.find(number);
  if (statement == nullptr) return;
  const std::uint32_t generation = statement->columns.are(digest);
  if (!backend_->statements.has(*statement)) backend_->statements.add(statement);
  if (queue_.front() == Reply::describe_injected) return;
  ClientStatement* mine = client_statement(number);
  if (mine == nullptr) return;
  mine->described = generation;
  mine->columns = digest;
}

/// The backend has found out that what is owed next returns other columns than it used to. True:
/// nobody needs to know.
bool PostgresConversation::outdated() {
  const StatementRef statement = backend_->statements.find(queue_[0].number);
  if (statement == nullptr) return false;
  // Several backends find out: one new generation is enough.
  if (backend_->statements.has(*statement)) {
    statement->columns.outdate();
  }
  ClientStatement* mine = client_statement(statement->number);
  if (mine == nullptr) return false;
  bool again = mine->described == 0;
  for (std::size_t i = 0; i < queue_.size(); ++i) again = again || describes(queue_.at(i));
  const std::size_t last = queue_.size() - 1;
  for (std::size_t i = 0; i < last; ++i) again = again && queue_.at(i) != Reply::sync;
  if (!again || !keeping_ || queue_.at(last) != Reply::sync) return false;
  if (mine->described != 0) mine->described = statement->columns.generation();
  healing_ = statement;
  return true;
}

/// What is owed next has failed with `sqlstate`. Values are read and types are looked at when a
/// statement is bound or described; that is also where most clients' own mistakes are found, and
/// these cost no more than the next Parse, on each backend.
void PostgresConversation::doubt_types(std::string_view sqlstate) {
  const std::uint64_t number = queue_.empty() ? 0 : queue_[0].number;
  if (number == 0) return;
  const bool doubtful =
      sqlstate.starts_with("42") || sqlstate.starts_with("22") || sqlstate == "XX000";
  if (!doubtful) return;
  const StatementRef statement = backend_->statements.find(number);
  if (statement != nullptr) catalog_->statements.retire(*statement);
}

/// After the error, before the batch is sent again.
Verdict PostgresConversation::heal_step(Bytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(unread);
  if (!legal_length(header)) return Verdict::close(Fault::backend_violation);
  switch (backend_action(Reply::sync, header.tag)) {
    case FromBackend::notice:
      if (for_nobody(header.tag)) return Verdict::skip(header.total());
      backend_moving_ = true;
      return Verdict::forward(header.total());
    case FromBackend::parameter: {
      Run run{unread, 0};
      if (const Step verdict = on_parameter(header, run)) return *verdict;
      backend_moving_ = true;
      return Verdict::forward(run.size);
    }
    case FromBackend::error: {
      Run run{unread, 0};
      if (const Step verdict = on_error(header, run)) return *verdict;
      if (!last_words_) return Verdict::close(Fault::backend_violation);
      backend_moving_ = true;
      return Verdict::forward(run.size);
    }
    case FromBackend::ready: break;
    default: return Verdict::close(Fault::backend_violation);
  }
  if (unread.size() < kHeaderSize + 1) return Verdict::need(kHeaderSize + 1);
  if (header.length != 5 || unread[kHeaderSize] != 'I') {
    return Verdict::close(Fault::backend_violation);
  }
  send_again();
  return Verdict::skip(header.total());
}

void PostgresConversation::send_again() {
  const StatementRef statement = std::exchange(healing_, nullptr);
  keeping_ = false;
  Writer& out = to_backend_.out();
  NameMessage{'S', statement->backend_name}.serialize('C', out);
  ParseMessage::serialize(statement->backend_name, bytes_of(statement->body()), out);
  out.bytes(backend_->sent);
  queue_.push_front(Reply::parse_injected, statement);
  queue_.push_front(Reply::close_injected, statement);
  backend_->statements.add(statement);
}

/// The client binds a statement whose columns it believes to know and which have changed: the error
/// the database server would give, and gives until the client asks for the columns again.
std::string PostgresConversation::outdated_error() {
  ErrorResponse error;
  error.severity = "ERROR";
  error.sqlstate = "0A000";
  error.message = "cached plan must not change result type";
  error.routine = "RevalidateCachedQuery";
  Writer out;
  error.serialize(out);
  return std::string(text_of(out.view()));
}

}  // namespace weirpool::protocol::postgres
