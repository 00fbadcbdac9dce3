#include "config/problems.hpp"

#include <algorithm>
#include <tuple>

#include "config/limits.hpp"

namespace weirpool::config {

void Problems::error(Mark mark, std::string path, std::string message) {
  ++errors_;
  add(mark, Gravity::error, std::move(path), std::move(message));
}

void Problems::warning(Mark mark, std::string path, std::string message) {
  add(mark, Gravity::warning, std::move(path), std::move(message));
}

void Problems::add(Mark mark, Gravity gravity, std::string path, std::string message) {
  if (list_.size() >= kMaxProblems) {
    ++unlisted_;
    return;
  }
  list_.push_back({file_, mark.line, mark.column, gravity, std::move(path), std::move(message)});
}

std::vector<Problem> Problems::take() {
  const auto before = [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  };
  std::stable_sort(list_.begin(), list_.end(), before);
  if (unlisted_ > 0) {
    const Gravity gravity = errors_ > 0 ? Gravity::error : Gravity::warning;
    list_.push_back(
        {file_, 0, 0, gravity, "", "and " + std::to_string(unlisted_) + " more like these"});
  }
  return std::move(list_);
}

}  // namespace weirpool::config
