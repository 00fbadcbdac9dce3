#include "protocol/postgres/parameters.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace weirpool::protocol::postgres {
namespace {

/// E'' means the same whatever standard_conforming_strings says. `text` is ASCII, so no multi-byte
/// encoding can swallow a quote.
void append_literal(std::string& out, std::string_view text) {
  out += "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  out += '\'';
}

/// A value from a startup message, whose bytes the server takes for its own encoding whatever the
/// client's is. As text they would be read in the latter.
void append_foreign(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "pg_catalog.convert_from(E'\\\\x";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
  }
  out += "'::pg_catalog.bytea,pg_catalog.getdatabaseencoding())";
}

void append_reset(std::string& out, std::string_view name) {
  out += "RESET \"";
  for (const char c : name) {
    if (c == '.') {
      out += "\".\"";
    } else {
      out += c;
    }
  }
  out += "\";";
}

template <class Entries>
auto place_of(Entries& entries, std::string_view lower) {
  return std::lower_bound(
      entries.begin(), entries.end(), lower,
      [](const NamedValue& e, std::string_view n) { return e.first.compare(n) < 0; });
}

const std::string* find_value(const std::vector<NamedValue>& entries, std::string_view lower) {
  const auto at = place_of(entries, lower);
  return at == entries.end() || at->first != lower ? nullptr : &at->second;
}

std::vector<NamedValue> normalized(std::vector<NamedValue> entries) {
  for (NamedValue& entry : entries) entry.first = lower_case(entry.first);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const NamedValue& a, const NamedValue& b) { return a.first < b.first; });
  std::vector<NamedValue> unique;
  for (NamedValue& entry : entries) {
    if (!unique.empty() && unique.back().first == entry.first) unique.pop_back();
    unique.push_back(std::move(entry));
  }
  return unique;
}

void append_key(std::string& key, const NamedValue& entry) {
  key.append(entry.first).append(1, '\0').append(entry.second).append(1, '\0');
}

std::string key_of(const std::vector<NamedValue>& entries) {
  std::string key;
  for (const NamedValue& entry : entries) append_key(key, entry);
  return key;
}

/// Parameters that change neither what a statement means nor its plan. Whatever is not named here
/// might: the server keeps plans of shared statements, made under the settings of whoever used them
/// first, with constants already computed (bytea_output, extra_float_digits: byteaout and float8out
/// are immutable to it) and by costs (work_mem, enable_...).
bool means_nothing(std::string_view lower) {
  static constexpr std::array<std::string_view, 18> kHarmless{"application_name",
                                                              "client_min_messages",
                                                              "default_transaction_deferrable",
                                                              "default_transaction_isolation",
                                                              "default_transaction_read_only",
                                                              "deadlock_timeout",
                                                              "idle_in_transaction_session_timeout",
                                                              "idle_session_timeout",
                                                              "lock_timeout",
                                                              "log_duration",
                                                              "log_min_duration_statement",
                                                              "log_statement",
                                                              "maintenance_work_mem",
                                                              "statement_timeout",
                                                              "synchronous_commit",
                                                              "tcp_user_timeout",
                                                              "temp_buffers",
                                                              "transaction_timeout"};
  return std::find(kHarmless.begin(), kHarmless.end(), lower) != kHarmless.end();
}

std::string meaning_of(const std::vector<NamedValue>& entries) {
  std::string key;
  for (const NamedValue& entry : entries) {
    // Parameters with a dot are made up by applications, or belong to extensions' functions.
    const bool custom = entry.first.find('.') != entry.first.npos;
    if (!custom && !means_nothing(entry.first)) append_key(key, entry);
  }
  return key;
}

std::string without_search_path(std::string_view meaning) {
  constexpr std::string_view kName("search_path\0", sizeof "search_path");
  std::string rest;
  while (!meaning.empty()) {
    // Name, zero byte, value, zero byte; what is of one client's own may be anything.
    const std::size_t value = std::min(meaning.find('\0'), meaning.size() - 1) + 1;
    const std::size_t end = std::min(meaning.find('\0', value), meaning.size() - 1) + 1;
    if (!meaning.starts_with(kName)) rest += meaning.substr(0, end);
    meaning.remove_prefix(end);
  }
  return rest;
}

}  // namespace

bool same_but_for_search_path(std::string_view a, std::string_view b) {
  return without_search_path(a) == without_search_path(b);
}

void append_set(Change& change, std::string_view name, std::string_view value) {
  change.text += change.names.empty() ? "SELECT pg_catalog.set_config(" : ",pg_catalog.set_config(";
  append_literal(change.text, name);
  change.text += ',';
  if (ascii(value)) {
    append_literal(change.text, value);
  } else {
    append_foreign(change.text, value);
  }
  change.text += ",false)";
  change.names.emplace_back(name);
}

std::uint32_t milliseconds_of(std::string_view value) {
  constexpr std::array<std::pair<std::string_view, double>, 7> kUnits{
      {{"", 1}, {"ms", 1}, {"us", 1e-3}, {"s", 1e3}, {"min", 6e4}, {"h", 36e5}, {"d", 864e5}}};
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc()) return 0;
  std::string_view unit(end, static_cast<std::size_t>(value.data() + value.size() - end));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const auto& [name, factor] : kUnits) {
    if (unit != name) continue;
    constexpr double kMost = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::clamp(number * factor, 0.0, kMost));
  }
  return 0;
}

bool ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<signed char>(c) > 0; });
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

bool tells_identity(std::string_view lower) {
  return lower == "is_superuser" || lower == "session_authorization";
}

bool sets_identity(std::string_view lower) {
  return lower == "role" || lower == "session_authorization";
}

bool follows_client(std::string_view lower) {
  static constexpr std::array<std::string_view, 4> kBackendsOwn{
      "in_hot_standby", "integer_datetimes", "server_encoding", "server_version"};
  return !tells_identity(lower) &&
         std::find(kBackendsOwn.begin(), kBackendsOwn.end(), lower) == kBackendsOwn.end();
}

Profile::Profile(std::vector<NamedValue> entries)
    : entries_(normalized(std::move(entries))),
      key_(key_of(entries_)),
      meaning_(meaning_of(entries_)) {}

const std::string* Profile::find(std::string_view lower) const {
  return find_value(entries_, lower);
}

ProfileRef ProfileCatalog::of(std::vector<NamedValue> entries) {
  const std::string key = key_of(normalized(entries));
  return profiles_->intern(key, [&] { return Profile(std::move(entries)); });
}

ProfileRef ProfileCatalog::with(const ProfileRef& base, std::string_view name,
                                std::string_view value) {
  std::vector<NamedValue> entries = base->entries();
  entries.emplace_back(name, value);
  return of(std::move(entries));
}

ProfileRef ProfileCatalog::without(const ProfileRef& base, std::string_view lower) {
  std::vector<NamedValue> entries = base->entries();
  std::erase_if(entries, [lower](const NamedValue& entry) { return entry.first == lower; });
  return of(std::move(entries));
}

const Reported* BackendParameters::report(std::string_view name, std::string_view value) {
  if (name == "standard_conforming_strings") {
    reading_.strings = value == "off" ? Strings::escapes : Strings::standard;
  }
  if (name == "client_encoding") reading_.encoding = encoding_of(value);
  for (Reported& known : reported_) {
    if (known.name != name) continue;
    if (!logged_in_) known.initial = value;
    if (known.value == value) return nullptr;
    known.value = value;
    if (logged_in_) profile_.reset();
    return &known;
  }
  if (reported_.size() >= kMaxParameters) return nullptr;
  reported_.push_back(
      {std::string(name), lower_case(name), std::string(value), std::string(value)});
  return &reported_.back();
}

const Reported* BackendParameters::following(std::string_view lower) const {
  const auto found = std::find_if(reported_.begin(), reported_.end(),
                                  [lower](const Reported& r) { return r.lower == lower; });
  return found != reported_.end() && follows_client(lower) ? &*found : nullptr;
}

Change BackendParameters::difference(const Profile& wanted) const {
  std::string resets;
  Change change;
  for (const Reported& r : reported_) {
    if (!follows_client(r.lower)) continue;
    const std::string* value = wanted.find(r.lower);
    if (r.value == (value == nullptr ? r.initial : *value)) continue;
    if (value == nullptr) {
      append_reset(resets, r.name);
    } else {
      append_set(change, r.name, *value);
    }
  }
  bool somebody = false;       // the backend, or the client, is not who logged in
  bool somebody_else = false;  // and they differ
  for (const auto& [name, value] : applied_) {
    const std::string* wish = wanted.find(name);
    if (sets_identity(name)) {
      somebody = true;
      somebody_else |= wish == nullptr || *wish != value;
    } else if (wish == nullptr) {
      append_reset(resets, name);
    }
  }
  for (const auto& [name, value] : wanted.entries()) {
    if (following(name) != nullptr) continue;
    const std::string* now = find_value(applied_, name);
    const bool differs = now == nullptr || *now != value;
    somebody |= sets_identity(name);
    somebody_else |= sets_identity(name) && differs;
    if (differs && !sets_identity(name)) append_set(change, name, value);
  }
  // Who the backend is decides what may be set, so it is itself again in between.
  if (somebody_else || (somebody && !(resets.empty() && change.empty()))) {
    resets.insert(0, "RESET \"role\";RESET \"session_authorization\";");
    for (const std::string_view name : {"session_authorization", "role"}) {
      if (const std::string* value = wanted.find(name)) append_set(change, name, *value);
    }
  }
  change.text.insert(0, resets);
  return change;
}

void BackendParameters::became(const ProfileRef& wanted, const ProfileRef& asked) {
  profile_ = wanted;
  asked_ = asked;
  applied_.clear();
  for (const NamedValue& entry : wanted->entries()) {
    if (following(entry.first) == nullptr) applied_.push_back(entry);
  }
}

void BackendParameters::learned(std::string_view lower, const std::optional<std::string>& value) {
  profile_.reset();
  const auto at = place_of(applied_, lower);
  const bool known = at != applied_.end() && at->first == lower;
  if (known && value) at->second = *value;
  if (known && !value) applied_.erase(at);
  if (!known && value) applied_.emplace(at, lower, *value);
}

void BackendParameters::discarded() {
  profile_.reset();
  applied_.clear();
}

}  // namespace weirpool::protocol::postgres
