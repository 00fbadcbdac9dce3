#include "protocol/postgres/session_glance.hpp"

#include <algorithm>

#include "protocol/glance.hpp"
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

/// A word that TextScan finds begins here too, or there is a dollar that ends the glance.
constexpr Glyphs kGlyphs = glyphs(";\"$", "_", Glyph::digit);

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
    default: return !behind.empty() && glyph_of(kGlyphs, behind.front()) == Glyph::digit;
  }
}

}  // namespace

bool nothing_at_a_glance(std::string_view text) {
  return concerns_rows(skip_space(text)) &&
         nothing_seen(text, kGlyphs, harmless_mark, means_nothing);
}

}  // namespace weirpool::protocol::postgres
