// Any text is either a configuration or a list of problems; what loads can be dumped and loads
// again.
#include <cstdlib>

#include "config/load.hpp"

using namespace weirpool::config;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with("mysql://") || text.starts_with("postgres://")) {
    const Loaded loaded = load_url(text);
    if (!loaded.config && loaded.problems.empty()) std::abort();
    return 0;
  }
  const Loaded loaded = load_text(text, "fuzz");
  const std::string described = describe(loaded.problems, loaded.source);
  if (!loaded.config) {
    if (described.empty()) std::abort();
    return 0;
  }
  const Loaded again = load_text(dump(*loaded.config), "dump");
  if (!again.config || again.config->backends != loaded.config->backends ||
      again.config->listeners != loaded.config->listeners ||
      again.config->admin != loaded.config->admin) {
    std::abort();
  }
  return 0;
}
