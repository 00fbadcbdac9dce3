// What the words of a text do to the session. TextScan (session_text.hpp) cuts a text into words,
// symbols and literals; this class knows what they mean. No grammar: the words in front of and
// around each statement decide. When in doubt it pins, since a pin costs a backend and a missed one
// would show one client's state to another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weirpool::protocol::postgres {

/// Kinds of session state and other effects; bits.
using Effects = std::uint32_t;

// Kinds that keep a client at its backend.
inline constexpr Effects kPinSet = 1;  ///< a parameter changed whose name the text does not tell
inline constexpr Effects kPinListen = 1U << 1;          ///< LISTEN
inline constexpr Effects kPinPrepare = 1U << 2;         ///< PREPARE as SQL
inline constexpr Effects kPinWithHold = 1U << 3;        ///< DECLARE ... WITH HOLD
inline constexpr Effects kPinTemporary = 1U << 4;       ///< temporary objects of all sorts
inline constexpr Effects kPinLoad = 1U << 5;            ///< LOAD and what only the end undoes
inline constexpr Effects kPinSetConfig = 1U << 6;       ///< set_config() of a name not spelled out
inline constexpr Effects kPinAdvisoryLock = 1U << 7;    ///< session level advisory locks
inline constexpr Effects kPinSequence = 1U << 8;        ///< currval() or lastval()
inline constexpr Effects kPinSeed = 1U << 9;            ///< setseed(): what random() will say
inline constexpr Effects kPinLongStatement = 1U << 10;  ///< one that only the backend keeps
inline constexpr Effects kPins = (1U << 11) - 1;
// Not pins.
inline constexpr Effects kResetAll = 1U << 11;   ///< RESET ALL
inline constexpr Effects kEndsState = 1U << 18;  ///< may end a state that pins: worth a look
inline constexpr Effects kRoles = 1U << 14;  ///< role or session authorization are among settings
inline constexpr Effects kSettings = 1U << 12;    ///< other parameters are among settings
inline constexpr Effects kLocal = 1U << 13;       ///< parameters change until the transaction ends
inline constexpr Effects kUnknown = 1U << 15;     ///< a text put together while it runs
inline constexpr Effects kForgets = 1U << 16;     ///< DISCARD, DEALLOCATE, RESET ALL: what is sent
                                                  ///< behind them meets another session
inline constexpr Effects kOnePrepare = 1U << 17;  ///< the text is one PREPARE and nothing else

/// Stable label of the first reason in `effects`; empty: none.
std::string_view pin_label(Effects effects);

/// A parameter whose value in the session may be another one afterwards.
struct Setting {
  std::string name;    ///< in lower case
  bool reset = false;  ///< if so, then its default

  bool operator==(const Setting&) const = default;
};

struct TextEffects {
  Effects bits = 0;
  std::vector<Setting> settings;

  bool operator==(const TextEffects&) const = default;
};

/// Of a FunctionCall. `oid`: of a function of the server's own; those never change.
Effects effects_of_function(std::uint32_t oid);

/// The most parameters one text may change and still be followed.
inline constexpr std::size_t kMaxSettingsPerText = 16;

/// Fed in the order of the text.
class SessionWords {
 public:
  /// In lower case unless quoted. Empty: longer than any word that matters.
  void word(std::string_view word, bool quoted);
  /// Anything else that is no blank; of a quote its first character, '$' also for parameters.
  void symbol(char c);
  void end_statement();
  /// U&"...", in which any name may be spelled.
  void unreadable() { found_.bits |= kPinLoad; }
  /// A character inside '...'; only asked for while captures().
  void literal(char c) { literal_ += c; }
  bool captures() const {
    return stage_ == Stage::path || (depth_ == 1 && (stage_ == Stage::config_name || path_));
  }
  /// The same, of '...' with backslashes, which remain what they are.
  bool captures_escapes() const { return stage_ == Stage::path || path_; }
  /// The body of a DO is a text of its own: neither quotes nor comments hide anything in it.
  bool raw() const { return raw_; }
  /// No further words come. What remains open counts as done.
  TextEffects take();

 private:
  /// What the words so far have made of the current statement.
  enum class Stage : std::uint8_t {
    start,
    set,            // SET [SESSION]
    authorization,  // RESET SESSION
    name,           // SET x, SET x.y
    value,          // SET x =
    zone,           // SET TIME
    reset,
    reset_name,
    prepare,
    declare,
    local,  // SET LOCAL
    path,   // SET search_path =
    other,
    config_open,  // set_config
    config_name,  // set_config(
    config_rest,  // set_config('x',
  };
  enum class Before : std::uint8_t { other, with, create };
  enum class Remark : std::uint8_t { none, line, block };

  void first_word(std::string_view word);
  void set_word(std::string_view word, bool quoted);
  void reset_word(std::string_view word, bool quoted);
  void anywhere(std::string_view word);
  void raw_comment(char c);
  void set_config();
  void named(std::string_view word);
  void after_name(char c);
  void config_symbol(char c);
  void end_config();
  void found(std::string_view name, bool reset);
  void begin_value();
  void end_path();

  TextEffects found_;
  std::string name_;
  std::string literal_;
  std::uint32_t depth_ = 0;  ///< of parentheses inside set_config
  std::uint8_t argument_ = 0;
  Stage stage_ = Stage::start;
  Before before_ = Before::other;
  Remark remark_ = Remark::none;  ///< in a raw text, begun where a statement may begin
  char last_ = '\0';              ///< symbol of a raw text
  bool raw_ = false;
  bool dot_ = false;       ///< the next word belongs to name_
  bool plain_ = false;     ///< set_config: its first argument is nothing but one literal
  bool local_ = false;     ///< set_config: its third argument is nothing but the word true
  bool path_ = false;      ///< set_config: what is next is a search_path
  bool updates_ = false;   ///< the statement has the word UPDATE
  bool prepares_ = false;  ///< the statement is a PREPARE
  bool frees_ = false;     ///< or a DEALLOCATE
  bool several_ = false;   ///< statements have been begun behind the first
  bool begun_ = false;     ///< and that one
  Effects earlier_ = 0;    ///< of the statements before the PREPARE
};

}  // namespace weirpool::protocol::postgres
