// Is this UTF-8? Configuration files must be; log fields are made to be.
#pragma once

#include <string_view>

namespace weirpool::config {

/// Bytes of the longest prefix of `text` that is well-formed UTF-8 (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
std::size_t valid_utf8_prefix(std::string_view text);

}  // namespace weirpool::config
