// The forms of statements that weirpool answers or follows: any text at all.
// Input: u8 flags, then SQL.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "protocol/mysql/diagnostics.hpp"
#include "protocol/mysql/holdings.hpp"
#include "protocol/mysql/kill.hpp"
#include "protocol/mysql/plain_query.hpp"
#include "protocol/mysql/routines.hpp"

using namespace weirpool::protocol::mysql;  // NOLINT: fuzzers only

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view sql(reinterpret_cast<const char*>(data + 1), size - 1);
  SessionText text;
  text.begin({.backslash_escapes = (data[0] & 1) == 0, .ansi_quotes = (data[0] & 2) != 0});
  text.feed(weirpool::protocol::bytes_of(sql));
  text.finish();
  Holdings holdings;
  if (const auto deed = deed_of(sql, text)) {
    // What is replayed must be one statement: no literal may reach beyond itself.
    for (const Variable& variable : deed->variables) {
      SessionText inside;
      inside.begin({.backslash_escapes = (data[0] & 1) == 0});
      inside.feed(weirpool::protocol::bytes_of("set @x=" + variable.value));
      inside.finish();
      if (inside.multiple()) std::abort();
    }
    if (holdings.accounts_for(*deed) != 0) holdings.done(*deed, "shop");
    static_cast<void>(holdings.count_locks_sql());
  }
  static_cast<void>(parse_kill(sql, 7));
  static_cast<void>(parse_diagnostics_query(sql));
  static_cast<void>(reads_own_past(sql));
  // The question is one statement with two names in quotes, whatever has been called.
  if (const Routine routine = called_routine(sql, "shop"); !routine.name.empty()) {
    const std::string asked = routine.definition_sql();
    SessionText question;
    question.begin({});
    question.feed(weirpool::protocol::bytes_of(asked));
    question.finish();
    const auto quotes = std::count(asked.begin(), asked.end(), '`');
    if (question.multiple() || quotes != 4 || !asked.ends_with('`')) std::abort();
  }
  // What is silent about less proves no more.
  if (leaves_nothing(sql, true) && !leaves_nothing(sql, false)) std::abort();
  if (const auto query = parse_plain_query(sql)) {
    weirpool::protocol::Writer out;
    PlainResult{*query, 1, 2, data[0], (data[0] & 8) != 0, (data[0] & 16) != 0}.serialize(out, 1);
  }
  return 0;
}
