// Who may come in from where, in the syntax of pg_hba.conf (PostgreSQL documentation,
// chapter 21.1):
//
//   local|host|hostssl|hostnossl  DATABASES  USERS  [ADDRESS [MASK]]  METHOD  [OPTION=VALUE ...]
//
// The first rule that matches decides; without one nobody comes in. What a proxy cannot know
// (members of roles, host names) is an error when the file is read, never a rule that silently does
// not match. pg_ident.conf maps (chapter 21.2) say which users a certificate's name may log in as.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/network.hpp"

namespace weirpool::config {

/// No value: not a numeric address.
std::optional<IpBytes> parse_host(const std::string& text);

/// What a rule is compared with.
struct Arrival {
  IpBytes address{};
  bool local = false;  ///< by a Unix socket
  bool encrypted = false;
  bool replication = false;
  std::string_view user;
  std::string_view database;
};

struct HbaRule {
  enum class Kind : std::uint8_t { local, host, hostssl, hostnossl, never };
  /// A name, or one of the words that are words only without quotes.
  struct Name {
    enum class Kind : std::uint8_t { literal, all, same_user, replication };
    Kind kind = Kind::literal;
    std::string text;
  };

  Kind kind = Kind::host;
  std::vector<Name> databases;
  std::vector<Name> users;
  bool any_address = true;
  IpBytes address{};  ///< masked
  IpBytes mask{};
  bool v4 = false;  ///< the address is; no other family's matches
  AuthMethod method = AuthMethod::reject;
  bool certificate = false;       ///< clientcert: a trusted certificate has to be shown as well
  bool certificate_name = false;  ///< and its name must be the user's
  std::string map;                ///< of pg_ident; empty: names must be equal
  unsigned line = 0;

  bool matches(const Arrival& arrival) const;
};

/// Where a text is wrong.
struct LineProblem {
  unsigned line = 0;
  std::string message;
};

struct Hba {
  std::vector<HbaRule> rules;
  /// The first rule that matches; null: none, so that the client is turned away.
  const HbaRule* find(const Arrival& arrival) const;
};
Hba parse_hba(std::string_view text, std::vector<LineProblem>& problems);

/// MAP  NAME-IN-CERTIFICATE  USER
struct IdentMap {
  /// (map, name) -> user; no value: any, which is written as the word all.
  std::multimap<std::pair<std::string, std::string>, std::optional<std::string>> entries;
  /// `map` empty: the names must be equal.
  bool admits(const std::string& map, const std::string& name, std::string_view user) const;
};
IdentMap parse_ident(std::string_view text, std::vector<LineProblem>& problems);

}  // namespace weirpool::config
