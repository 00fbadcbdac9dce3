// Looks for statements whose effect outlives their transaction and cannot be replayed on another
// backend. One pass over the text, no allocation, no grammar: what is quoted or commented is
// skipped, the words in front of and around each statement decide. When in doubt it pins, since a
// pin costs a backend and a missed one would show one client's state to another.
//
// DISCARD is not looked for: its CommandComplete tag says exactly what happened.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weirpool::protocol::postgres {

/// A set of reasons to keep a backend, and of other effects; bits.
using Effects = std::uint16_t;

inline constexpr Effects kPinSet = 1;             ///< SET of a parameter backends do not report
inline constexpr Effects kPinListen = 2;          ///< LISTEN
inline constexpr Effects kPinPrepare = 4;         ///< PREPARE as SQL
inline constexpr Effects kPinWithHold = 8;        ///< DECLARE ... WITH HOLD
inline constexpr Effects kPinTemporary = 16;      ///< temporary tables, views, sequences
inline constexpr Effects kPinLoad = 32;           ///< LOAD
inline constexpr Effects kPinSetConfig = 64;      ///< set_config()
inline constexpr Effects kPinAdvisoryLock = 128;  ///< session level advisory locks
inline constexpr Effects kPinIdentity = 256;  ///< the backend reported another user or privilege
inline constexpr Effects kResetAll = 512;     ///< RESET ALL: not a pin
inline constexpr Effects kPins = 511;

/// Stable label of the first reason in `effects`; empty: none.
std::string_view pin_label(Effects effects);

/// Text may arrive in pieces, cut anywhere.
class TextScan {
 public:
  void feed(std::string_view piece);
  /// The text is complete: what it does.
  Effects finish();
  /// What has been seen so far.
  Effects effects() const { return effects_; }

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
  /// What the words so far have made of the current statement.
  enum class Stage : std::uint8_t { start, set, reset, prepare, declare, other };
  enum class Before : std::uint8_t { other, with, create };

  void code(char c);
  void dollar(char c);
  void block_comment(char c);
  void end_word();
  void first_word(std::string_view word);
  void anywhere(std::string_view word);
  void end_statement();
  void add_to_tag(char c);

  Effects effects_ = 0;
  Mode mode_ = Mode::code;
  Stage stage_ = Stage::start;
  Before before_ = Before::other;
  char last_ = 0;
  bool consumed_ = false;    ///< the current character is used up
  std::uint8_t length_ = 0;  ///< of word_; one more than its size: too long to matter
  std::uint32_t depth_ = 0;  ///< of nested comments
  std::uint64_t tag_ = 0;    ///< hash of the dollar quote's opening tag
  std::uint64_t candidate_ = 0;
  std::array<char, 32> word_{};
};

/// TextScan of a text that is all there.
Effects effects_of(std::string_view text);

}  // namespace weirpool::protocol::postgres
