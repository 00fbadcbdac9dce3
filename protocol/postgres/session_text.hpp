// Looks for statements whose effect outlives their transaction. One pass over the text, no grammar,
// no allocation unless something is found: here it is cut into words, and what is quoted or
// commented is skipped; what the words mean is session_words.hpp. When in doubt it pins.
//
// DISCARD ALL is not looked for: its CommandComplete tag says exactly what happened.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/postgres/reading.hpp"
#include "protocol/postgres/session_words.hpp"

namespace weirpool::protocol::postgres {

/// Text may arrive in pieces, cut anywhere.
class TextScan {
 public:
  explicit TextScan(Reading reading = {}) : strings_(reading.strings), trails_(reading.encoding) {}

  void feed(std::string_view piece);
  /// The text is complete: what it does.
  TextEffects finish();
  /// Is the text so far neither inside a quote nor a comment?
  bool in_code() const { return mode_ == Mode::code || mode_ == Mode::word; }

 private:
  enum class Mode : std::uint8_t {
    code,
    word,
    string,
    escape_string,
    escaped,
    identifier,
    line_comment,
    block_comment,
    dollar_tag,
    dollar_body,
    dollar_end,
  };

  /// What stands in front: E'...' goes on in a quote behind it, be it doubled or lines later.
  enum class Behind : std::uint8_t { other, escape_string, dash };

  void feed_characters(std::string_view piece);
  void trail(char c);
  std::size_t uneventful(std::string_view piece);
  std::size_t part_of_word(std::string_view piece);
  void step(char c);
  void code(char c);
  static Behind behind(Behind before, char c);
  void open_string(bool continues);
  void dollar(char c);
  void block_comment(char c);
  void end_word();
  void add_to_word(char c);
  void add_to_tag(char c);

  SessionWords words_;
  Strings strings_;
  Trails trails_;
  Mode mode_ = Mode::code;
  char last_ = 0;
  bool consumed_ = false;  ///< the current character is used up
  Behind behind_ = Behind::other;
  std::uint8_t length_ = 0;  ///< of word_; one more than its size: too long to matter
  std::uint32_t depth_ = 0;  ///< of nested comments
  std::uint64_t tag_ = 0;    ///< hash of the dollar quote's opening tag
  std::uint64_t candidate_ = 0;
  std::array<char, 63> word_;  ///< names longer than this are cut by the server
};

/// TextScan of a text that is all there.
TextEffects effects_of(std::string_view text, Reading reading = {});

}  // namespace weirpool::protocol::postgres
