#include "protocol/mysql/routines.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "protocol/mysql/words.hpp"

namespace weirpool::protocol::mysql {
namespace {

using Table = std::string_view;

/// Words of what leaves something unreported, wherever they stand.
constexpr std::array kSuspect{
    Table{"backup"},
    Table{"call"},
    Table{"execute"},
    Table{"flush"},
    Table{"get_lock"},
    Table{"lock"},
    Table{"prepare"},
    Table{"resource"},
    Table{"role"},
    Table{"service_get_read_locks"},
    Table{"service_get_write_locks"},
    Table{"version_tokens_lock_exclusive"},
    Table{"version_tokens_lock_shared"},
    Table{"xa"},
};

/// Words that leave what a tracker reports.
constexpr std::array kReported{Table{"set"}, Table{"temporary"}};

/// The name behind these is a table's, also in front of a parenthesis.
constexpr std::array kNames{Table{"ignore"}, Table{"insert"}, Table{"into"}, Table{"replace"},
                            Table{"table"}};

/// What may stand in front of a parenthesis without being a stored function: both servers' words,
/// types and the functions of their own in common use.
constexpr std::array kOpen{
    Table{"abs"},
    Table{"adddate"},
    Table{"addtime"},
    Table{"all"},
    Table{"and"},
    Table{"any"},
    Table{"as"},
    Table{"asc"},
    Table{"ascii"},
    Table{"avg"},
    Table{"between"},
    Table{"bigint"},
    Table{"binary"},
    Table{"bit"},
    Table{"bit_and"},
    Table{"bit_count"},
    Table{"bit_or"},
    Table{"by"},
    Table{"case"},
    Table{"cast"},
    Table{"ceil"},
    Table{"ceiling"},
    Table{"char"},
    Table{"char_length"},
    Table{"check"},
    Table{"coalesce"},
    Table{"concat"},
    Table{"concat_ws"},
    Table{"conv"},
    Table{"convert"},
    Table{"convert_tz"},
    Table{"count"},
    Table{"crc32"},
    Table{"cume_dist"},
    Table{"curdate"},
    Table{"current_date"},
    Table{"current_time"},
    Table{"current_timestamp"},
    Table{"current_user"},
    Table{"curtime"},
    Table{"database"},
    Table{"date"},
    Table{"date_add"},
    Table{"date_format"},
    Table{"date_sub"},
    Table{"datediff"},
    Table{"datetime"},
    Table{"day"},
    Table{"dayname"},
    Table{"dayofmonth"},
    Table{"dayofweek"},
    Table{"dayofyear"},
    Table{"dec"},
    Table{"decimal"},
    Table{"default"},
    Table{"dense_rank"},
    Table{"distinct"},
    Table{"div"},
    Table{"double"},
    Table{"else"},
    Table{"elseif"},
    Table{"elt"},
    Table{"enum"},
    Table{"exists"},
    Table{"exp"},
    Table{"extract"},
    Table{"field"},
    Table{"find_in_set"},
    Table{"first_value"},
    Table{"float"},
    Table{"floor"},
    Table{"for"},
    Table{"format"},
    Table{"found_rows"},
    Table{"from"},
    Table{"from_days"},
    Table{"from_unixtime"},
    Table{"greatest"},
    Table{"group_concat"},
    Table{"having"},
    Table{"hex"},
    Table{"hour"},
    Table{"if"},
    Table{"ifnull"},
    Table{"in"},
    Table{"inet_aton"},
    Table{"inet_ntoa"},
    Table{"insert"},
    Table{"instr"},
    Table{"int"},
    Table{"integer"},
    Table{"interval"},
    Table{"is"},
    Table{"isnull"},
    Table{"join"},
    Table{"json_array"},
    Table{"json_arrayagg"},
    Table{"json_contains"},
    Table{"json_extract"},
    Table{"json_length"},
    Table{"json_object"},
    Table{"json_objectagg"},
    Table{"json_quote"},
    Table{"json_remove"},
    Table{"json_replace"},
    Table{"json_search"},
    Table{"json_set"},
    Table{"json_table"},
    Table{"json_unquote"},
    Table{"json_valid"},
    Table{"json_value"},
    Table{"lag"},
    Table{"last_day"},
    Table{"last_insert_id"},
    Table{"last_value"},
    Table{"lcase"},
    Table{"lead"},
    Table{"least"},
    Table{"left"},
    Table{"length"},
    Table{"like"},
    Table{"limit"},
    Table{"ln"},
    Table{"locate"},
    Table{"log"},
    Table{"log10"},
    Table{"log2"},
    Table{"lower"},
    Table{"lpad"},
    Table{"ltrim"},
    Table{"makedate"},
    Table{"maketime"},
    Table{"max"},
    Table{"md5"},
    Table{"mid"},
    Table{"min"},
    Table{"minute"},
    Table{"mod"},
    Table{"month"},
    Table{"monthname"},
    Table{"not"},
    Table{"now"},
    Table{"nth_value"},
    Table{"ntile"},
    Table{"nullif"},
    Table{"numeric"},
    Table{"octet_length"},
    Table{"on"},
    Table{"or"},
    Table{"over"},
    Table{"partition"},
    Table{"percent_rank"},
    Table{"pi"},
    Table{"position"},
    Table{"pow"},
    Table{"power"},
    Table{"quarter"},
    Table{"quote"},
    Table{"rand"},
    Table{"rank"},
    Table{"regexp"},
    Table{"regexp_like"},
    Table{"regexp_replace"},
    Table{"regexp_substr"},
    Table{"release_all_locks"},
    Table{"release_lock"},
    Table{"repeat"},
    Table{"replace"},
    Table{"return"},
    Table{"reverse"},
    Table{"right"},
    Table{"rlike"},
    Table{"round"},
    Table{"row"},
    Table{"row_count"},
    Table{"row_number"},
    Table{"rpad"},
    Table{"rtrim"},
    Table{"second"},
    Table{"select"},
    Table{"set"},
    Table{"sha"},
    Table{"sha1"},
    Table{"sha2"},
    Table{"sign"},
    Table{"sleep"},
    Table{"smallint"},
    Table{"some"},
    Table{"soundex"},
    Table{"space"},
    Table{"sqrt"},
    Table{"std"},
    Table{"stddev"},
    Table{"str_to_date"},
    Table{"strcmp"},
    Table{"subdate"},
    Table{"substr"},
    Table{"substring"},
    Table{"substring_index"},
    Table{"sum"},
    Table{"sysdate"},
    Table{"then"},
    Table{"time"},
    Table{"time_format"},
    Table{"time_to_sec"},
    Table{"timediff"},
    Table{"timestamp"},
    Table{"timestampadd"},
    Table{"timestampdiff"},
    Table{"tinyint"},
    Table{"to_days"},
    Table{"trim"},
    Table{"truncate"},
    Table{"ucase"},
    Table{"unhex"},
    Table{"union"},
    Table{"unix_timestamp"},
    Table{"until"},
    Table{"upper"},
    Table{"user"},
    Table{"using"},
    Table{"utc_date"},
    Table{"utc_time"},
    Table{"utc_timestamp"},
    Table{"uuid"},
    Table{"value"},
    Table{"values"},
    Table{"varbinary"},
    Table{"varchar"},
    Table{"variance"},
    Table{"version"},
    Table{"week"},
    Table{"weekday"},
    Table{"weekofyear"},
    Table{"when"},
    Table{"where"},
    Table{"while"},
    Table{"xor"},
    Table{"year"},
    Table{"yearweek"},
};

template <std::size_t N>
constexpr bool is_sorted(const std::array<Table, N>& table) {
  return std::is_sorted(table.begin(), table.end());
}
static_assert(is_sorted(kSuspect) && is_sorted(kOpen) && is_sorted(kNames));

template <std::size_t N>
bool within(const std::array<Table, N>& table, std::string_view word) {
  return std::binary_search(table.begin(), table.end(), word);
}

constexpr bool decimal_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool part_of_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || decimal_digit(c) || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool white(char c) { return static_cast<unsigned char>(c) <= ' '; }
constexpr bool name_quote(char c) { return c == '`' || c == '"'; }

std::string lower_case(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return made;
}

/// A walk over all words of a text, those of its literals and comments too: whatever reads them
/// differently than the server sees more than is there.
class Inspection {
 public:
  Inspection(std::string_view text, bool silent) : text_(text), silent_(silent) {}

  bool harmless() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (part_of_word(c)) {
        if (!word()) return false;
        continue;
      }
      if (!symbol(c)) return false;
      ++at_;
    }
    return true;
  }

 private:
  bool symbol(char c) {
    if (c == '@') {
      // @@name is a system variable, and what is set of them is reported.
      ++at_;
      return at_ < text_.size() && text_[at_] == '@' && (last_ = c) != 0;
    }
    if (name_quote(c)) {
      // A name in quotes that does not end with a word.
      const bool behind_word = at_ > 0 && part_of_word(text_[at_ - 1]);
      return behind_word || !opens(at_ + 1);
    }
    if (!white(c)) last_ = c;
    return true;
  }

  bool word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && part_of_word(text_[at_])) ++at_;
    std::string word = lower_case(text_.substr(begin, at_ - begin));
    // A number may be the version of an executed comment, and touch what follows it.
    word.erase(0, static_cast<std::size_t>(
                      std::find_if_not(word.begin(), word.end(), decimal_digit) - word.begin()));
    const bool chained = std::exchange(last_, 'a') == '.';
    if (!chained) table_ = within(kNames, previous_);
    if (within(kSuspect, word) || word.starts_with("session_track_")) return false;
    if (silent_ && std::find(kReported.begin(), kReported.end(), word) != kReported.end())
      return false;
    const bool quoted = at_ < text_.size() && name_quote(text_[at_]);
    const bool open = opens(quoted ? at_ + 1 : at_);
    const bool known = !quoted && !chained && within(kOpen, word);
    previous_ = std::move(word);
    return !open || table_ || known;
  }

  /// A parenthesis comes next, or something that may hide one.
  bool opens(std::size_t at) const {
    while (at < text_.size()) {
      const std::string_view rest = text_.substr(at);
      std::size_t skipped = 1;
      if (rest.starts_with("/*!") || rest.starts_with("/*M!")) return true;
      if (rest.starts_with("/*")) {
        const std::size_t end = rest.find("*/", 2);
        if (end == std::string_view::npos) return true;
        skipped = end + 2;
      } else if (rest[0] == '#' || rest.starts_with("--")) {
        skipped = std::min(rest.find('\n'), rest.size());
      } else if (!white(rest[0])) {
        return rest[0] == '(';
      }
      at += skipped;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string previous_;
  char last_ = ' ';  ///< character that means something, quotes aside
  bool table_ = false;
  const bool silent_;
};

/// `name`, with quotes inside doubled; false: something else is at the front.
bool pass_name(std::string_view& text) {
  if (!text.starts_with('`')) return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '`') continue;
    if (i + 1 < text.size() && text[i + 1] == '`') {
      ++i;
      continue;
    }
    text.remove_prefix(i + 1);
    return true;
  }
  return false;
}

/// A literal, a marker, or what stands between them.
bool is_plain(std::string_view word) {
  constexpr std::string_view kMarks("(),?-+");
  if (word.size() > 1 && (word[0] == '\'' || word[0] == '"')) return true;
  if (word.size() == 1 && kMarks.find(word[0]) != kMarks.npos) return true;
  return (!word.empty() && decimal_digit(word[0])) || same_word(word, "null") ||
         same_word(word, "true") || same_word(word, "false");
}

bool pass(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

}  // namespace

std::string Routine::definition_sql() const {
  return "SHOW CREATE PROCEDURE `" + schema + "`.`" + name + "`";
}

bool Routine::not_begun(std::uint16_t code, std::string_view message) const {
  constexpr std::array<std::uint16_t, 3> kBefore{1305, 1318, 1370};
  const bool before = std::find(kBefore.begin(), kBefore.end(), code) != kBefore.end();
  return before && !name.empty() &&
         lower_case(message).find(lower_case(schema + "." + name)) != std::string::npos;
}

Routine called_routine(std::string_view sql, std::string_view schema, bool whole) {
  Words words(sql);
  if (!words.take("call")) return {};
  Routine routine{std::string(schema), std::string(name_of(words.next()))};
  if (words.take(".")) routine = {routine.name, std::string(name_of(words.next()))};
  if (routine.schema.empty() || routine.schema.find('`') != std::string::npos) return {};
  if (!whole) return words.peek() == "(" ? routine : Routine{};
  const std::string_view arguments = words.rest();
  while (is_plain(words.peek())) words.next();
  const bool harmless = words.at_end() || Inspection(arguments, true).harmless();
  return harmless ? routine : Routine{};
}

/// CREATE DEFINER=`name`@`host` PROCEDURE `name`(…) …; a role of MariaDB's has no host.
bool leaves_nothing(std::string_view definition, bool silent) {
  if (!pass(definition, "CREATE DEFINER=") || !pass_name(definition)) return false;
  if (pass(definition, "@") && !pass_name(definition)) return false;
  if (!pass(definition, " PROCEDURE ") || !pass_name(definition)) return false;
  return Inspection(definition, silent).harmless();
}

bool may_take_role(std::string_view definition) {
  constexpr std::array kWays{Table{"role"}, Table{"call"}, Table{"execute"}};
  const std::string text = lower_case(definition);
  return text.empty() || std::any_of(kWays.begin(), kWays.end(), [&](Table way) {
           return text.find(way) != std::string::npos;
         });
}

bool RoutineMemory::knows(const Routine& routine, std::string_view definition) {
  const std::size_t hash = std::hash<std::string_view>{}(definition);
  const std::scoped_lock lock(mutex_);
  if (seen_.size() >= kMost) seen_.clear();
  const auto [at, fresh] = seen_.try_emplace(routine.definition_sql(), hash);
  return !fresh && std::exchange(at->second, hash) == hash;
}

void Calls::failed(std::uint16_t code, std::string_view message) {
  if (current_ && current_->not_begun(code, message)) current_.reset();
}

bool Calls::end(bool failed) {
  const std::optional<Routine> routine = std::exchange(current_, std::nullopt);
  if (!routine) return true;
  Call call{*routine, failed};
  if (std::find(pending_.begin(), pending_.end(), call) != pending_.end()) return true;
  if (call.routine.name.empty() || pending_.size() >= kMost) return false;
  pending_.push_back(std::move(call));
  return true;
}

Calls::Call Calls::take() {
  Call call = std::move(pending_.back());
  pending_.pop_back();
  return call;
}

}  // namespace weirpool::protocol::mysql
