// Most texts read or change rows and leave nothing behind in the session. This sees of most of them
// that it is so, at a small part of what TextScan (session_text.hpp) takes to be exact.
#pragma once

#include <string_view>

namespace weirpool::protocol::postgres {

/// Is it certain that TextScan finds nothing in `text`? It is not, for one, where a word stands
/// that could mean something, were it not in quotes or a comment. Of texts in encodings without
/// trails.
bool nothing_at_a_glance(std::string_view text);

}  // namespace weirpool::protocol::postgres
