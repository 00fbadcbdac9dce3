#include "config/tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "config/limits.hpp"
#include "config/utf8.hpp"

namespace weirpool::config {

namespace {

Mark mark_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

/// Ends the parse: the rest of the text cannot be understood. Never leaves this file.
struct Stop {
  Mark mark;
  std::string message;
};

/// Nodes plus a share of their text.
std::size_t weight_of(const Node& node) {
  std::size_t weight = 1 + node.text.size() / 64;
  for (const Entry& entry : node.entries) weight += weight_of(entry.value);
  for (const Node& item : node.items) weight += weight_of(item);
  return weight;
}

/// Builds the tree from events instead of YAML::Node, whose marks are those of an alias's anchor,
/// whose maps hide duplicates and whose accessors throw without a position.
class Builder : public YAML::EventHandler {
 public:
  Builder(Node& root, Problems& problems) : root_(root), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(Node{Node::Kind::null, mark_of(mark), {}, false, {}, {}}, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    add(Node{Node::Kind::scalar, mark_of(mark), value, false, {}, {}}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stop{mark_of(mark), "an alias inside its own anchor"};
    Node copy = found->second;
    copy.mark = mark_of(mark);
    spend(weight_of(copy), mark_of(mark));
    add(std::move(copy), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Node::Kind::list, mark_of(mark), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Node::Kind::map, mark_of(mark), anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    std::string key;
    Mark key_mark;
  };

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Stop{mark_of(mark), "tags (" + tag + ") are not supported"};
    }
  }

  void spend(std::size_t weight, Mark mark) {
    spent_ += weight;
    if (spent_ > kMaxTreeWeight) throw Stop{mark, "too many values (or too many aliases)"};
  }

  void open(Node::Kind kind, Mark mark, YAML::anchor_t anchor) {
    if (!frames_.empty() && wants_key(frames_.back())) {
      throw Stop{mark, "a key must be a plain word"};
    }
    spend(1, mark);
    Frame frame;
    frame.node.kind = kind;
    frame.node.mark = mark;
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    add(std::move(frame.node), frame.anchor);
  }

  static bool wants_key(const Frame& frame) {
    return frame.node.kind == Node::Kind::map && !frame.has_key;
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (node.kind == Node::Kind::scalar || node.kind == Node::Kind::null) {
      spend(weight_of(node), node.mark);
    }
    if (anchor != 0) {
      spend(weight_of(node), node.mark);
      anchors_[anchor] = node;
    }
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Node::Kind::list) {
      frame.node.items.push_back(std::move(node));
    } else if (wants_key(frame)) {
      if (node.kind != Node::Kind::scalar) throw Stop{node.mark, "a key must be a plain word"};
      frame.has_key = true;
      frame.key = std::move(node.text);
      frame.key_mark = node.mark;
    } else {
      add_entry(frame, std::move(node));
    }
  }

  void add_entry(Frame& frame, Node value) {
    frame.has_key = false;
    if (frame.key == "<<") {
      problems_.error(frame.key_mark, path(), "merge keys (<<) are not supported; write it out");
      return;
    }
    for (const Entry& entry : frame.node.entries) {
      if (entry.key != frame.key) continue;
      problems_.error(frame.key_mark, path(),
                      "duplicate key '" + frame.key + "', first at line " +
                          std::to_string(entry.mark.line) + ", column " +
                          std::to_string(entry.mark.column));
      return;
    }
    frame.node.entries.push_back({frame.key, frame.key_mark, std::move(value)});
  }

  /// Of the mapping that is being filled.
  std::string path() const {
    std::string path;
    for (std::size_t i = 0; i + 1 < frames_.size(); ++i) {
      const Frame& frame = frames_[i];
      if (frame.node.kind == Node::Kind::list) {
        path += "[" + std::to_string(frame.node.items.size()) + "]";
      } else {
        path += (path.empty() ? "" : ".") + frame.key;
      }
    }
    return path;
  }

  Node& root_;
  Problems& problems_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t spent_ = 0;
};

Mark mark_at(std::string_view text, std::size_t offset) {
  Mark mark{1, 1};
  for (const char c : text.substr(0, offset)) {
    ++mark.column;
    if (c == '\n') mark = {mark.line + 1, 1};
  }
  return mark;
}

bool acceptable_text(std::string_view yaml, Problems& problems) {
  if (yaml.size() > kMaxFileBytes) {
    problems.error({}, "", "the file is larger than 1 MiB");
    return false;
  }
  const std::size_t valid = valid_utf8_prefix(yaml);
  if (valid != yaml.size()) {
    problems.error(mark_at(yaml, valid), "", "the file is not UTF-8 here");
    return false;
  }
  const std::size_t nul = yaml.find('\0');
  if (nul != std::string_view::npos) {
    problems.error(mark_at(yaml, nul), "", "the file holds a NUL byte");
    return false;
  }
  return true;
}

}  // namespace

std::optional<Node> parse_tree(std::string_view yaml, Problems& problems) {
  if (!acceptable_text(yaml, problems)) return std::nullopt;
  Node root;
  try {
    std::istringstream in{std::string(yaml)};
    YAML::Parser parser(in);
    Builder first(root, problems);
    if (!parser.HandleNextDocument(first) || root.kind == Node::Kind::null) {
      problems.error({}, "", "the file is empty");
      return std::nullopt;
    }
    Node second_root;
    Builder second(second_root, problems);
    if (parser.HandleNextDocument(second)) {
      problems.error(second_root.mark, "", "a second document (---); one file holds one");
      return std::nullopt;
    }
  } catch (const Stop& stop) {
    problems.error(stop.mark, "", stop.message);
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    problems.error(mark_of(error.mark), "", "not YAML: " + error.msg);
    return std::nullopt;
  }
  return root;
}

std::string_view to_text(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::scalar: return "a single value";
    case Node::Kind::map: return "a mapping";
    case Node::Kind::list: break;
  }
  return "a list";
}

}  // namespace weirpool::config
