// The words that mean something to the session wherever they stand in a text. What they mean there
// is session_words.hpp; session_glance.hpp only looks whether there are any.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "protocol/word_shapes.hpp"

namespace weirpool::protocol::postgres {

/// What a word means wherever it stands.
enum class Means : std::uint8_t {
  nothing,
  set_config,
  locks,
  unlocks,
  lasts,  ///< neither DISCARD ALL nor anything else takes it back
  sequence,
  seed,
  update,
  settings,  ///< UPDATE of this view is SET in disguise
  temporary,
  with,
  create,  ///< a temporary object's kind may follow
  starts,  ///< begins a statement inside a body of PL/pgSQL
  executes,
};

inline constexpr std::array<std::pair<std::string_view, Means>, 37> kMeanings{{
    {"begin", Means::starts},
    {"create", Means::create},
    {"currval", Means::sequence},
    {"dblink_connect", Means::lasts},
    {"dblink_connect_u", Means::lasts},
    {"else", Means::starts},
    {"execute", Means::executes},
    {"global", Means::create},
    {"into", Means::create},
    {"lastval", Means::sequence},
    {"local", Means::create},
    {"loop", Means::starts},
    {"pg_advisory_lock", Means::locks},
    {"pg_advisory_lock_shared", Means::locks},
    {"pg_advisory_unlock", Means::unlocks},
    {"pg_advisory_unlock_all", Means::unlocks},
    {"pg_advisory_unlock_shared", Means::unlocks},
    {"pg_backup_start", Means::lasts},
    {"pg_copy_logical_replication_slot", Means::lasts},
    {"pg_copy_physical_replication_slot", Means::lasts},
    {"pg_create_logical_replication_slot", Means::lasts},
    {"pg_create_physical_replication_slot", Means::lasts},
    {"pg_replication_origin_session_reset", Means::lasts},
    {"pg_replication_origin_session_setup", Means::lasts},
    {"pg_settings", Means::settings},
    {"pg_start_backup", Means::lasts},
    {"pg_try_advisory_lock", Means::locks},
    {"pg_try_advisory_lock_shared", Means::locks},
    {"replace", Means::create},
    {"set_config", Means::set_config},
    {"set_limit", Means::lasts},
    {"setseed", Means::seed},
    {"temp", Means::temporary},
    {"temporary", Means::temporary},
    {"then", Means::starts},
    {"update", Means::update},
    {"with", Means::with},
}};

/// What begins like this names a temporary object.
inline constexpr std::string_view kTemporaryPrefix = "pg_temp";

inline constexpr WordShapes kMeaningShapes = [] {
  WordShapes shapes;
  for (const auto& [word, means] : kMeanings) shapes.add(word);
  return shapes;
}();

/// `word` in lower case.
constexpr Means meaning_of(std::string_view word) {
  if (word.empty() || !kMeaningShapes.maybe(word[0], word.size())) return Means::nothing;
  for (const auto& [known, means] : kMeanings) {
    if (known == word) return means;
  }
  return Means::nothing;
}

}  // namespace weirpool::protocol::postgres
