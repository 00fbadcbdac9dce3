#include "config/load.hpp"

#include <fstream>

#include "config/limits.hpp"
#include "config/load_tree.hpp"
#include "config/table_reader.hpp"
#include "config/validate.hpp"

namespace weirpool::config {

Loaded load_tree(const Node& root, Problems& problems) {
  auto config = std::make_shared<Config>();
  Positions positions;
  read_tree(root, *config, positions, problems);
  validate(*config, positions, problems);
  Loaded loaded;
  if (!problems.has_errors()) loaded.config = std::move(config);
  loaded.problems = problems.take();
  return loaded;
}

Loaded load_text(std::string_view yaml, const std::string& name) {
  Problems problems(name);
  const std::optional<Node> root = parse_tree(yaml, problems);
  Loaded loaded;
  if (root) {
    loaded = load_tree(*root, problems);
  } else {
    loaded.problems = problems.take();
  }
  loaded.source = yaml.substr(0, kMaxFileBytes);
  return loaded;
}

Loaded load_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kMaxFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  if (!in.is_open() || in.bad()) {
    Problems problems(path);
    problems.error({}, "", "cannot be read");
    return {nullptr, problems.take(), {}};
  }
  return load_text(text, path);
}

}  // namespace weirpool::config
