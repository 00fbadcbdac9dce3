// The words of SQL that SessionText (session_text.hpp) looks for.
#pragma once

#include <array>
#include <string_view>

#include "protocol/mysql/session_text.hpp"
#include "protocol/word_shapes.hpp"

namespace weirpool::protocol::mysql {

struct Keyword {
  std::string_view word;
  SessionText::Seen meaning;
  bool first_only;  ///< counts as the first of a statement only
};

inline constexpr std::array kKeywords{
    Keyword{"set", SessionText::Seen::set, true},
    Keyword{"use", SessionText::Seen::use, true},
    Keyword{"kill", SessionText::Seen::kill, true},
    Keyword{"call", SessionText::Seen::call, true},
    Keyword{"show", SessionText::Seen::show, true},
    Keyword{"lock", SessionText::Seen::lock, true},
    Keyword{"backup", SessionText::Seen::lock, true},
    Keyword{"flush", SessionText::Seen::flush, true},
    Keyword{"handler", SessionText::Seen::handler, true},
    Keyword{"load", SessionText::Seen::load, true},
    Keyword{"prepare", SessionText::Seen::prepare, true},
    Keyword{"execute", SessionText::Seen::execute, true},
    Keyword{"xa", SessionText::Seen::xa, true},
    Keyword{"begin", SessionText::Seen::begin, true},
    Keyword{"get", SessionText::Seen::reads_into, true},
    Keyword{"unlock", SessionText::Seen::gives_back, true},
    Keyword{"deallocate", SessionText::Seen::gives_back, true},
    Keyword{"drop", SessionText::Seen::gives_back, true},
    Keyword{"insert", SessionText::Seen::inserts, true},
    Keyword{"replace", SessionText::Seen::inserts, true},
    Keyword{"update", SessionText::Seen::updates, true},
    Keyword{"commit", SessionText::Seen::ends, true},
    Keyword{"rollback", SessionText::Seen::ends, true},
    Keyword{"create", SessionText::Seen::create, false},
    Keyword{"temporary", SessionText::Seen::temporary, false},
    Keyword{"table", SessionText::Seen::tables, false},
    Keyword{"tables", SessionText::Seen::tables, false},
    Keyword{"get_lock", SessionText::Seen::named_lock, false},
    Keyword{"service_get_read_locks", SessionText::Seen::service_lock, false},
    Keyword{"service_get_write_locks", SessionText::Seen::service_lock, false},
    Keyword{"version_tokens_lock_shared", SessionText::Seen::service_lock, false},
    Keyword{"version_tokens_lock_exclusive", SessionText::Seen::service_lock, false},
    Keyword{"release_lock", SessionText::Seen::release_lock, false},
    Keyword{"release_all_locks", SessionText::Seen::gives_back, false},
    Keyword{"sql_calc_found_rows", SessionText::Seen::found_rows, false},
    Keyword{"connection_id", SessionText::Seen::connection_id, false},
    Keyword{"last_insert_id", SessionText::Seen::last_insert_id, false},
    Keyword{"identity", SessionText::Seen::last_insert_id, false},
    // Of MariaDB's INSERT; the reply then does not tell the id.
    Keyword{"returning", SessionText::Seen::last_insert_id, false},
    Keyword{"diagnostics", SessionText::Seen::diagnostics, false},
    Keyword{"row_count", SessionText::Seen::diagnostics, false},
    Keyword{"found_rows", SessionText::Seen::diagnostics, false},
    Keyword{"warning_count", SessionText::Seen::diagnostics, false},
    Keyword{"error_count", SessionText::Seen::diagnostics, false},
    Keyword{"warnings", SessionText::Seen::warnings, false},
    Keyword{"errors", SessionText::Seen::warnings, false},
    Keyword{"names", SessionText::Seen::names, false},
    Keyword{"collate", SessionText::Seen::collate, false},
    Keyword{"atomic", SessionText::Seen::atomic, false},
    Keyword{"local", SessionText::Seen::local, false},
    Keyword{"release", SessionText::Seen::release, false},
    Keyword{"role", SessionText::Seen::role, false},
};

inline constexpr std::string_view kTrackPrefix = "session_track_";

inline constexpr WordShapes kKeywordShapes = [] {
  WordShapes shapes;
  for (const Keyword& keyword : kKeywords) shapes.add(keyword.word);
  return shapes;
}();

}  // namespace weirpool::protocol::mysql
