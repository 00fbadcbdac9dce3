// DEALLOCATE in SQL of a statement that was prepared by the protocol, as PHP's PDO does: on the
// backend the statement has another name, so weirpool has to understand it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weirpool::protocol::postgres {

/// The name in "DEALLOCATE [PREPARE] name", if `text` is nothing else: folded as the server folds
/// it, quotes removed. None for DEALLOCATE ALL.
std::optional<std::string> deallocated_name(std::string_view text);

}  // namespace weirpool::protocol::postgres
