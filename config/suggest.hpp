// "did you mean …": the known name nearest to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weirpool::config {

/// Edits (insert, delete, replace, swap of neighbours) that turn `from` into `to`: the restricted
/// Damerau-Levenshtein distance.
std::size_t edit_distance(std::string_view from, std::string_view to);

/// The name at most two edits away, the nearest first; empty if there is none.
std::string nearest(std::string_view wrong, const std::vector<std::string>& known);

/// "; did you mean 'x'?" or, without a near one, "; known here: a, b, c".
std::string suggestion(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace weirpool::config
