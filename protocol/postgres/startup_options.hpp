// The startup parameter `options`: a command line of settings, split as the database server does.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weirpool::protocol::postgres {

using NamedValue = std::pair<std::string, std::string>;

/// "-c a=b", "-ca=b" and "--a=b", blanks escaped by backslashes, dashes of names as underscores.
/// False: something else stands there. `out` is appended to.
bool parse_options(std::string_view options, std::vector<NamedValue>& out);

/// May this be the name of a setting? ASCII letters, digits, `_`, `$`, and dots between parts.
bool legal_setting_name(std::string_view name);

}  // namespace weirpool::protocol::postgres
