#include "protocol/mysql/session_text.hpp"

#include <utility>

#include "protocol/mysql/session_vocabulary.hpp"

namespace weirpool::protocol::mysql {
namespace {

using Seen = SessionText::Seen;

constexpr bool is_word(std::uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || c >= 0x80;
}
constexpr bool is_space(std::uint8_t c) { return c <= ' '; }
constexpr bool is_control(std::uint8_t c) { return c <= ' ' || c == 0x7F; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// Functions, which may be called by a quoted name too.
constexpr bool is_function(Seen meaning) {
  return meaning == Seen::named_lock || meaning == Seen::service_lock ||
         meaning == Seen::release_lock || meaning == Seen::gives_back ||
         meaning == Seen::connection_id || meaning == Seen::last_insert_id ||
         meaning == Seen::diagnostics;
}

}  // namespace

void SessionText::begin(Mode mode) {
  *this = SessionText();
  mode_ = mode;
}

void SessionText::feed(Bytes text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t c = text[i];
    if (state_ == State::quote && c != quote_ && c != '\\') {
      if (names_) add_to_word(c);
      continue;
    }
    step(c);
  }
}

void SessionText::finish() {
  if (state_ == State::word) end_word();
  state_ = State::base;
}

void SessionText::step(std::uint8_t c) {
  switch (state_) {
    case State::base: base(c); break;
    case State::word:
      if (!is_word(c)) {
        end_word();
        state_ = State::base;
        base(c);
      } else {
        add_to_word(c);
      }
      break;
    case State::quote:
      if (c == quote_) {
        if (names_) end_name();
        state_ = State::base;
        behind_quote_ = true;
      } else if (c == '\\' && mode_.backslash_escapes && quote_ != '`' &&
                 !(quote_ == '"' && mode_.ansi_quotes)) {
        state_ = State::quote_escape;
      }
      break;
    case State::quote_escape: state_ = State::quote; break;
    case State::at: at_sign(c); break;
    default: comment(c); break;
  }
}

void SessionText::add_to_word(std::uint8_t c) {
  if (word_size_ < kLongestWord) {
    word_[word_size_++] = lower(static_cast<char>(c));
  } else {
    word_size_ = kLongestWord + 1;
  }
}

/// What stands inside /*! … */ may be a comment for this server. If it holds anything that reads
/// differently then, nobody knows any more where quotes and comments begin and end.
void SessionText::lose_track() { mode_.everything = mode_.everything || executable_; }

void SessionText::comment(std::uint8_t c) {
  const auto otherwise = [&](State next) {
    state_ = next;
    step(c);
  };
  switch (state_) {
    case State::slash:
      if (c == '*') lose_track();
      c == '*' && !mode_.everything ? void(state_ = State::block_open) : otherwise(State::base);
      break;
    case State::block_open:
      if (c == 'M') {
        state_ = State::block_m;
        break;
      }
      [[fallthrough]];
    case State::block_m:
      if (c == '!') {
        state_ = State::version;
        executable_ = true;
      } else {
        otherwise(State::block);
      }
      break;
    case State::version:
      if (c < '0' || c > '9') otherwise(State::base);
      break;
    case State::block:
      if (c == '*') state_ = State::block_star;
      break;
    case State::block_star:
      if (c != '*') state_ = c == '/' ? State::base : State::block;
      break;
    case State::star:
      executable_ = executable_ && c != '/';
      c == '/' ? void(state_ = State::base) : otherwise(State::base);
      break;
    case State::dash: c == '-' ? void(state_ = State::dash_dash) : otherwise(State::base); break;
    case State::dash_dash:
      if (c == '-') break;
      if (is_control(c)) lose_track();
      is_control(c) && !mode_.everything ? otherwise(State::line) : otherwise(State::base);
      break;
    case State::line:
      if (c == '\n') state_ = State::base;
      break;
    default: break;
  }
}

void SessionText::base(std::uint8_t c) {
  if (is_space(c)) {
    behind_quote_ = false;
    may_start_ = may_start_ || c == '\n' || c == '\r';
    return;
  }
  if (argument_step_ != 0) track_argument(c);
  if (c == '=' && behind_colon_) note(Seen::assignment);
  behind_colon_ = c == ':';
  if (c == '@' && behind_into_) note(Seen::assignment);
  // A comment may stand between.
  behind_into_ = behind_into_ && (c == '/' || c == '*' || c == '-' || c == '#');
  if (is_word(c)) {
    state_ = State::word;
    word_size_ = 0;
    step(c);
    return;
  }
  symbol(c);
}

void SessionText::symbol(std::uint8_t c) {
  switch (c) {
    case '\'':
    case '"':
    case '`':
      lose_track();
      if (mode_.everything) break;
      quote_ = c;
      state_ = State::quote;
      names_ = c == '`' || (c == '"' && mode_.ansi_quotes);
      word_size_ = 0;
      return;
    case '@':
      if (scope_ == Scope::set) scope_ = Scope::none;
      state_ = State::at;
      return;
    case '(':
      if (scope_ == Scope::settings) scope_ = Scope::opaque;
      break;
    case ';': at_start_ = true; break;
    case '/':
      may_start_ = true;
      if (!mode_.everything) state_ = State::slash;
      break;
    case '*':
      if (executable_) state_ = State::star;
      break;
    case '-':
      if (!mode_.everything) state_ = State::dash;
      break;
    case '#':
      lose_track();
      if (!mode_.everything) state_ = State::line;
      break;
    default: break;
  }
  behind_quote_ = false;
}

/// 'name'@'host' is an account; anything else behind one @ is a user variable, @@ a system
/// variable.
void SessionText::at_sign(std::uint8_t c) {
  state_ = State::base;
  if (c == '@') return;
  if (!behind_quote_) note(Seen::user_variable);
  base(c);
}

void SessionText::track_argument(std::uint8_t c) {
  if (argument_step_ == 1) {
    argument_step_ = c == '(' ? 2 : 0;
  } else {
    if (c != ')') note(Seen::last_insert_id_argument);
    argument_step_ = 0;
  }
}

/// True: this word ends SET STATEMENT … FOR, and another statement begins. Where nobody knows
/// whether it is the FOR that belongs to it, the SET goes on to count.
bool SessionText::track_scope(std::string_view word, bool first) {
  if (first && word == "set") {
    set_before_ = seen(Seen::set);
    scope_ = Scope::set;
    return false;
  }
  if (first || scope_ == Scope::set) {
    scope_ = !first && word == "statement" ? Scope::settings : Scope::none;
    return false;
  }
  if (scope_ == Scope::none || word != "for") return false;
  if (scope_ == Scope::settings && !mode_.everything) {
    if (!set_before_) take_back(Seen::set);
    if (first_ == First::set && !seen(Seen::second_statement)) first_ = First::none;
    note(Seen::for_itself);
    scope_ = Scope::none;
  }
  return true;
}

void SessionText::end_word() {
  behind_quote_ = false;
  const bool first = at_start_;
  at_start_ = false;
  const bool may_start = std::exchange(may_start_, false) || first;
  if (first && first_ != First::none) note(Seen::second_statement);
  if (first && first_ == First::none) first_ = First::other;
  if (first && (word_size_ != 3 || std::string_view(word_.data(), 3) != "set")) only_sets_ = false;
  if (word_size_ > kLongestWord) {
    if (scope_ == Scope::set) scope_ = Scope::none;
    return;
  }
  std::string_view word(word_.data(), word_size_);
  if (track_scope(word, first)) {
    at_start_ = true;
    behind_into_ = false;
    return;
  }
  // A number may touch what follows it; where everything counts it may be the version of a comment.
  const bool numbered = is_digit(word[0]);
  behind_into_ = numbered ? word.ends_with("into") : word == "into";
  if (numbered && !mode_.everything) return;
  while (!word.empty() && is_digit(word[0])) word.remove_prefix(1);
  if (word.empty() || word[0] < 'a' || word[0] > 'z') return;
  if (word.starts_with(kTrackPrefix)) note(Seen::session_track);
  if (!kKeywordShapes.maybe(word[0], word.size())) return;
  for (const Keyword& keyword : kKeywords) {
    if (keyword.word != word || (keyword.first_only && !first && !mode_.everything)) continue;
    // As a word of a string it is too common, and it is refused.
    if (keyword.meaning == Seen::kill && !may_start && !numbered) return;
    const bool begins_text = first && !seen(Seen::second_statement);
    if (begins_text && keyword.meaning == Seen::set) first_ = First::set;
    if (begins_text && keyword.meaning == Seen::use) first_ = First::use;
    if (begins_text && keyword.meaning == Seen::updates) first_ = First::update;
    note(keyword.meaning);
    if (keyword.meaning == Seen::last_insert_id) argument_step_ = 1;
    return;
  }
}

/// A name in quotes.
void SessionText::end_name() {
  if (word_size_ > kLongestWord) return;
  const std::string_view word(word_.data(), word_size_);
  for (const Keyword& keyword : kKeywords) {
    if (keyword.word != word || keyword.first_only || !is_function(keyword.meaning)) continue;
    note(keyword.meaning);
    if (keyword.meaning == Seen::last_insert_id) argument_step_ = 1;
  }
}

Pins SessionText::pins() const {
  Pins pins = 0;
  const auto pin_if = [&](bool found, Pin pin) {
    if (found) pins |= pin;
  };
  // Reading one needs nothing: those that are known travel with the client.
  const bool writes = seen(Seen::assignment) || seen(Seen::set) || seen(Seen::call) ||
                      seen(Seen::reads_into) || seen(Seen::load) || mode_.everything;
  pin_if(seen(Seen::user_variable) && writes, Pin::user_variable);
  pin_if(seen(Seen::named_lock), Pin::named_lock);
  pin_if(seen(Seen::service_lock), Pin::service_lock);
  pin_if(seen(Seen::create) && seen(Seen::temporary), Pin::temporary_table);
  pin_if(seen(Seen::lock) || (seen(Seen::flush) && seen(Seen::tables)), Pin::lock_tables);
  pin_if(seen(Seen::handler), Pin::handler);
  pin_if(seen(Seen::prepare) || seen(Seen::execute), Pin::sql_prepare);
  pin_if(seen(Seen::found_rows), Pin::found_rows);
  pin_if(seen(Seen::xa), Pin::xa);
  pin_if(seen(Seen::begin) && seen(Seen::atomic), Pin::routine);
  pin_if(seen(Seen::session_track) && seen(Seen::set), Pin::session_track);
  return pins;
}

}  // namespace weirpool::protocol::mysql
