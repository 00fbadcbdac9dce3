// Most texts read or change rows and hold no word that could mean anything to the session. This
// sees of most of them that it is so, at a small part of what a scan takes to be exact: quotes and
// comments are not told apart from the rest, so words in them count too.
#include <algorithm>

#include "protocol/glance.hpp"
#include "protocol/mysql/session_vocabulary.hpp"

namespace weirpool::protocol::mysql {
namespace {

using Seen = SessionText::Seen;

/// Alone, in a single statement that only reads or changes rows.
constexpr bool loud(const Keyword& keyword) {
  switch (keyword.meaning) {
    case Seen::tables:
    case Seen::warnings:
    case Seen::names:
    case Seen::collate:
    case Seen::atomic:
    case Seen::local:
    case Seen::release:
    case Seen::role: return false;
    default: return !keyword.first_only;
  }
}

constexpr WordShapes kLoudShapes = [] {
  WordShapes shapes;
  for (const Keyword& keyword : kKeywords) {
    if (loud(keyword)) shapes.add(keyword.word);
  }
  return shapes;
}();

constexpr Glyphs kGlyphs = glyphs(";@/", "_$", Glyph::letter);

bool quiet(std::string_view word) {
  if (lower(word[0]) == kTrackPrefix[0] && begins_with(word, kTrackPrefix)) return false;
  if (!kLoudShapes.maybe(word[0], word.size())) return true;
  return std::none_of(kKeywords.begin(), kKeywords.end(), [&](const Keyword& keyword) {
    return loud(keyword) && same_word(word, keyword.word);
  });
}

bool space(char c) { return static_cast<unsigned char>(c) <= ' '; }

/// A comment whose content may be SQL.
bool executable(std::string_view text) {
  return text.starts_with("/*!") || text.starts_with("/*M");
}

/// Of text[at]: neither another statement, nor a variable, nor a comment with SQL in it.
bool harmless_mark(std::string_view text, std::size_t at) {
  const std::string_view from = text.substr(at);
  if (from[0] == ';') return std::all_of(from.begin() + 1, from.end(), space);
  return from[0] == '/' && !executable(from);
}

/// `text` behind blanks and comments at its front.
std::string_view skip_front(std::string_view text) {
  for (;;) {
    while (!text.empty() && space(text.front())) text.remove_prefix(1);
    if (!text.starts_with("/*") || executable(text)) return text;
    const std::size_t end = text.find("*/", 2);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 2);
  }
}

std::string_view first_word(std::string_view text) {
  const auto end = std::find_if(text.begin(), text.end(),
                                [](char c) { return glyph_of(kGlyphs, c) != Glyph::letter; });
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

}  // namespace

bool SessionText::glance(Bytes text) {
  const std::string_view all = text_of(text);
  const std::string_view first = first_word(skip_front(all));
  const bool updates = same_word(first, "update");
  const bool inserts = same_word(first, "insert") || same_word(first, "replace");
  const bool concerns_rows = updates || inserts || same_word(first, "select") ||
                             same_word(first, "delete") || same_word(first, "with");
  if (!concerns_rows || mode_.everything) return false;
  if (!nothing_seen(all, kGlyphs, harmless_mark, quiet)) return false;
  first_ = updates ? First::update : First::other;
  if (updates) note(Seen::updates);
  if (inserts) note(Seen::inserts);
  at_start_ = false;
  only_sets_ = false;
  return true;
}

}  // namespace weirpool::protocol::mysql
