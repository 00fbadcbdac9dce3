#include "protocol/postgres/session_glance.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "protocol/postgres/session_vocabulary.hpp"
#include "protocol/postgres/transaction_text.hpp"

namespace weirpool::protocol::postgres {
namespace {

/// Alone, in a single statement that only reads or changes rows.
constexpr bool leaves_something(Means means) {
  switch (means) {
    case Means::set_config:
    case Means::locks:
    case Means::unlocks:
    case Means::lasts:
    case Means::sequence:
    case Means::seed:
    case Means::settings:
    case Means::temporary: return true;
    case Means::nothing:
    case Means::update:
    case Means::with:
    case Means::create:
    case Means::starts:
    case Means::executes: break;
  }
  return false;
}

constexpr WordShapes kShapes = [] {
  WordShapes shapes;
  for (const auto& [word, means] : kMeanings) {
    if (leaves_something(means)) shapes.add(word);
  }
  return shapes;
}();

/// A word begins with a letter. One that TextScan finds does so here too, or there is a dollar that
/// ends the glance.
enum class Kind : std::uint8_t { mark, other, digit, letter };

constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (std::size_t c = 0; c < kinds.size(); ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    const bool mark = c == ';' || c == '"' || c == '$';
    kinds[c] = letter                 ? Kind::letter
               : c >= '0' && c <= '9' ? Kind::digit
               : mark                 ? Kind::mark
                                      : Kind::other;
  }
  return kinds;
}();

Kind kind_of(char c) { return kKinds[static_cast<unsigned char>(c)]; }

bool means_nothing(std::string_view word) {
  if (lower(word[0]) == kTemporaryPrefix[0] && begins_with(word, kTemporaryPrefix)) return false;
  if (!kShapes.maybe(word[0], word.size())) return true;
  return std::none_of(kMeanings.begin(), kMeanings.end(), [&](const auto& meaning) {
    return leaves_something(meaning.second) && same_word(word, meaning.first);
  });
}

/// Of text[at], which is no letter, digit or blank like any other.
bool harmless_mark(std::string_view text, std::size_t at) {
  const std::string_view behind = text.substr(at + 1);
  switch (text[at]) {
    // Another statement.
    case ';': return skip_space(behind).empty();
    // U&"...", in which any name may be spelled.
    case '"': return at == 0 || text[at - 1] != '&';
    // Other than of a parameter, it may quote.
    default: return !behind.empty() && kind_of(behind.front()) == Kind::digit;
  }
}

}  // namespace

bool nothing_at_a_glance(std::string_view text) {
  if (!concerns_rows(skip_space(text))) return false;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const char* const begin = at++;
    const Kind kind = kind_of(*begin);
    if (kind == Kind::mark && !harmless_mark(text, static_cast<std::size_t>(begin - text.data()))) {
      return false;
    }
    if (kind != Kind::letter) continue;
    while (at != end && kind_of(*at) >= Kind::digit) ++at;
    if (!means_nothing({begin, static_cast<std::size_t>(at - begin)})) return false;
  }
  return true;
}

}  // namespace weirpool::protocol::postgres
