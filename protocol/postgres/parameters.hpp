// Session parameters. A client has a profile: what it wants to differ from the defaults. A backend
// has values: those it reports and those set for its clients. Before a client's first statement the
// difference is sent as one simple Query; equal profiles are the same pointer and cost nothing.
// Role and session authorization are parameters like any other here, set last and reset first,
// since they decide what else may be set.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/interner.hpp"
#include "protocol/postgres/reading.hpp"
#include "protocol/postgres/startup_options.hpp"

namespace weirpool::protocol::postgres {

/// The most a client may want, entries and bytes.
inline constexpr std::size_t kMaxParameters = 64;
inline constexpr std::size_t kMaxParameterBytes = 16384;

/// Names in lower case, sorted, each once.
class Profile {
 public:
  explicit Profile(std::vector<NamedValue> entries);

  const std::vector<NamedValue>& entries() const { return entries_; }
  /// `lower` in lower case; null: the default is wanted.
  const std::string* find(std::string_view lower) const;
  std::string_view key() const { return key_; }
  /// The part of it that may change what the text of a statement means: where names are looked for,
  /// how literals are read. Equal strings, equal meaning.
  const std::string& meaning() const { return meaning_; }
  /// Small enough to be carried from backend to backend.
  bool bounded() const {
    return entries_.size() <= kMaxParameters && key_.size() <= kMaxParameterBytes;
  }

 private:
  std::vector<NamedValue> entries_;
  std::string key_;
  std::string meaning_;
};

using ProfileRef = std::shared_ptr<const Profile>;

/// All profiles of this process. Thread-safe.
class ProfileCatalog {
 public:
  /// Of entries that name a parameter twice the last counts; case of names does not matter.
  ProfileRef of(std::vector<NamedValue> entries);
  /// `base` with one value changed.
  ProfileRef with(const ProfileRef& base, std::string_view name, std::string_view value);
  /// `base` with the default wanted for `lower`.
  ProfileRef without(const ProfileRef& base, std::string_view lower);

 private:
  std::shared_ptr<Interner<Profile>> profiles_ = std::make_shared<Interner<Profile>>();
};

/// One parameter a backend reports.
struct Reported {
  std::string name;  ///< as the backend spells it
  std::string lower;
  std::string value;
  std::string initial;  ///< after login: what RESET brings back
};

/// Statements, all in one simple Query, and the parameters whose new values are the columns of the
/// one row they return.
struct Change {
  std::string text;
  std::vector<std::string> names;

  bool empty() const { return text.empty(); }
};

/// Sets `name` as well.
void append_set(Change& change, std::string_view name, std::string_view value);

/// The parameters of one backend connection.
class BackendParameters {
 public:
  /// A ParameterStatus; before login_finished() its value is also the default.
  /// Null: known already. The entry is valid until the next call.
  const Reported* report(std::string_view name, std::string_view value);
  void login_finished() { logged_in_ = true; }
  const std::vector<Reported>& reported() const { return reported_; }
  /// Null: this backend does not report its changes, or they do not follow the client.
  const Reported* following(std::string_view lower) const;
  /// Not reported, and set for a client.
  const std::vector<NamedValue>& applied() const { return applied_; }
  /// How the backend reads texts now.
  const Reading& reading() const { return reading_; }

  /// Is the backend known to be as `wanted` says, without looking?
  bool matches(const ProfileRef& wanted) const {
    return wanted == profile_ || (wanted == asked_ && profile_ != nullptr);
  }
  /// What the backend is like, in its own spelling; null: not known.
  const ProfileRef& profile() const { return profile_; }
  /// What turns this backend into what `wanted` says; empty: it is already.
  Change difference(const Profile& wanted) const;
  /// `wanted` has been brought about, and was `asked` for in these words.
  void became(const ProfileRef& wanted, const ProfileRef& asked);
  /// A client has changed a parameter that is not reported; no value: to its default.
  void learned(std::string_view lower, const std::optional<std::string>& value);
  /// DISCARD ALL or RESET ALL: reported values announce themselves, all others are defaults.
  void discarded();

 private:
  std::vector<Reported> reported_;
  std::vector<NamedValue> applied_;  ///< sorted by name
  ProfileRef profile_;
  ProfileRef asked_;
  bool logged_in_ = false;
  Reading reading_;
};

/// Does the value of this reported parameter follow the client from backend to backend? Those that
/// describe the backend itself do not.
bool follows_client(std::string_view lower);
/// Does a change of it mean that the session now has other rights?
bool tells_identity(std::string_view lower);
/// Role or session authorization.
bool sets_identity(std::string_view lower);

/// Do texts mean the same under these two (Profile::meaning()), but for where names are looked for?
/// That the server sees for itself whenever a statement is used.
bool same_but_for_search_path(std::string_view a, std::string_view b);

/// A duration as the server writes or takes it, "5s" or "5000"; 0: none, or not understood.
std::uint32_t milliseconds_of(std::string_view value);

std::string lower_case(std::string_view text);
/// No byte beyond ASCII, and no zero.
bool ascii(std::string_view text);

}  // namespace weirpool::protocol::postgres
