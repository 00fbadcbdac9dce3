// Every option, once. This table drives validation, defaults, dump(), sample(), schema(),
// reference() and needs_restart(); an option is added by one row here and one field in config.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"

namespace weirpool::config {

enum class Type : std::uint8_t {
  group,  ///< a mapping with fixed keys
  map,    ///< a mapping with the user's own names as keys; its element is path.*
  list,   ///< a sequence; its element is path.*
  integer,
  automatic,  ///< a number, or auto: what suits the machine
  duration,
  boolean,
  choice,  ///< one of `choices`, in the order of the enumeration it fills
  text,
  file,          ///< path of a file that must be readable when not empty
  address,       ///< host:port
  addresses,     ///< one or several, with commas
  http_address,  ///< host:port or off
  names,         ///< a list of names
  secret,        ///< a password itself
  secret_file,   ///< a file that holds one
  secret_env,    ///< an environment variable that holds one
};

enum class Reload : std::uint8_t { live, new_connections, restart };

/// The objects a row's field may belong to; those that do not apply are null.
struct Scope {
  Config* config = nullptr;
  Backend* backend = nullptr;
  Listener* listener = nullptr;
  Database* database = nullptr;
  User* user = nullptr;
  AdmissionRule* rule = nullptr;
};

/// One enumeration field, seen as its underlying byte.
struct EnumField {
  std::uint8_t* value = nullptr;
};

/// Where a row's value lives; monostate: nowhere (groups, secrets, and options with one value).
using Field = std::variant<std::monostate, std::uint32_t*, Duration*, bool*, std::string*, Address*,
                           HostList*, EnumField, std::vector<std::string>*>;

struct Option {
  std::string_view path;  ///< backends.*.max_connections
  Type type = Type::group;
  std::string_view fallback;  ///< the default as text; empty: none
  bool required = false;
  std::int64_t min = 0;  ///< durations: milliseconds
  std::int64_t max = 0;
  std::string_view choices;  ///< a|b|c
  Reload reload = Reload::live;
  std::string_view example;  ///< for the sample, where there is no default
  std::string_view sentence;
  Field (*field)(const Scope&) = nullptr;

  /// The last component: max_connections.
  std::string_view name() const;
  /// All but the last component: backends.*
  std::string_view parent() const;
  bool holds_options() const { return type <= Type::list; }
  bool is_secret() const { return type >= Type::secret; }
};

/// In the order of the sample; a group comes before what is in it.
std::span<const Option> options();
/// The rows directly inside `path` ("" for the top level), in order.
std::vector<const Option*> children_of(std::string_view path);
/// The row with exactly this pattern; null if there is none.
const Option* find_option(std::string_view path);
std::vector<std::string> split_choices(std::string_view choices);
std::string_view to_text(Reload reload);

/// Parses, checks the bounds and stores; returns what is wrong, or nothing. Groups, names and
/// secrets are not stored here.
std::string assign(const Option& option, const std::string& text, const Field& field);
/// The value as assign() takes it. Names are joined by ", ".
std::string text_of(const Option& option, const Field& field);
/// "1..10000" or "0, 100ms..1h"; empty where bounds mean nothing.
std::string bounds_of(const Option& option);

/// One row applied to one place of a configuration.
struct Place {
  const Option& option;
  std::string path;  ///< backends.shop.max_connections, listeners[0].address
  std::string key;   ///< shop; empty for an element of a list
  int depth = 0;     ///< levels of nesting above it
  Scope scope;
};

/// Visits every group and option of `config` in table order, groups before their content.
void walk(Config& config, const std::function<void(const Place&)>& visit);

}  // namespace weirpool::config
