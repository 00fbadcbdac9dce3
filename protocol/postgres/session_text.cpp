#include "protocol/postgres/session_text.hpp"

#include <algorithm>
#include <utility>

#include "protocol/postgres/session_glance.hpp"
#include "protocol/postgres/session_vocabulary.hpp"

namespace weirpool::protocol::postgres {
namespace {

constexpr std::uint64_t kHashSeed = 14695981039346656037ULL;
constexpr std::uint64_t kHashPrime = 1099511628211ULL;

bool digit(char c) { return c >= '0' && c <= '9'; }

/// What a byte may be in a word. Bytes beyond ASCII belong to identifiers, as in the database
/// server's lexer.
enum class InWord : std::uint8_t { never, behind, first };

constexpr std::array<InWord, 256> kInWord = [] {
  std::array<InWord, 256> in_word{};
  for (std::size_t c = 0; c < in_word.size(); ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    const bool other = (c >= '0' && c <= '9') || c == '$';
    in_word[c] = letter ? InWord::first : other ? InWord::behind : InWord::never;
  }
  return in_word;
}();

bool word_start(char c) { return kInWord[static_cast<unsigned char>(c)] == InWord::first; }

bool word_part(char c) { return kInWord[static_cast<unsigned char>(c)] != InWord::never; }

}  // namespace

void TextScan::feed(std::string_view piece) {
  if (trails_.none()) return feed_characters(piece);
  for (; !piece.empty(); piece.remove_prefix(1)) {
    if (trails_.inside()) {
      trail(piece.front());
    } else {
      feed_characters(piece.substr(0, 1));
    }
    trails_.pass(piece.front());
  }
}

/// A byte inside a character is part of what that stands in, whatever it looks like.
void TextScan::trail(char c) {
  switch (mode_) {
    case Mode::word:
    case Mode::identifier: add_to_word(c); break;
    case Mode::string: words_.literal(c); break;
    case Mode::dollar_tag:
    case Mode::dollar_end: add_to_tag(c); break;
    default: break;
  }
}

/// First bytes of characters.
void TextScan::feed_characters(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t passed = uneventful(piece);
    if (passed != 0) {
      last_ = piece[passed - 1];
      piece.remove_prefix(passed);
      continue;
    }
    const char c = piece.front();
    step(c);
    // A character that ended a comment or quote is never half of the next one's beginning.
    last_ = std::exchange(consumed_, false) ? '\0' : c;
    piece.remove_prefix(1);
  }
}

/// How many characters at the front only go on with what they stand in.
std::size_t TextScan::uneventful(std::string_view piece) {
  std::size_t end = 0;
  switch (mode_) {
    case Mode::word: return part_of_word(piece);
    case Mode::string: end = words_.captures() ? 0 : piece.find('\''); break;
    case Mode::escape_string:
      end = words_.captures_escapes() ? 0 : piece.find_first_of("\\'");
      break;
    case Mode::line_comment: end = piece.find_first_of("\n\r"); break;
    default: break;
  }
  return std::min(end, piece.size());
}

std::size_t TextScan::part_of_word(std::string_view piece) {
  const bool dollars = !words_.raw();
  std::size_t end = 0;
  while (end < piece.size() && word_part(piece[end]) && (piece[end] != '$' || dollars)) {
    add_to_word(lower(piece[end]));
    ++end;
  }
  return end;
}

void TextScan::step(char c) {
  switch (mode_) {
    case Mode::word:
      end_word();
      code(c);
      break;
    case Mode::code: code(c); break;
    case Mode::string:
      if (c == '\'') {
        mode_ = Mode::code;
      } else {
        words_.literal(c);
      }
      break;
    case Mode::escape_string:
      if (c == '\\') mode_ = Mode::escaped;
      if (c != '\'' && words_.captures_escapes()) words_.literal(c);
      if (c == '\'') {
        mode_ = Mode::code;
        behind_ = Behind::escape_string;
      }
      break;
    case Mode::escaped: mode_ = Mode::escape_string; break;
    case Mode::identifier:
      if (c == '"') {
        end_word();
      } else {
        add_to_word(c);
      }
      break;
    case Mode::line_comment: mode_ = Mode::code; break;
    case Mode::block_comment: block_comment(c); break;
    case Mode::dollar_tag:
    case Mode::dollar_body:
    case Mode::dollar_end: dollar(c); break;
  }
}

TextEffects TextScan::finish() {
  if (mode_ == Mode::word || mode_ == Mode::identifier) end_word();
  return words_.take();
}

void TextScan::open_string(bool continues) {
  // E'...' knows backslashes; the prefix touches its quote.
  const bool prefixed = length_ == 1 && word_[0] == 'e' && lower(last_) == 'e';
  mode_ =
      prefixed || continues || strings_ == Strings::escapes ? Mode::escape_string : Mode::string;
}

TextScan::Behind TextScan::behind(Behind before, char c) {
  if (before == Behind::escape_string && (c == ' ' || (c >= '\t' && c <= '\r'))) return before;
  if (c != '-' || before == Behind::other) return Behind::other;
  // The second dash begins a comment, behind which it is as it was in front.
  return before == Behind::dash ? Behind::escape_string : Behind::dash;
}

void TextScan::code(char c) {
  const Behind before = behind_;
  behind_ = behind(before, c);
  if (word_start(c)) {
    mode_ = Mode::word;
    word_[0] = lower(c);
    length_ = 1;
    return;
  }
  if (c == ';') return words_.end_statement();
  if (c == '"' && last_ == '&' && length_ == 1 && word_[0] == 'u') words_.unreadable();
  if (c == '"' && !words_.raw()) {
    mode_ = Mode::identifier;
    length_ = 0;
    return;
  }
  words_.symbol(c);
  if (words_.raw()) return;
  switch (c) {
    case '\'': open_string(before == Behind::escape_string); break;
    case '-':
      if (last_ == '-') mode_ = Mode::line_comment;
      break;
    case '*':
      if (last_ == '/') {
        mode_ = Mode::block_comment;
        depth_ = 1;
        consumed_ = true;
      }
      break;
    case '$':
      mode_ = Mode::dollar_tag;
      candidate_ = kHashSeed;
      break;
    default: break;
  }
}

void TextScan::block_comment(char c) {
  if (c == '*' && last_ == '/') {
    ++depth_;
    consumed_ = true;
  } else if (c == '/' && last_ == '*') {
    consumed_ = true;
    if (--depth_ == 0) mode_ = Mode::code;
  }
}

void TextScan::add_to_tag(char c) {
  candidate_ = (candidate_ ^ static_cast<unsigned char>(c)) * kHashPrime;
}

void TextScan::dollar(char c) {
  const bool end = mode_ == Mode::dollar_end;
  if (mode_ == Mode::dollar_body) {
    if (c != '$') return;
    mode_ = Mode::dollar_end;
    candidate_ = kHashSeed;
  } else if (c == '$') {
    if (!end) {
      tag_ = candidate_;
      mode_ = Mode::dollar_body;
    } else if (candidate_ == tag_) {
      mode_ = Mode::code;
      consumed_ = true;
    } else {
      candidate_ = kHashSeed;  // This dollar may open the real end.
    }
  } else if (word_start(c) || (digit(c) && candidate_ != kHashSeed)) {
    add_to_tag(c);
  } else if (end) {
    mode_ = Mode::dollar_body;
  } else {
    mode_ = Mode::code;  // A parameter ($1), or no quote at all.
    code(c);
  }
}

void TextScan::add_to_word(char c) {
  if (length_ < word_.size()) word_[length_] = c;
  if (length_ <= word_.size()) ++length_;
}

void TextScan::end_word() {
  const bool quoted = mode_ == Mode::identifier;
  mode_ = Mode::code;
  words_.word({word_.data(), length_ <= word_.size() ? length_ : std::size_t{0}}, quoted);
  if (quoted) length_ = 0;
}

TextEffects effects_of(std::string_view text, Reading reading) {
  if (Trails(reading.encoding).none() && nothing_at_a_glance(text)) return {};
  TextScan scan(reading);
  scan.feed(text);
  return scan.finish();
}

}  // namespace weirpool::protocol::postgres
