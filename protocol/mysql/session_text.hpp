// A scan of SQL text for the blind spots of the server's session tracker: words that take locks,
// make temporary tables, touch user variables. Not a parser: where it cannot be sure it sees too
// much, never too little. Works piece by piece and allocates nothing.
//
// Strings and comments are passed over; the content of /*! … */ and /*M! … */ is SQL.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/bytes.hpp"
#include "protocol/mysql/pins.hpp"

namespace weirpool::protocol::mysql {

class SessionText {
 public:
  struct Mode {
    bool backslash_escapes = true;  ///< not NO_BACKSLASH_ESCAPES
    bool ansi_quotes = false;       ///< "x" is an identifier
    /// The character set may hide quotes: every word counts, wherever it stands.
    bool everything = false;

    bool operator==(const Mode&) const = default;
  };

  void begin(Mode mode);
  /// What begin() has been told, or more.
  const Mode& mode() const { return mode_; }
  /// Behind begin(), instead of feed() and finish(), of a text that is all there: is it certain
  /// without a closer look what it is? If not, nothing has been done.
  bool glance(Bytes text);
  void feed(Bytes text);
  /// After the last piece.
  void finish();

  /// What the statement may leave behind in its session, beside what a CALL does.
  Pins pins() const;

  /// The first statement's first word.
  bool starts_with_set() const { return first_ == First::set; }
  bool starts_with_use() const { return first_ == First::use; }
  /// LOAD DATA LOCAL, LOAD XML LOCAL.
  bool loads_local() const { return seen(Seen::load) && seen(Seen::local); }
  bool kills() const { return seen(Seen::kill); }
  bool inserts() const { return seen(Seen::inserts); }
  /// One statement, an UPDATE.
  bool only_updates() const { return first_ == First::update && !multiple() && !uncertain(); }
  bool sets() const { return seen(Seen::set); }
  /// One statement, or each of them a SET.
  bool one_or_sets() const { return !multiple() || (only_sets_ && !uncertain()); }
  /// The same as sets_for_itself(), but what stands behind it may set more, or nobody knows.
  bool sets_around_more() const { return seen(Seen::for_itself) && !sets_for_itself(); }
  /// More than one statement.
  bool multiple() const { return seen(Seen::second_statement); }
  /// SET ROLE, and SET DEFAULT ROLE with it.
  bool may_take_role() const { return sets() && seen(Seen::role); }
  /// COMMIT or ROLLBACK, to a savepoint too.
  bool ends_transaction() const { return seen(Seen::ends); }
  /// ... and perhaps RELEASE: the server then leaves behind its answer.
  bool says_release() const { return seen(Seen::release); }
  /// MariaDB's SET STATEMENT … FOR, in front of a statement that neither sets nor calls: the server
  /// takes back what it sets, and everything else here is said of the statement behind it.
  bool sets_for_itself() const {
    return seen(Seen::for_itself) && !sets() && !calls() && !multiple() && !uncertain();
  }
  /// Runs code that is not in the text: after an error nothing is known.
  bool calls() const { return seen(Seen::call) || seen(Seen::execute); }
  bool calls_procedure() const { return seen(Seen::call); }
  /// A word may be part of a character: what is found is more than what is there.
  bool uncertain() const { return mode_.everything; }
  /// May take something, or give something back, that deed_of() understands.
  bool worth_following() const { return pins() != 0 || seen(Seen::gives_back) || sets(); }
  bool takes_lock() const { return seen(Seen::named_lock); }
  bool releases_lock() const { return seen(Seen::release_lock); }
  bool reads_connection_id() const { return seen(Seen::connection_id); }
  bool reads_last_insert_id() const { return seen(Seen::last_insert_id); }
  bool sets_last_insert_id() const { return seen(Seen::last_insert_id_argument); }
  bool reads_diagnostics() const {
    return seen(Seen::diagnostics) || (seen(Seen::show) && seen(Seen::warnings));
  }
  /// SET NAMES … COLLATE …: the tracker does not report the collation.
  bool hides_collation() const {
    return seen(Seen::set) && seen(Seen::names) && seen(Seen::collate);
  }

  /// What one word or position can mean. Public for the table in session_text.cpp.
  enum class Seen : std::uint8_t {
    // Words that count as the first of a statement only.
    set,
    use,
    kill,
    call,
    show,
    lock,
    flush,
    handler,
    load,
    prepare,
    execute,
    xa,
    begin,
    reads_into,
    gives_back,
    inserts,
    updates,
    ends,
    // Words that count anywhere.
    create,
    temporary,
    tables,
    named_lock,
    service_lock,
    release_lock,
    found_rows,
    connection_id,
    last_insert_id,
    diagnostics,
    warnings,
    names,
    collate,
    atomic,
    local,
    release,
    role,
    // Findings.
    user_variable,
    assignment,
    last_insert_id_argument,
    session_track,
    for_itself,
    second_statement,
  };

 private:
  enum class First : std::uint8_t { none, set, use, update, other };
  enum class State : std::uint8_t {
    base,
    word,
    quote,
    quote_escape,
    slash,
    block_open,
    block_m,
    version,
    block,
    block_star,
    star,
    dash,
    dash_dash,
    line,
    at,
  };

  /// Where in SET STATEMENT name = value, … FOR the text is.
  enum class Scope : std::uint8_t {
    none,
    set,       ///< behind the SET
    settings,  ///< behind STATEMENT
    opaque,    ///< the same, and a parenthesis may hold a FOR too
  };

  bool seen(Seen what) const { return (seen_ >> static_cast<unsigned>(what) & 1U) != 0; }
  void note(Seen what) { seen_ |= std::uint64_t{1} << static_cast<unsigned>(what); }
  void take_back(Seen what) { seen_ &= ~(std::uint64_t{1} << static_cast<unsigned>(what)); }
  void step(std::uint8_t c);
  void base(std::uint8_t c);
  void symbol(std::uint8_t c);
  void comment(std::uint8_t c);
  void at_sign(std::uint8_t c);
  void track_argument(std::uint8_t c);
  bool track_scope(std::string_view word, bool first);
  void add_to_word(std::uint8_t c);
  void end_word();
  void end_name();
  void lose_track();

  static constexpr std::size_t kLongestWord = 31;  // so that a length fits a bit of 32

  Mode mode_;
  State state_ = State::base;
  First first_ = First::none;
  Scope scope_ = Scope::none;
  std::uint8_t quote_ = 0;
  std::uint8_t argument_step_ = 0;  ///< 1: behind LAST_INSERT_ID, 2: behind its parenthesis
  bool at_start_ = true;            ///< the next word is the first of a statement
  bool may_start_ = false;          ///< so may the next one, behind a line's or a comment's end
  bool names_ = false;              ///< the quotes are those of a name
  bool behind_quote_ = false;       ///< no space since the last quoted text
  bool behind_colon_ = false;       ///< the last character was one
  bool behind_into_ = false;        ///< the last word was INTO
  bool executable_ = false;         ///< inside /*! … */
  bool only_sets_ = true;           ///< every statement's first word is SET
  bool set_before_ = false;         ///< in front of the SET STATEMENT at hand
  std::uint8_t word_size_ = 0;      ///< kLongestWord + 1: too long to be a keyword
  std::uint64_t seen_ = 0;
  std::array<char, kLongestWord> word_{};
};

}  // namespace weirpool::protocol::mysql
