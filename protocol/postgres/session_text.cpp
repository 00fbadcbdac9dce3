#include "protocol/postgres/session_text.hpp"

#include <algorithm>
#include <utility>

namespace weirpool::protocol::postgres {
namespace {

constexpr std::uint64_t kHashSeed = 14695981039346656037ULL;
constexpr std::uint64_t kHashPrime = 1099511628211ULL;

bool digit(char c) { return c >= '0' && c <= '9'; }

/// Bytes beyond ASCII belong to identifiers, as in the database server's lexer.
bool word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool word_part(char c) { return word_start(c) || digit(c) || c == '$'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Parameters every supported server reports, so that their changes follow the client by
/// themselves. standard_conforming_strings is not among them: it changes how texts must be read.
bool tracked_parameter(std::string_view word) {
  static constexpr std::array<std::string_view, 7> kTracked{
      "application_name", "client_encoding", "datestyle", "intervalstyle", "names", "time",
      "timezone"};
  return std::find(kTracked.begin(), kTracked.end(), word) != kTracked.end();
}

bool ends_with_transaction(std::string_view word) {
  return word == "local" || word == "transaction" || word == "constraints";
}

}  // namespace

std::string_view pin_label(Effects effects) {
  static constexpr std::array<std::pair<Effects, std::string_view>, 9> kLabels{{
      {kPinTemporary, "temporary_object"},
      {kPinAdvisoryLock, "advisory_lock"},
      {kPinListen, "listen"},
      {kPinWithHold, "with_hold_cursor"},
      {kPinPrepare, "sql_prepare"},
      {kPinIdentity, "session_authorization"},
      {kPinSet, "set_parameter"},
      {kPinSetConfig, "set_config"},
      {kPinLoad, "load"},
  }};
  for (const auto& [bit, label] : kLabels) {
    if ((effects & bit) != 0) return label;
  }
  return {};
}

void TextScan::feed(std::string_view piece) {
  for (const char c : piece) {
    switch (mode_) {
      case Mode::word:
        if (word_part(c)) {
          if (length_ < word_.size()) word_[length_] = lower(c);
          if (length_ <= word_.size()) ++length_;
          break;
        }
        end_word();
        code(c);
        break;
      case Mode::code: code(c); break;
      case Mode::string:
        if (c == '\'') mode_ = Mode::code;
        break;
      case Mode::escape_string:
        if (c == '\\') mode_ = Mode::escaped;
        if (c == '\'') mode_ = Mode::code;
        break;
      case Mode::escaped: mode_ = Mode::escape_string; break;
      case Mode::identifier:
        if (c == '"') {
          end_word();
        } else {
          if (length_ < word_.size()) word_[length_] = c;
          if (length_ <= word_.size()) ++length_;
        }
        break;
      case Mode::line_comment:
        if (c == '\n' || c == '\r') mode_ = Mode::code;
        break;
      case Mode::block_comment: block_comment(c); break;
      case Mode::dollar_tag:
      case Mode::dollar_body:
      case Mode::dollar_end: dollar(c); break;
    }
    // A character that ended a comment or quote is never half of the next one's beginning.
    last_ = std::exchange(consumed_, false) ? '\0' : c;
  }
}

Effects TextScan::finish() {
  if (mode_ == Mode::word || mode_ == Mode::identifier) end_word();
  end_statement();
  return effects_;
}

void TextScan::code(char c) {
  if (word_start(c)) {
    mode_ = Mode::word;
    word_[0] = lower(c);
    length_ = 1;
    return;
  }
  switch (c) {
    case '\'': {
      // E'...' knows backslashes; the prefix touches its quote.
      const bool escapes = length_ == 1 && word_[0] == 'e' && lower(last_) == 'e';
      mode_ = escapes ? Mode::escape_string : Mode::string;
      break;
    }
    case '"':
      mode_ = Mode::identifier;
      length_ = 0;
      break;
    case ';': end_statement(); break;
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

void TextScan::end_word() {
  const bool quoted = mode_ == Mode::identifier;
  mode_ = Mode::code;
  const std::string_view word(word_.data(), length_ <= word_.size() ? length_ : 0);
  if (quoted) {
    length_ = 0;
    if (stage_ == Stage::start) stage_ = Stage::other;
  }
  switch (stage_) {
    case Stage::start: first_word(word); break;
    case Stage::set:
      if (word == "session" && before_ == Before::other) {
        before_ = Before::with;  // SET SESSION x: the next word decides.
        return;
      }
      if (!ends_with_transaction(word) && !tracked_parameter(word)) effects_ |= kPinSet;
      stage_ = Stage::other;
      break;
    case Stage::reset:
      if (word == "all") {
        effects_ |= kResetAll;
      } else if (!tracked_parameter(word)) {
        effects_ |= kPinSet;
      }
      stage_ = Stage::other;
      break;
    case Stage::prepare:
      if (word != "transaction") effects_ |= kPinPrepare;
      stage_ = Stage::other;
      break;
    case Stage::declare:
      if (before_ == Before::with && word == "hold") effects_ |= kPinWithHold;
      break;
    case Stage::other: break;
  }
  anywhere(word);
}

void TextScan::first_word(std::string_view word) {
  stage_ = Stage::other;
  if (word == "set") stage_ = Stage::set;
  if (word == "reset") stage_ = Stage::reset;
  if (word == "prepare") stage_ = Stage::prepare;
  if (word == "declare") stage_ = Stage::declare;
  if (word == "listen") effects_ |= kPinListen;
  if (word == "load") effects_ |= kPinLoad;
}

void TextScan::anywhere(std::string_view word) {
  if (word == "set_config") effects_ |= kPinSetConfig;
  if (word == "pg_advisory_lock" || word == "pg_advisory_lock_shared" ||
      word == "pg_try_advisory_lock" || word == "pg_try_advisory_lock_shared") {
    effects_ |= kPinAdvisoryLock;
  }
  const bool temporary = word == "temp" || word == "temporary";
  if (word == "pg_temp" || (temporary && before_ == Before::create)) effects_ |= kPinTemporary;
  before_ = Before::other;
  if (word == "with") before_ = Before::with;
  if (word == "create" || word == "global" || word == "local" || word == "replace" ||
      word == "into") {
    before_ = Before::create;
  }
}

void TextScan::end_statement() {
  stage_ = Stage::start;
  before_ = Before::other;
}

Effects effects_of(std::string_view text) {
  TextScan scan;
  scan.feed(text);
  return scan.finish();
}

}  // namespace weirpool::protocol::postgres
