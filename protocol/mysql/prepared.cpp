#include "protocol/mysql/prepared.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace weirpool::protocol::mysql {
namespace {

/// Variables that parsing and resolving look at, sorted. Sources: the manuals' notes on prepared
/// statements, and the items of the servers that read a variable when they are resolved.
constexpr std::array kPrepareVariables = std::to_array<std::string_view>(
    {"character_set_client", "character_set_collations", "character_set_connection",
     "character_set_results", "collation_connection", "default_collation_for_utf8mb4",
     "default_week_format", "div_precision_increment", "explicit_defaults_for_timestamp",
     "group_concat_max_len", "lc_time_names", "old_mode", "sql_auto_is_null", "sql_mode",
     "sql_select_limit", "time_zone"});

bool matters(std::string_view name) {
  return std::binary_search(kPrepareVariables.begin(), kPrepareVariables.end(), name);
}

std::string identity_of(const SessionState& settings) {
  // No name, value or schema can contain a zero byte.
  std::string identity = std::to_string(settings.collation);
  const auto add = [&](std::string_view text) { identity.append(1, '\0').append(text); };
  add(settings.schema);
  for (const Variable& variable : settings.variables) {
    add(variable.name);
    add(variable.value);
  }
  return identity;
}

}  // namespace

SessionState settings_of_prepare(const SessionState& state) {
  SessionState settings;
  settings.collation = state.collation;
  settings.schema = state.schema;
  for (const Variable& variable : state.variables) {
    if (matters(variable.name)) settings.variables.push_back(variable);
  }
  return settings;
}

SessionState with_context(const SessionState& now, const Context& context) {
  SessionState target = now;
  target.collation = context.settings.collation;
  if (!context.settings.schema.empty()) target.schema = context.settings.schema;
  std::erase_if(target.variables, [](const Variable& v) { return matters(v.name); });
  Variables& all = target.variables;
  all.insert(all.end(), context.settings.variables.begin(), context.settings.variables.end());
  std::sort(all.begin(), all.end(),
            [](const Variable& a, const Variable& b) { return a.name < b.name; });
  return target;
}

ContextRef Catalog::context(const SessionState& state, const ContextRef& hint) {
  SessionState settings = settings_of_prepare(state);
  if (hint && hint->settings.same_settings(settings)) return hint;
  std::string identity = identity_of(settings);
  return contexts_->intern(identity, [&] { return Context{std::move(settings), identity}; });
}

StatementRef Catalog::statement(const ContextRef& context, std::string_view text,
                                const SessionText& effects) {
  // The context lives as long as the statement, so its address is its name.
  const auto address = reinterpret_cast<std::uintptr_t>(context.get());
  std::string identity(text);
  identity.append(reinterpret_cast<const char*>(&address), sizeof address);
  // Where the context does not say how quotes are read, the server's default does, which changes.
  const SessionText::Mode& mode = effects.mode();
  for (const bool bit : {mode.backslash_escapes, mode.ansi_quotes, mode.everything}) {
    identity.push_back(bit ? '1' : '0');
  }
  return statements_->intern(identity, [&] {
    return Statement{context, identity, text.size(), effects};
  });
}

std::shared_ptr<StatementRoom> Catalog::room_of(const std::string& server) {
  const std::lock_guard lock(rooms_mutex_);
  std::shared_ptr<StatementRoom>& room = rooms_[server];
  if (!room) room = std::make_shared<StatementRoom>(limit_);
  return room;
}

// ---------------------------------------------------------------------------------- the client's

ClientStatement* ClientStatements::find(std::uint32_t id) {
  const auto found = statements_.find(id == kLastPrepared ? last_ : id);
  return found == statements_.end() ? nullptr : &found->second;
}

std::uint32_t ClientStatements::add(ClientStatement statement) {
  do {
    ++sequence_;
  } while (sequence_ == 0 || sequence_ == kLastPrepared || statements_.contains(sequence_));
  text_bytes_ += statement.statement->text_size;
  statements_.emplace(sequence_, std::move(statement));
  last_ = sequence_;
  return sequence_;
}

void ClientStatements::forget(Map::iterator at) {
  text_bytes_ -= at->second.statement->text_size;
  statements_.erase(at);
}

void ClientStatements::bind_holder(const Statement& statement, std::uint32_t id) {
  for (auto& [mine, one] : statements_) {
    if (one.statement.get() == &statement && one.held() && !one.bound()) one.backend_id = id;
  }
}

void ClientStatements::erase(std::uint32_t id) {
  const auto found = statements_.find(id == kLastPrepared ? last_ : id);
  if (found != statements_.end()) forget(found);
}

void ClientStatements::clear() {
  statements_.clear();
  text_bytes_ = 0;
  last_ = 0;
}

void ClientStatements::detached() {
  for (auto at = statements_.begin(); at != statements_.end();) {
    at->second.cursor = at->second.long_data = false;
    const auto next = std::next(at);
    if (at->second.bound()) forget(at);
    at = next;
  }
}

Pins ClientStatements::pins() const {
  Pins pins = 0;
  for (const auto& [id, one] : statements_) {
    if (one.bound()) pins |= Pin::prepared_statement;
    if (one.cursor) pins |= Pin::cursor;
    if (one.long_data) pins |= Pin::long_data;
  }
  return pins;
}

// --------------------------------------------------------------------------------- the backend's

BackendStatements::Entry* BackendStatements::find(const Statement& statement) {
  const auto found = index_.find(&statement);
  if (found == index_.end()) return nullptr;
  order_.splice(order_.end(), order_, found->second);
  return &*found->second;
}

BackendStatements::Entry& BackendStatements::add(Entry entry) {
  if (Entry* old = find(*entry.statement)) {
    closing_.push_back(old->id);
    *old = std::move(entry);
    return *old;
  }
  evict(limit_ - 1);
  const Statement* key = entry.statement.get();
  order_.push_back(std::move(entry));
  index_.emplace(key, std::prev(order_.end()));
  return order_.back();
}

void BackendStatements::evict(std::size_t room) {
  for (auto at = order_.begin(); at != order_.end() && order_.size() > room;) {
    const auto next = std::next(at);
    if (!at->busy) {
      closing_.push_back(at->id);
      index_.erase(at->statement.get());
      order_.erase(at);
    }
    at = next;
  }
}

void BackendStatements::drop(const Statement& statement) {
  const auto found = index_.find(&statement);
  if (found == index_.end()) return;
  closing_.push_back(found->second->id);
  order_.erase(found->second);
  index_.erase(found);
}

std::uint32_t BackendStatements::release(const Statement& statement) {
  const auto found = index_.find(&statement);
  const std::uint32_t id = found->second->id;
  order_.erase(found->second);
  index_.erase(found);
  return id;
}

void BackendStatements::keep_to_room() {
  if (!room_) return;
  seen_ = room_->most();
  limit_ = std::min<std::size_t>(limit_, seen_);
  evict(limit_);
}

bool BackendStatements::shrink() {
  if (room_) room_->lower(seen_);
  const std::size_t before = order_.size();
  evict(before / 2);
  if (order_.size() == before) return false;
  limit_ = std::max<std::size_t>(1, order_.size() + 1);
  return true;
}

void BackendStatements::clear() {
  index_.clear();
  order_.clear();
  closing_.clear();
}

}  // namespace weirpool::protocol::mysql
