#include "protocol/postgres/prepared.hpp"

#include <algorithm>

#include "protocol/postgres/parameters.hpp"
#include "protocol/postgres/transaction_text.hpp"

namespace weirpool::protocol::postgres {

namespace {

std::string joined(std::string_view body, std::string_view meaning) {
  std::string both;
  both.reserve(body.size() + meaning.size());
  both.append(body).append(meaning);
  return both;
}

std::string name_of(std::uint64_t number) {
  return std::string(kStatementPrefix) + std::to_string(number);
}

}  // namespace

StatementRef StatementCatalog::named(Bytes body, std::string_view text, std::string_view meaning,
                                     const Reading& reading) {
  const std::optional<std::string> blank = with_blank_front(text);
  const std::string_view bare =
      without_last_comment(blank ? std::string_view(*blank) : text, reading);
  std::string both = joined(bare, text_of(body).substr(text.size()));
  const std::size_t size = both.size();
  both.append(meaning);
  const std::string_view key = both;
  return statements_->intern(key, [&] {
    const std::uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
    return Statement{std::move(both), size, name_of(number), number, effects_of(bare, reading)};
  });
}

StatementRef StatementCatalog::renamed(const Statement& statement, std::string_view meaning) {
  std::string both = joined(statement.body(), meaning);
  const std::string_view key = both;
  return statements_->intern(key, [&] {
    const std::uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
    return Statement{std::move(both), statement.body_size, name_of(number), number,
                     statement.effects};
  });
}

StatementRef unnamed_statement(Bytes body, TextEffects effects, const Reading& reading) {
  return StatementRef(
      new Statement{std::string(text_of(body)), body.size(), {}, 0, std::move(effects), reading});
}

namespace {

/// The last character that is neither blank nor a semicolon; npos: there is none.
std::size_t last_code(std::string_view text) { return text.find_last_not_of(" \t\n\r\f\v;"); }

/// `text` up to a comment that begins at `begin`, if it does begin there and is not all there is.
std::string_view cut(std::string_view text, std::size_t begin, const Reading& reading) {
  TextScan scan(reading);
  scan.feed(text.substr(0, begin));
  if (!scan.in_code()) return text;
  const std::size_t kept = last_code(text.substr(0, begin));
  return kept == text.npos ? text : text.substr(0, kept + 1);
}

std::string_view without_last_line_comment(std::string_view text, const Reading& reading) {
  const std::size_t end = last_code(text);
  if (end == text.npos) return text;
  const std::size_t line = text.find_last_of("\n\r", end) + 1;  // npos is one less than 0.
  const std::size_t begin = text.substr(0, end + 1).find("--", line);
  return begin == text.npos ? text : cut(text, begin, reading);
}

}  // namespace

std::optional<std::string> with_blank_front(std::string_view text) {
  std::optional<std::string> blank;
  for (std::size_t at = 0;;) {
    at = std::min(text.find_first_not_of(" \t\n\r\f\v", at), text.size());
    const std::string_view comment = text.substr(at, comment_size(text.substr(at)));
    if (comment.empty()) break;
    if (comment.find('=') != comment.npos && ascii(comment)) {
      if (!blank) blank = text;
      blank->replace(at, comment.size(), comment.size(), ' ');
    }
    at += comment.size();
  }
  const bool hints = blank && (text.find("/*+") != text.npos || text.find("/*!") != text.npos);
  return hints ? std::nullopt : blank;
}

std::string_view without_last_comment(std::string_view all, const Reading& reading) {
  const std::string_view text = without_last_line_comment(all, reading);
  const std::size_t end = last_code(text);
  if (end == text.npos || end < 3 || text[end] != '/' || text[end - 1] != '*') return text;
  const std::size_t begin = text.rfind("/*", end - 2);
  if (begin == text.npos || begin == 0 || text[begin + 2] == '+') return text;
  // The first end of a comment behind its beginning is the one found, and no other contains it.
  if (text.find("*/", begin + 2) != end - 1 || text[begin - 1] == '/') return text;
  return cut(text, begin, reading);
}

std::string foreign_name(std::string_view name) {
  std::string safe(name);
  // The names weirpool gives end in a digit, so this one is never among them.
  if (name.starts_with(kStatementPrefix)) safe += '_';
  return safe;
}

void ClientStatements::add(std::string_view name, StatementRef statement) {
  const std::size_t size = statement->body().size();
  if (emplace(name, ClientStatement{std::move(statement)}).second) bytes_ += size;
}

void ClientStatements::erase(const_iterator named) {
  bytes_ -= named->second.statement->body().size();
  map::erase(named);
}

void ClientStatements::clear() {
  map::clear();
  bytes_ = 0;
}

void Columns::outdate() {
  std::uint64_t now = now_.load();
  while (!now_.compare_exchange_weak(now, ((now >> 32) + 1) << 32)) continue;
}

std::uint32_t Columns::are(std::uint32_t digest) {
  std::uint64_t now = now_.load();
  for (;;) {
    const auto known = static_cast<std::uint32_t>(now);
    const std::uint64_t generation = (now >> 32) + (known != 0 && known != digest ? 1 : 0);
    if (now_.compare_exchange_weak(now, generation << 32 | digest)) {
      return static_cast<std::uint32_t>(generation);
    }
  }
}

std::uint32_t Columns::for_who_knows(std::uint32_t digest) {
  std::uint64_t now = now_.load();
  for (;;) {
    const auto known = static_cast<std::uint32_t>(now);
    const auto generation = static_cast<std::uint32_t>(now >> 32);
    if (known == digest) return generation;
    if (known != 0) return kOthers;
    if (now_.compare_exchange_weak(now, now | digest)) return generation;
  }
}

bool BackendStatements::has(const Statement& statement) {
  const auto found = index_.find(&statement);
  if (found == index_.end()) return false;
  order_.splice(order_.end(), order_, found->second);
  return found->second->generation == statement.columns.generation();
}

bool BackendStatements::outdated(const Statement& statement) const {
  const auto found = index_.find(&statement);
  return found != index_.end() && found->second->generation != statement.columns.generation();
}

StatementRef BackendStatements::find(std::uint64_t number) const {
  const auto found = std::find_if(order_.begin(), order_.end(), [number](const Known& known) {
    return known.statement->number == number;
  });
  return found == order_.end() ? nullptr : found->statement;
}

std::optional<BackendStatements::Known> BackendStatements::evict_for_one_more() {
  if (order_.size() < limit_) return std::nullopt;
  Known oldest = std::move(order_.front());
  order_.pop_front();
  index_.erase(oldest.statement.get());
  return oldest;
}

void BackendStatements::add(StatementRef statement) {
  const std::uint32_t now = statement->columns.generation();
  add(Known{std::move(statement), now});
}

void BackendStatements::add(Known known) {
  erase(*known.statement);
  const Statement* key = known.statement.get();
  order_.push_back(std::move(known));
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
