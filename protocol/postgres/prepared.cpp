#include "protocol/postgres/prepared.hpp"

namespace weirpool::protocol::postgres {

StatementRef StatementCatalog::named(Bytes body, std::string_view text) {
  return statements_->intern(text_of(body), [&] {
    std::string name(kStatementPrefix);
    name += std::to_string(next_.fetch_add(1, std::memory_order_relaxed));
    return Statement{std::string(text_of(body)), std::move(name), effects_of(text)};
  });
}

StatementRef unnamed_statement(Bytes body, std::string_view text) {
  return std::make_shared<const Statement>(
      Statement{std::string(text_of(body)), {}, effects_of(text)});
}

std::string foreign_name(std::string_view name) {
  std::string safe(name);
  // The names weirpool gives end in a digit, so this one is never among them.
  if (name.starts_with(kStatementPrefix)) safe += '_';
  return safe;
}

bool BackendStatements::has(const Statement& statement) {
  const auto found = index_.find(&statement);
  if (found == index_.end()) return false;
  order_.splice(order_.end(), order_, found->second);
  return true;
}

std::optional<StatementRef> BackendStatements::evict_for_one_more() {
  if (order_.size() < limit_) return std::nullopt;
  StatementRef oldest = std::move(order_.front());
  order_.pop_front();
  index_.erase(oldest.get());
  return oldest;
}

void BackendStatements::add(StatementRef statement) {
  if (has(*statement)) return;
  const Statement* key = statement.get();
  order_.push_back(std::move(statement));
  index_.emplace(key, std::prev(order_.end()));
}

void BackendStatements::erase(const Statement& statement) {
  const auto found = index_.find(&statement);
  if (found == index_.end()) return;
  order_.erase(found->second);
  index_.erase(found);
}

void BackendStatements::clear() {
  index_.clear();
  order_.clear();
}

}  // namespace weirpool::protocol::postgres
