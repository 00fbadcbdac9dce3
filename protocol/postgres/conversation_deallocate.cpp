// DEALLOCATE in SQL of a statement prepared by the protocol. On the backend it has another name and
// is everybody's, so only the client's name for it goes; the backend gets a statement that does
// nothing, and fails where DEALLOCATE would:
//
//   client                        weirpool                        backend
//   Query DEALLOCATE s      ->    Query UNLISTEN weirpool  ->
//                           <-    DEALLOCATE               <-     CommandComplete UNLISTEN
//
// In the extended protocol Bind goes to such a statement. Portals with names are left alone.
#include <algorithm>

#include "protocol/postgres/conversation.hpp"
#include "protocol/postgres/sql_prepare.hpp"

namespace weirpool::protocol::postgres {
namespace {

constexpr std::string_view kNothing = "UNLISTEN weirpool";

}  // namespace

/// The statement prepared by the protocol that a text with these effects deallocates; end(): none.
ClientStatements::const_iterator PostgresConversation::deallocated_by(const TextEffects& effects,
                                                                      std::string_view text) const {
  if (statements_.empty() || effects.bits != (kEndsState | kForgets)) return statements_.end();
  const std::optional<std::string> name = deallocated_name(text.substr(0, text.find('\0')));
  return name ? statements_.find(*name) : statements_.end();
}

bool PostgresConversation::deallocates(const TextEffects& effects, std::string_view text,
                                       const Header& header, const Run& run) {
  const auto named = deallocated_by(effects, text);
  if (named == statements_.end()) return false;
  // What stands before it goes first.
  if (run.size != 0) return true;
  deallocate(named, Reply::deallocate);
  replace_query(header, kNothing);
  return true;
}

/// The name goes at once, since the client may use it anew, and comes back if that fails.
void PostgresConversation::deallocate(ClientStatements::const_iterator named, Reply owed) {
  queue_.push(owed, named->second.statement, note_of(named->first));
  bound_ = nullptr;
  statements_.erase(named);
}

PostgresConversation::Step PostgresConversation::on_execute(const Header& header, Run& run) {
  if (!deallocates_.empty()) {
    const Bytes rest = run.rest();
    const auto wanted = std::min<std::uint64_t>(header.total(), kHeaderSize + 1);
    if (rest.size() < wanted) return Verdict::need(wanted);
    const auto named = statements_.find(deallocates_);
    const bool unnamed_portal = wanted > kHeaderSize && rest[kHeaderSize] == 0;
    if (unnamed_portal && named == statements_.end()) {
      // Closed since it was bound.
      if (run.size != 0) return std::nullopt;
      fail_parse(missing_error(deallocates_));
      deallocates_.clear();
      unsynced_ = true;
      to_backend_.skip(header.total());
      return std::nullopt;
    }
    if (unnamed_portal && named != statements_.end()) {
      unsynced_ = true;
      deallocates_.clear();
      deallocate(named, Reply::deallocate_portal);
      return pass(header, run);
    }
  }
  unsynced_ = true;
  doubtful_ = doubtful_ || named_ends_ || unnamed_ends_;
  return pass(header, run, Reply::execute);
}

/// As the database server says it.
std::string PostgresConversation::missing_error(std::string_view name) {
  const std::string message = "prepared statement \"" + std::string(name) + "\" does not exist";
  ErrorResponse error;
  error.severity = "ERROR";
  error.sqlstate = "26000";
  error.message = message;
  error.routine = "FetchPreparedStatement";
  Writer out;
  error.serialize(out);
  return std::string(text_of(out.view()));
}

/// `statement` is the DEALLOCATE of another one.
PostgresConversation::Step PostgresConversation::bind_nothing(const Header& header,
                                                              const BindHead& head,
                                                              const Statement& statement) {
  deallocates_ = deallocated_by(statement.effects, statement.body())->first;
  const std::string body = std::string(kNothing) + std::string(3, '\0');
  const StatementRef nothing = catalog_->statements.named(bytes_of(body), kNothing, {}, Reading());
  if (!backend_->statements.has(*nothing)) inject(nothing);
  unsynced_ = true;
  bound_ = nullptr;
  ++backend_->tally.binds;
  note_bound(head.portal, kNothing);
  rewrite_bind(header, head, nothing->backend_name);
  queue_.push(Reply::bind);
  return std::nullopt;
}

/// As the backend would have said it, had it known the statement by that name.
PostgresConversation::Step PostgresConversation::on_deallocated(const Header& header,
                                                                const Run& run, bool last) {
  if (run.size != 0) return std::nullopt;
  if (last) queue_.pop();
  to_client_.skip(header.total());
  const Framed frame(to_client_.out(), 'C');
  to_client_.out().cstr("DEALLOCATE");
  return std::nullopt;
}

}  // namespace weirpool::protocol::postgres
