#include "protocol/postgres/session_words.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/postgres/parameters.hpp"
#include "protocol/postgres/prepared.hpp"
#include "protocol/postgres/session_vocabulary.hpp"
#include "protocol/postgres/startup_options.hpp"

namespace weirpool::protocol::postgres {
namespace {

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Words that begin a statement which may end a state that pins.
constexpr std::array<std::string_view, 5> kEnders{"close", "deallocate", "discard", "drop",
                                                  "unlisten"};
/// SET of these is SET LOCAL.
constexpr std::array<std::string_view, 3> kTransactionOnly{
    "transaction_deferrable", "transaction_isolation", "transaction_read_only"};

constexpr std::string_view kPath = "search_path";

bool blank(char c) { return c == ' ' || c == '\0' || (c >= '\t' && c <= '\r'); }

}  // namespace

std::string_view pin_label(Effects effects) {
  static constexpr std::array<std::pair<Effects, std::string_view>, 11> kLabels{{
      {kPinTemporary, "temporary_object"},
      {kPinAdvisoryLock, "advisory_lock"},
      {kPinListen, "listen"},
      {kPinWithHold, "with_hold_cursor"},
      {kPinPrepare, "sql_prepare"},
      {kPinLongStatement, "long_statement"},
      {kPinSet, "set_parameter"},
      {kPinSetConfig, "set_config"},
      {kPinSequence, "sequence_value"},
      {kPinSeed, "random_seed"},
      {kPinLoad, "load"},
  }};
  for (const auto& [bit, label] : kLabels) {
    if ((effects & bit) != 0) return label;
  }
  return {};
}

Effects effects_of_function(std::uint32_t oid) {
  // The server's pg_proc.dat.
  constexpr std::uint32_t kCurrval = 1575;
  constexpr std::uint32_t kSetseed = 1599;
  constexpr std::uint32_t kSetConfig = 2078;
  constexpr std::uint32_t kLastval = 2559;
  constexpr std::uint32_t kFirstAdvisory = 2880;  // Those of sessions: lock, try, unlock ...
  constexpr std::uint32_t kLastAdvisory = 2892;   // ... shared and not, of one number and of two.
  if (oid >= kFirstAdvisory && oid <= kLastAdvisory) return kPinAdvisoryLock | kEndsState;
  if (oid == kCurrval || oid == kLastval) return kPinSequence;
  if (oid == kSetseed) return kPinSeed;
  return oid == kSetConfig ? kPinSetConfig : 0;
}

void SessionWords::word(std::string_view word, bool quoted) {
  switch (stage_) {
    case Stage::start:
      stage_ = Stage::other;
      if (!quoted) first_word(word);
      break;
    case Stage::set: set_word(word, quoted); break;
    case Stage::authorization:
      found("role", true);
      found("session_authorization", true);
      stage_ = Stage::other;
      break;
    case Stage::zone: stage_ = Stage::value; break;
    case Stage::local:
      name_ = !quoted && word == "schema" ? kPath : word;
      begin_value();
      break;
    case Stage::path:
      if (!quoted && word == "uescape") literal_ += '\\';
      break;
    case Stage::name:
      if (std::exchange(dot_, false)) {
        named(word);
        break;
      }
      stage_ = Stage::value;
      if (!quoted && word == "to") break;
      [[fallthrough]];
    case Stage::value:
      found(name_, !quoted && (word == "default" || (word == "local" && name_ == "timezone")));
      begin_value();
      break;
    case Stage::reset: reset_word(word, quoted); break;
    case Stage::reset_name:
      if (std::exchange(dot_, false)) {
        named(word);
      } else {
        end_statement();
        stage_ = Stage::other;
      }
      break;
    case Stage::prepare:
      if (quoted || word != "transaction") {
        earlier_ |= std::exchange(found_.bits, kPinPrepare);
        prepares_ = true;
      }
      stage_ = Stage::other;
      break;
    case Stage::declare:
      if (before_ == Before::with && word == "hold") found_.bits |= kPinWithHold;
      break;
    case Stage::config_open:
      found_.bits |= kPinSetConfig;
      stage_ = Stage::other;
      break;
    case Stage::config_name: plain_ = false; break;
    case Stage::config_rest:
      local_ = argument_ == 2 && !quoted && word == "true" && !plain_;
      plain_ = true;  // From here on: a second word, so the argument is no plain one.
      break;
    case Stage::other: break;
  }
  anywhere(word);
}

void SessionWords::first_word(std::string_view word) {
  if (word == "set") stage_ = Stage::set;
  if (word == "reset") stage_ = Stage::reset;
  if (word == "prepare") stage_ = Stage::prepare;
  if (word == "declare" && !raw_) stage_ = Stage::declare;
  if (word == "do") raw_ = true;
  if (word == "discard" || word == "deallocate") found_.bits |= kForgets;
  if (word == "listen") found_.bits |= kPinListen;
  if (word == "load") found_.bits |= kPinLoad;
  if (among(kEnders, word)) found_.bits |= kEndsState;
  frees_ = word == "deallocate";
}

void SessionWords::set_word(std::string_view word, bool quoted) {
  stage_ = Stage::other;
  if (quoted) {
    stage_ = Stage::name;
    name_ = word;
  } else if (word == "local" || word == "constraints" || word == "transaction") {
    found_.bits |= kLocal;
    if (word == "local") stage_ = Stage::local;
  } else if (raw_) {
    found_.bits |= kPinSet;
  } else if (word == "session") {
    stage_ = Stage::set;
  } else if (word == "characteristics") {
    found("default_transaction_isolation", false);
    found("default_transaction_read_only", false);
    found("default_transaction_deferrable", false);
  } else if (word == "authorization") {
    found("role", true);
    name_ = "session_authorization";
    stage_ = Stage::value;
  } else if (word == "role") {
    name_ = word;
    stage_ = Stage::value;
  } else if (word == "time") {
    name_ = "timezone";
    stage_ = Stage::zone;
  } else if (word == "names") {
    name_ = "client_encoding";
    stage_ = Stage::value;
  } else if (word == "schema") {
    found(kPath, false);
    name_ = kPath;
    begin_value();
  } else if (word == "xml") {
    found("xmloption", false);
  } else if (word == "seed") {
    found_.bits |= kPinSeed;
  } else {
    name_.clear();
    named(word);
    stage_ = Stage::name;
  }
  if (raw_ && quoted) found_.bits |= kPinSet;
}

void SessionWords::reset_word(std::string_view word, bool quoted) {
  stage_ = Stage::other;
  if (raw_) {
    found_.bits |= kPinSet;
  } else if (!quoted && word == "all") {
    found_.bits |= kResetAll | kForgets;
  } else if (!quoted && word == "session") {
    stage_ = Stage::authorization;
  } else if (!quoted && word == "time") {
    found("timezone", true);
  } else if (quoted || word != "transaction") {
    name_.clear();
    named(word);
    stage_ = Stage::reset_name;
  }
}

void SessionWords::named(std::string_view word) {
  // A word too long to be kept makes a name that no parameter has.
  if (!name_.empty() || word.empty()) name_ += '.';
  name_ += word;
}

void SessionWords::anywhere(std::string_view word) {
  const Before before = std::exchange(before_, Before::other);
  if (word.starts_with(kTemporaryPrefix)) found_.bits |= kPinTemporary;
  // The backend would lose a statement that is everybody's.
  if (frees_ && (raw_ || word.starts_with(kStatementPrefix))) found_.bits |= kPinLoad;
  switch (meaning_of(word)) {
    case Means::nothing: break;
    case Means::set_config: set_config(); break;
    case Means::locks: found_.bits |= kPinAdvisoryLock | kEndsState; break;
    case Means::unlocks: found_.bits |= kEndsState; break;
    case Means::lasts: found_.bits |= kPinLoad; break;
    case Means::sequence: found_.bits |= kPinSequence; break;
    case Means::seed: found_.bits |= kPinSeed; break;
    case Means::update: updates_ = true; break;
    case Means::settings:
      if (updates_) found_.bits |= kPinSet;
      break;
    case Means::temporary:
      if (before == Before::create) found_.bits |= kPinTemporary;
      break;
    case Means::with: before_ = Before::with; break;
    case Means::create: before_ = Before::create; break;
    case Means::executes:
      if (raw_) found_.bits |= kUnknown;
      [[fallthrough]];
    case Means::starts:
      if (raw_) stage_ = Stage::start;
      break;
  }
}

/// One inside the arguments of another is not taken apart.
void SessionWords::set_config() {
  const bool nested = stage_ == Stage::config_name || stage_ == Stage::config_rest;
  if (nested || raw_) {
    found_.bits |= kPinSetConfig;
  } else {
    stage_ = Stage::config_open;
  }
}

/// A comment where a statement may begin leaves that as it was, whatever its words have meant. They
/// do mean something: what looks like a comment may stand inside quotes.
void SessionWords::raw_comment(char c) {
  const char before = std::exchange(last_, c);
  if (stage_ == Stage::start && c == '-' && before == '-') remark_ = Remark::line;
  if (stage_ == Stage::start && c == '*' && before == '/') remark_ = Remark::block;
  const bool over = (remark_ == Remark::line && (c == '\n' || c == '\r')) ||
                    (remark_ == Remark::block && c == '/' && before == '*');
  if (!over) return;
  remark_ = Remark::none;
  stage_ = Stage::start;
}

void SessionWords::symbol(char c) {
  if (raw_) raw_comment(c);
  if (blank(c)) return;
  if (raw_ && (c == '\'' || c == '$')) return end_statement();
  // In other languages a statement may stand behind any of these.
  const bool opens = c == '"' || c == '`' || c == '{';
  if (raw_ && opens && stage_ != Stage::set && stage_ != Stage::reset) return end_statement();
  switch (stage_) {
    case Stage::start:
      if (c != '(' && c != '-' && c != '/' && c != '*') stage_ = Stage::other;
      break;
    case Stage::name:
    case Stage::reset_name: after_name(c); break;
    case Stage::value:
      if (c == '=') break;
      found(name_, false);
      begin_value();
      if (c == '$') symbol(c);
      break;
    case Stage::path:
      if (c == '$') literal_ += '\\';  // A quote that is not captured.
      break;
    case Stage::config_open:
    case Stage::config_name:
    case Stage::config_rest: config_symbol(c); break;
    default: break;
  }
}

void SessionWords::after_name(char c) {
  if (c == '.') {
    dot_ = true;
  } else if (c == '=' && stage_ == Stage::name) {
    stage_ = Stage::value;
  } else if (c != '-' && c != '/' && c != '*') {  // which may begin a comment
    found_.bits |= kPinSet;
    stage_ = Stage::other;
  }
}

void SessionWords::config_symbol(char c) {
  const bool comment = c == '-' || c == '/' || c == '*';
  if (stage_ == Stage::config_open) {
    if (comment) return;
    if (c != '(') found_.bits |= kPinSetConfig;
    stage_ = c == '(' ? Stage::config_name : Stage::other;
    depth_ = 1;
    argument_ = 0;
    literal_.clear();
    plain_ = true;
    local_ = false;
    dot_ = false;
    return;
  }
  if (c == '(') ++depth_;
  if (c == ')' && --depth_ == 0) return end_config();
  if (c == ',' && depth_ == 1) {
    const bool first = std::exchange(stage_, Stage::config_rest) == Stage::config_name;
    if (first) {
      name_ = plain_ && dot_ ? literal_ : std::string();
      literal_.clear();
    }
    path_ = first && lower_case(name_) == kPath;
    if (argument_ < 3) ++argument_;
    plain_ = false;
    local_ = false;
  } else if (stage_ == Stage::config_name && c == '\'' && !dot_) {
    dot_ = true;  // The one literal there may be.
  } else if (!comment || stage_ == Stage::config_rest) {
    if (stage_ == Stage::config_name) plain_ = false;
    if (stage_ == Stage::config_rest) {
      plain_ = true;
      local_ = false;
    }
  }
}

void SessionWords::end_config() {
  if (stage_ == Stage::config_rest && lower_case(name_) == kPath) end_path();
  path_ = false;
  if (local_) {
    found_.bits |= kLocal;
  } else if (stage_ == Stage::config_name || name_.empty()) {
    found_.bits |= kPinSetConfig;
  } else {
    found(name_, false);
  }
  stage_ = Stage::other;
}

/// Behind the name of a parameter.
void SessionWords::begin_value() {
  stage_ = lower_case(name_) == kPath ? Stage::path : Stage::other;
  literal_.clear();
}

/// What a search_path says in quotes. Where temporary objects come first, a
/// CREATE that says nothing of it makes one; what is spelled in other ways may be that, too.
void SessionWords::end_path() {
  const bool temporary = lower_case(literal_).find(kTemporaryPrefix) != literal_.npos;
  if (temporary || literal_.find('\\') != literal_.npos) found_.bits |= kPinTemporary;
}

void SessionWords::found(std::string_view name, bool reset) {
  std::string lower = lower_case(name);
  if (among(kTransactionOnly, lower)) {
    found_.bits |= kLocal;
    return;
  }
  if (lower == "seed") {
    found_.bits |= kPinSeed;
    return;
  }
  if (!legal_setting_name(lower) || found_.settings.size() >= kMaxSettingsPerText) {
    found_.bits |= kPinSet;
    return;
  }
  found_.bits |= sets_identity(lower) ? kRoles : kSettings;
  found_.settings.push_back({std::move(lower), reset});
}

void SessionWords::end_statement() {
  switch (stage_) {
    case Stage::name:
    case Stage::value: found(name_, false); break;
    case Stage::reset_name: found(name_, true); break;
    case Stage::path: end_path(); break;
    case Stage::config_open:
    case Stage::config_name:
    case Stage::config_rest: found_.bits |= kPinSetConfig; break;
    default: break;
  }
  // What an EXECUTE of it will do later cannot be seen then, and a lock it takes not be asked for.
  if (prepares_ && (found_.bits & kPinAdvisoryLock) != 0) found_.bits |= kPinLoad;
  if (std::exchange(prepares_, false) && found_.bits != kPinPrepare) found_.bits |= kPinSet;
  if (stage_ != Stage::start) several_ = std::exchange(begun_, true);
  stage_ = Stage::start;
  before_ = Before::other;
  updates_ = false;
  frees_ = false;
  dot_ = false;
}

TextEffects SessionWords::take() {
  end_statement();
  found_.bits |= earlier_;
  if (found_.bits == kPinPrepare && !several_ && !raw_) found_.bits |= kOnePrepare;
  return std::move(found_);
}

}  // namespace weirpool::protocol::postgres
