// Session parameters. A client has a profile: what it wants to differ from the defaults. A backend
// has values: those it reports and those weirpool has set. Before a client's first statement the
// difference is sent as one simple Query; equal profiles are the same pointer and cost nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/interner.hpp"
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

 private:
  std::vector<NamedValue> entries_;
  std::string key_;
};

using ProfileRef = std::shared_ptr<const Profile>;

/// All profiles of this process. Thread-safe.
class ProfileCatalog {
 public:
  /// Of entries that name a parameter twice the last counts; case of names does not matter.
  ProfileRef of(std::vector<NamedValue> entries);
  /// `base` with one value changed.
  ProfileRef with(const ProfileRef& base, std::string_view name, std::string_view value);

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

/// The parameters of one backend connection.
class BackendParameters {
 public:
  /// A ParameterStatus; before login_finished() its value is also the default.
  /// Null: known already. The entry is valid until the next call.
  const Reported* report(std::string_view name, std::string_view value);
  void login_finished() { logged_in_ = true; }
  const std::vector<Reported>& reported() const { return reported_; }

  /// Is the backend known to be as `wanted` says, without looking?
  bool matches(const ProfileRef& wanted) const { return profile_ == wanted; }
  /// The statements that turn this backend into what `wanted` says; empty: it is already.
  std::string difference(const Profile& wanted) const;
  /// `wanted` has been brought about.
  void became(const ProfileRef& wanted);
  /// Somebody changed values weirpool had set itself: compare again before the next client.
  void forget_applied();
  /// DISCARD ALL: reported values announce themselves, all others are defaults.
  void discarded();

 private:
  bool reports(std::string_view lower) const;

  std::vector<Reported> reported_;
  std::vector<NamedValue> applied_;  ///< set by weirpool and not reported
  ProfileRef profile_;
  bool logged_in_ = false;
};

/// Does the value of this reported parameter follow the client from backend to backend? Those that
/// describe the backend itself do not.
bool follows_client(std::string_view lower);
/// Does a change of it mean that the session now has other rights?
bool tells_identity(std::string_view lower);

std::string lower_case(std::string_view text);

}  // namespace weirpool::protocol::postgres
