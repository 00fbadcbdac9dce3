// What a reload cannot change.
#include <algorithm>
#include <map>

#include "config/load.hpp"
#include "config/option_table.hpp"

namespace weirpool::config {

namespace {

/// Path -> value of everything that is read only at start; entries of backends and listeners count
/// with their existence.
std::map<std::string, std::string> fixed_values(const Config& config) {
  Config copy = config;
  std::map<std::string, std::string> values;
  walk(copy, [&](const Place& place) {
    const bool element = place.option.path == "backends.*" || place.option.path == "listeners.*";
    if (element) values[place.path] = "";
    if (place.option.holds_options() || place.option.reload != Reload::restart) return;
    values[place.path] = text_of(place.option, place.option.field(place.scope));
  });
  return values;
}

bool inside(const std::string& path, const std::string& of) {
  return path.size() > of.size() && path.starts_with(of) &&
         (path[of.size()] == '.' || path[of.size()] == '[');
}

}  // namespace

std::vector<std::string> needs_restart(const Config& running, const Config& wanted) {
  const std::map<std::string, std::string> before = fixed_values(running);
  const std::map<std::string, std::string> after = fixed_values(wanted);
  std::vector<std::string> changed;
  const auto note = [&](const std::string& path) {
    // A whole entry that came or went is one change, not one per key.
    if (changed.empty() || !inside(path, changed.back())) changed.push_back(path);
  };
  const auto compare = [&](const auto& from, const auto& to, bool values) {
    for (const auto& [path, value] : from) {
      const auto other = to.find(path);
      if (other == to.end() || (values && other->second != value)) note(path);
    }
  };
  compare(before, after, true);
  compare(after, before, false);
  std::sort(changed.begin(), changed.end());
  return changed;
}

}  // namespace weirpool::config
