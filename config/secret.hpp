// A string that must not reach a log, a dump or a core file's idle memory: it has no stream
// operator and no formatter, and is wiped when it goes.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace weirpool::config {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  /// The only way to the text, named so that a reviewer sees it.
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  void wipe() noexcept;

  std::string text_;
};

}  // namespace weirpool::config
