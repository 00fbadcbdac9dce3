// The words of one short statement, for the few forms weirpool answers or follows itself. What a
// character set or sql_mode could make mean something else is no word: whoever reads on fails, and
// the statement is taken as one that is not understood.
#pragma once

#include <string_view>

namespace weirpool::protocol::mysql {

class Words {
 public:
  /// Views into `sql`.
  explicit Words(std::string_view sql) : rest_(sql) { advance(); }

  /// The word at the front: letters, digits, _ and $; a number with its dot; a quoted text with its
  /// quotes; @ or @@ with the name behind it; := ; or one character of anything else. Empty: none.
  std::string_view peek() const { return word_; }
  std::string_view next();
  /// Takes the word at the front if it is this one, in whatever case. `lower`: in lower case.
  bool take(std::string_view lower);
  /// Nothing follows but perhaps a semicolon.
  bool at_end();
  /// From the first byte of the word at the front.
  std::string_view rest() const;

 private:
  void skip_space();
  void advance();
  std::size_t quoted_size(char quote) const;

  std::string_view rest_;  ///< from the word at the front
  std::string_view word_;
};

bool same_word(std::string_view word, std::string_view lower);

/// The name in an identifier, without its quotes; empty: not one, or one with quotes inside.
std::string_view name_of(std::string_view word);

}  // namespace weirpool::protocol::mysql
