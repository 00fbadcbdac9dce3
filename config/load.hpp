// File or text -> Config, or every problem at once with its position. yaml-cpp is used nowhere
// else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace weirpool::config {

enum class Gravity : std::uint8_t { warning, error };

struct Problem {
  std::string file;
  int line = 0;  ///< 1-based; 0: the whole file
  int column = 0;
  Gravity gravity = Gravity::error;
  std::string path;     ///< backends.shop.address
  std::string message;  ///< what is wrong; did you mean …
};

struct Loaded {
  Snapshot config;  ///< null if any problem is an error
  std::vector<Problem> problems;
  std::string source;  ///< the text that was read, for describe(); may hold secrets
};

/// Reads, substitutes ${…}, validates. Never throws for what a file may contain.
Loaded load_file(const std::string& path);
Loaded load_text(std::string_view yaml, const std::string& name);
/// The configuration that serves one DATABASE_URL (postgres://… or mysql://…).
Loaded load_url(std::string_view url);

/// file:line:column: error: path: message, the source line and a caret, then the totals.
std::string describe(const std::vector<Problem>& problems, std::string_view source);

/// The effective configuration as YAML that loads again, secrets redacted.
std::string dump(const Config& config);
/// The commented sample: every option with its default, sentence and reload class.
std::string sample();
/// JSON Schema (draft 2020-12) of a configuration file.
std::string schema();
/// The reference page, Markdown, generated from the option table.
std::string reference();

/// Which changed options need a restart to take effect; paths, sorted.
std::vector<std::string> needs_restart(const Config& running, const Config& wanted);

}  // namespace weirpool::config
