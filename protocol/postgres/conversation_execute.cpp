// EXECUTE in SQL, as a simple Query, of a statement prepared by the protocol. On the backend it has
// another name, which is put into the text; a backend that lacks the statement gets it first, in a
// batch of its own, for a Query behind a Parse that fails would never be answered:
//
//   client                   weirpool                           backend
//   Query EXECUTE s(1) ->    Parse weirpool_7, Sync       ->
//                                                         <-    (swallowed) ReadyForQuery
//                            Query EXECUTE weirpool_7(1)  ->
#include <utility>

#include "protocol/postgres/conversation.hpp"
#include "protocol/postgres/sql_prepare.hpp"
#include "protocol/postgres/transaction_text.hpp"

namespace weirpool::protocol::postgres {

bool PostgresConversation::executes(std::string_view text) const {
  if (statements_.empty()) return false;
  const std::string_view words = skip_space(text);
  if (!words.starts_with('e') && !words.starts_with('E')) return false;
  const auto executed = executed_name(text.substr(0, text.find('\0')));
  return executed && statements_.contains(executed->name);
}

/// `effects`: those of the text itself.
PostgresConversation::Step PostgresConversation::execute_named(const Header& header,
                                                               std::string_view text,
                                                               TextEffects effects, Run& run) {
  // What stands before it goes first, and decides whether the backend takes anything.
  if (run.size != 0 || (!queue_.empty() && !unsynced_)) return Verdict::hold();
  const std::string_view words = text.substr(0, text.find('\0'));
  const NamedAt named = *executed_name(words);
  ClientStatement& mine = statements_.find(named.name)->second;
  if (const Step later = cleanse(mine.statement->effects, run)) return later;
  if (not_supplied_) {
    refuse_query(header, *std::exchange(not_supplied_, nullptr));
    return std::nullopt;
  }
  if (status_ != 'E' && !unsynced_ && !backend_has(mine)) {
    if (!served_) used_ = false;  // What the client wants is still to come.
    supply(mine.statement);
    return to_backend_.next();
  }
  const TextEffects& more = mine.statement->effects;
  effects.bits |= more.bits;
  effects.settings.insert(effects.settings.end(), more.settings.begin(), more.settings.end());
  queue_.push_about(Reply::query, mine.statement->number);
  note_ending(words, true);
  note_ending(mine.statement->body(), true);
  execute_effects(effects);
  std::string said(words.substr(0, named.at));
  said.append(mine.statement->backend_name).append(words.substr(named.at + named.size));
  replace_query(header, said);
  return std::nullopt;
}

void PostgresConversation::supply(StatementRef statement) {
  own_ = std::make_unique<Own>();
  own_->purpose = Purpose::supply;
  Writer& out = to_backend_.out();
  if (backend_->statements.outdated(*statement)) {
    backend_->statements.erase(*statement);
    NameMessage{'S', statement->backend_name}.serialize('C', out);
  }
  while (const auto victim = backend_->statements.evict_for_one_more()) {
    NameMessage{'S', victim->statement->backend_name}.serialize('C', out);
  }
  ++backend_->tally.server_parses;
  ParseMessage::serialize(statement->backend_name, bytes_of(statement->body()), out);
  write_bare('S', out);
  own_->supplied = std::move(statement);
}

void PostgresConversation::supplied(Own& own) {
  if (own.error.empty()) {
    backend_->statements.add(std::move(own.supplied));
  } else {
    not_supplied_ = std::make_unique<std::string>(std::move(own.error));
  }
}

}  // namespace weirpool::protocol::postgres
