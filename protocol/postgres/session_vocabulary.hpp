// The words that mean something to the session wherever they stand in a text. What they mean there
// is session_words.hpp; session_glance.hpp only looks whether there are any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weirpool::protocol::postgres {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

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

/// Words of a set by their first letter and their length: most words of a text are none of them,
/// and this says so at once.
class WordShapes {
 public:
  constexpr void add(std::string_view word) { at(word[0]) |= length_bit(word.size()); }
  /// `first` in either case.
  constexpr bool maybe(char first, std::size_t length) const {
    return (lengths_[index(first)] & length_bit(length)) != 0;
  }

 private:
  static constexpr std::size_t kLetters = 26;
  static constexpr std::size_t index(char first) {
    const auto letter = static_cast<std::size_t>((first | 0x20) - 'a');
    return letter < kLetters ? letter : kLetters;
  }
  static constexpr std::uint64_t length_bit(std::size_t length) {
    return length < 64 ? std::uint64_t{1} << length : 0;
  }
  constexpr std::uint64_t& at(char first) { return lengths_[index(first)]; }

  std::array<std::uint64_t, kLetters + 1> lengths_{};
};

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
