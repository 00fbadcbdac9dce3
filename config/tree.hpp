// YAML text -> a tree with positions. What yaml-cpp lets pass and we do not is refused here:
// duplicate keys, merge keys, tags, several documents, text that is not UTF-8, alias bombs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.hpp"

namespace weirpool::config {

struct Entry;

struct Node {
  enum class Kind : std::uint8_t { null, scalar, map, list };

  Kind kind = Kind::null;
  Mark mark;
  std::string text;      ///< of a scalar, before ${…} is replaced
  bool literal = false;  ///< the text is taken as it is: no ${…} in it
  std::vector<Entry> entries;
  std::vector<Node> items;
};

struct Entry {
  std::string key;
  Mark mark;
  Node value;
};

/// Nothing if the text is no acceptable YAML; duplicate and merge keys are reported and left out,
/// so that everything else can still be checked.
std::optional<Node> parse_tree(std::string_view yaml, Problems& problems);

std::string_view to_text(Node::Kind kind);

}  // namespace weirpool::config
