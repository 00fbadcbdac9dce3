// A whole file of bounded size, for secrets and rules. Blocks: not on an I/O thread.
#pragma once

#include <cstddef>
#include <string>

namespace weirpool::config {

struct TextFile {
  std::string text;
  std::string error;             ///< empty: fine
  bool readable_by_all = false;  ///< by its mode
};

TextFile read_text_file(const std::string& path, std::size_t most);

}  // namespace weirpool::config
