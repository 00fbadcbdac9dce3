#include "protocol/postgres/sql_statements.hpp"

#include <algorithm>
#include <utility>

#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/query_messages.hpp"

namespace weirpool::protocol::postgres {
namespace {

std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += c;
    out += c;
  }
  return out + '"';
}

/// Neither names nor texts have a zero byte.
std::string set_key(std::string_view meaning, const std::vector<SqlStatement>& entries) {
  std::string key = std::to_string(meaning.size());
  key.append(1, ':').append(meaning);
  for (const SqlStatement& entry : entries) {
    key.append(entry.name).append(1, '\0').append(entry.text).append(1, '\0');
  }
  return key;
}

void put_in_order(std::vector<SqlStatement>& entries) {
  std::sort(entries.begin(), entries.end(),
            [](const SqlStatement& a, const SqlStatement& b) { return a.name < b.name; });
}

}  // namespace

SqlStatements::SqlStatements(std::string_view meaning, std::vector<SqlStatement> entries)
    : entries_(std::move(entries)), meaning_(meaning) {
  put_in_order(entries_);
  key_ = set_key(meaning_, entries_);
}

const SqlStatement* SqlStatements::find(std::string_view name) const {
  const auto at = std::find_if(entries_.begin(), entries_.end(),
                               [name](const SqlStatement& entry) { return entry.name == name; });
  return at == entries_.end() ? nullptr : &*at;
}

bool SqlStatements::has(const SqlStatement& statement) const {
  const SqlStatement* known = find(statement.name);
  return known != nullptr && known->text == statement.text;
}

SqlStatementsRef SqlStatementsCatalog::of(std::string_view meaning,
                                          std::vector<SqlStatement> entries) {
  if (entries.empty()) return nullptr;
  put_in_order(entries);
  const std::string key = set_key(meaning, entries);
  return sets_->intern(key, [&] { return SqlStatements(meaning, std::move(entries)); });
}

SqlStatementsRef SqlStatementsCatalog::with_meaning(const SqlStatementsRef& set,
                                                    std::string_view meaning) {
  return set == nullptr || set->meaning() == meaning ? set : of(meaning, set->entries());
}

SqlStatementsRef SqlStatementsCatalog::without(const SqlStatementsRef& set, std::string_view name) {
  if (set == nullptr || set->find(name) == nullptr) return set;
  std::vector<SqlStatement> entries = set->entries();
  std::erase_if(entries, [name](const SqlStatement& entry) { return entry.name == name; });
  return of(set->meaning(), std::move(entries));
}

void SqlErrand::serialize(Writer& out) const {
  std::string body = prepares ? statement.text : "DEALLOCATE " + quoted_name(statement.name);
  body.append(3, '\0');  // The end of the text, and no parameter types.
  ParseMessage::serialize({}, bytes_of(body), out);
  {
    const Framed bind(out, 'B');
    // Portal, statement, then no formats, no values, no formats of results.
    for (int zeros = 8; zeros > 0; --zeros) out.u8(0);
  }
  {
    const Framed execute(out, 'E');
    out.cstr("");
    out.be32(0);
  }
  write_bare('S', out);
}

std::vector<SqlErrand> difference(const SqlStatementsRef& has, const SqlStatementsRef& wanted) {
  std::vector<SqlErrand> errands;
  if (has == wanted) return errands;
  const bool comparable =
      has != nullptr && wanted != nullptr && has->meaning() == wanted->meaning();
  if (has != nullptr) {
    for (const SqlStatement& entry : has->entries()) {
      if (!comparable || !wanted->has(entry)) errands.push_back({false, entry});
    }
  }
  if (wanted != nullptr) {
    for (const SqlStatement& entry : wanted->entries()) {
      if (!comparable || !has->has(entry)) errands.push_back({true, entry});
    }
  }
  return errands;
}

}  // namespace weirpool::protocol::postgres
