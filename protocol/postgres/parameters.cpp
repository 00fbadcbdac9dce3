#include "protocol/postgres/parameters.hpp"

#include <algorithm>
#include <array>

namespace weirpool::protocol::postgres {
namespace {

/// E'' means the same whatever standard_conforming_strings says. Values are ASCII (client_login
/// sees to that), so no multi-byte encoding can swallow a quote.
void append_literal(std::string& out, std::string_view text) {
  out += "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  out += '\'';
}

void append_set(std::string& out, std::string_view name, std::string_view value) {
  out += out.empty() ? "SELECT pg_catalog.set_config(" : ",pg_catalog.set_config(";
  append_literal(out, name);
  out += ',';
  append_literal(out, value);
  out += ",false)";
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

const std::string* find_value(const std::vector<NamedValue>& entries, std::string_view lower) {
  const auto at =
      std::lower_bound(entries.begin(), entries.end(), lower,
                       [](const NamedValue& e, std::string_view n) { return e.first < n; });
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

std::string key_of(const std::vector<NamedValue>& entries) {
  std::string key;
  for (const auto& [name, value] : entries) {
    key.append(name).append(1, '\0').append(value).append(1, '\0');
  }
  return key;
}

}  // namespace

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

bool follows_client(std::string_view lower) {
  static constexpr std::array<std::string_view, 4> kBackendsOwn{
      "in_hot_standby", "integer_datetimes", "server_encoding", "server_version"};
  return !tells_identity(lower) &&
         std::find(kBackendsOwn.begin(), kBackendsOwn.end(), lower) == kBackendsOwn.end();
}

Profile::Profile(std::vector<NamedValue> entries)
    : entries_(normalized(std::move(entries))), key_(key_of(entries_)) {}

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

const Reported* BackendParameters::report(std::string_view name, std::string_view value) {
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

bool BackendParameters::reports(std::string_view lower) const {
  return std::any_of(reported_.begin(), reported_.end(),
                     [lower](const Reported& r) { return r.lower == lower; });
}

std::string BackendParameters::difference(const Profile& wanted) const {
  std::string resets;
  std::string sets;
  for (const Reported& r : reported_) {
    if (!follows_client(r.lower)) continue;
    const std::string* value = wanted.find(r.lower);
    if (r.value == (value == nullptr ? r.initial : *value)) continue;
    if (value == nullptr) {
      append_reset(resets, r.name);
    } else {
      append_set(sets, r.name, *value);
    }
  }
  for (const auto& [name, value] : applied_) {
    if (wanted.find(name) == nullptr) append_reset(resets, name);
  }
  for (const auto& [name, value] : wanted.entries()) {
    if (reports(name)) continue;
    const std::string* now = find_value(applied_, name);
    if (now == nullptr || *now != value) append_set(sets, name, value);
  }
  return resets + sets;
}

void BackendParameters::became(const ProfileRef& wanted) {
  profile_ = wanted;
  applied_.clear();
  for (const NamedValue& entry : wanted->entries()) {
    if (!reports(entry.first)) applied_.push_back(entry);
  }
}

void BackendParameters::forget_applied() {
  profile_.reset();
  // An impossible value differs from whatever the next client wants, and RESET does no harm.
  for (NamedValue& entry : applied_) entry.second = std::string(1, '\0');
}

void BackendParameters::discarded() {
  profile_.reset();
  applied_.clear();
}

}  // namespace weirpool::protocol::postgres
