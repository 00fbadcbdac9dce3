// DEALLOCATE (as PHP's PDO says it) and EXECUTE in SQL of a statement that was prepared by the
// protocol: on the backend the statement has another name, so weirpool has to understand them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weirpool::protocol::postgres {

/// The name in "DEALLOCATE [PREPARE] name", if `text` is nothing else: folded as the server folds
/// it, quotes removed. None for DEALLOCATE ALL.
std::optional<std::string> deallocated_name(std::string_view text);

/// A name in a text.
struct NamedAt {
  std::string name;  ///< folded as the server folds it, quotes removed
  std::size_t at = 0;
  std::size_t size = 0;  ///< of the text that spells it
};

/// What the first statement of `text` executes, if that is EXECUTE, perhaps behind EXPLAIN.
std::optional<NamedAt> executed_name(std::string_view text);

}  // namespace weirpool::protocol::postgres
