// Statements that the client prepares in SQL. What it has is learned from the backend itself, at
// the boundary behind a text that may have changed it; on the next backend it is brought about
// before the client's first statement:
//
//   client            weirpool                                       backend
//   PREPARE p AS ... ->                                           ->
//                                                                 <- CommandComplete, ReadyForQuery
//                     names and texts of what is prepared?        ->
//                                                                 <- "p", "PREPARE p AS ..."
//                     detach, attach
//   EXECUTE p        ->
//                     DEALLOCATE of another client's, PREPARE p   ->
//                                                                 <- (swallowed) ReadyForQuery *
//                     EXECUTE p                                   ->
//
// What the server lists and the client has not sent as a statement of its own, in parameters that
// are known, cannot be said again elsewhere: it pins.
#include <algorithm>
#include <utility>

#include "protocol/postgres/conversation.hpp"

namespace weirpool::protocol::postgres {
namespace {

/// Small enough to be carried from backend to backend.
bool few_enough(const std::vector<SqlStatement>& entries) {
  std::size_t bytes = 0;
  for (const SqlStatement& entry : entries) bytes += entry.name.size() + entry.text.size();
  return entries.size() <= kMaxSqlStatements && bytes <= kMaxSqlBytes;
}

}  // namespace

/// A statement with these effects, all of `text` if that is known, is about to be executed.
void PostgresConversation::follow_sql(Effects bits, std::string_view text) {
  const bool forgets = (bits & kForgets) != 0 && (bits & kEndsState) != 0;
  if (forgets) doubt_sql();
  if ((effects_ & kPinPrepare) == 0) return;
  const bool prepares = (bits & kPinPrepare) != 0;
  if ((bits & kOnePrepare) != 0 && !text.empty()) check().prepares(text.substr(0, text.find('\0')));
  // What is changed for the transaction counts in front of it, what is changed for good behind it.
  // In front of it that is what the session ends with, unless it is undone.
  const Effects for_good = kSettings | kRoles;
  const Effects others = prepares ? unsettled_ & ~for_good : bits & (for_good | kResetAll);
  const bool unknown = (bits & kUnknown) != 0 || (effects_ & kForeignMeaning) != 0;
  if (others != 0 || unknown) check().muddle();
  if (prepares && unsettled_ != 0) check().relies_on_settings();
}

/// What the backend has prepared may be something else now. It keeps its client until it has said.
void PostgresConversation::doubt_sql() {
  if (!sql_ && !backend_->sql_statements && (effects_ & kPinPrepare) == 0) return;
  effects_ |= kPinPrepare;
  check().verify(kPinPrepare);
}

/// A parameter that may decide what texts mean has another value, perhaps inside a function.
void PostgresConversation::meaning_moved() {
  if (sql_ || (effects_ & kPinPrepare) != 0) check();
  if ((effects_ & kPinPrepare) != 0) check().muddle();
}

/// Gives the backend what the client has prepared and takes from it what it has not.
void PostgresConversation::agree() {
  if (backend_->sql_statements == sql_) return;
  std::vector<SqlErrand> errands = difference(backend_->sql_statements, sql_);
  if (errands.empty()) return;
  own_ = std::make_unique<Own>();
  own_->purpose = Purpose::agree;
  if (backend_->sql_statements) own_->held = backend_->sql_statements->entries();
  own_->errands = std::move(errands);
  backend_->unnamed.reset();
  backend_->unnamed_certain = true;
  for (const SqlErrand& errand : own_->errands) errand.serialize(to_backend_.out());
}

/// One of weirpool's errands has been answered. True: there are more.
bool PostgresConversation::agreed() {
  const auto& [prepares, statement] = own_->errands[own_->answered++];
  const std::string state = std::exchange(own_->sqlstate, {});
  std::string error = std::exchange(own_->error, {});
  const auto named = [&name = statement.name](const SqlStatement& s) { return s.name == name; };
  if (state.empty() || (!prepares && state == "26000")) {
    std::erase_if(own_->held, named);
    if (prepares) own_->held.push_back(statement);
  } else if (!prepares || state == "42P05") {
    // It is still there, or a function has left one there unseen: whatever it is, it has to go.
    std::erase_if(own_->held, named);
    own_->held.push_back({statement.name, {}});
    own_->interrupted = true;
    own_->unfinished = std::move(error);
  } else if (state == "57014") {
    own_->interrupted = true;
  }
  // Any other: what the statement is about has gone, so the client is as if it had not prepared it.
  return own_->answered < own_->errands.size();
}

/// All of them have.
void PostgresConversation::note_agreement(Own& own) {
  const std::string_view meaning = sql_ ? sql_->meaning() : std::string_view{};
  backend_->sql_statements = catalog_->sql_statements.of(meaning, std::move(own.held));
  own.error = std::move(own.unfinished);
}

/// The backend has listed what it has prepared, or could not.
void PostgresConversation::take_list(const SessionCheck& asked, const Own& own) {
  if (!own.error.empty() || own.list_unread) {
    sql_lost_ = true;
    return;
  }
  std::vector<SqlStatement> entries;
  const std::string& meaning = wanted_->meaning();
  bool lost = sql_lost_ || (catalog_->policy.pinned & kPinPrepare) != 0;
  for (const Row& row : own.list) {
    if (row.size() != 2 || !row[0] || !row[1]) {
      sql_lost_ = true;
      return;
    }
    SqlStatement entry{*row[0], *row[1]};
    const bool known = sql_ && sql_->has(entry) && !asked.may_have_muddled(entry.text);
    const bool fresh = asked.has_prepared(entry.text) && (!sql_ || sql_->meaning() == meaning);
    lost = lost || !(known || fresh) || !ascii(entry.name);
    entries.push_back(std::move(entry));
  }
  sql_lost_ = !entries.empty() && (lost || !few_enough(entries));
  if (sql_lost_) return;
  sql_ = catalog_->sql_statements.of(sql_ ? sql_->meaning() : std::string_view(meaning),
                                     std::move(entries));
  backend_->sql_statements = sql_;
}

/// Can the client take what it has prepared to another backend?
void PostgresConversation::judge_sql() {
  const bool bound = sql_lost_ || (sql_ && sql_->meaning() != wanted_->meaning());
  effects_ = bound ? effects_ | kPinPrepare : effects_ & ~kPinPrepare;
}

/// The client prepares by the protocol what it has prepared in SQL: as the database server says it.
std::string PostgresConversation::taken_error(std::string_view name) {
  const std::string message = "prepared statement \"" + std::string(name) + "\" already exists";
  ErrorResponse error;
  error.severity = "ERROR";
  error.sqlstate = "42P05";
  error.message = message;
  error.routine = "StorePreparedStatement";
  Writer out;
  error.serialize(out);
  return std::string(text_of(out.view()));
}

}  // namespace weirpool::protocol::postgres
