// The problems of one file while it is being read: all of them, up to a bound.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/load.hpp"

namespace weirpool::config {

/// A position in a file, 1-based; line 0: the whole file.
struct Mark {
  int line = 0;
  int column = 0;
};

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void error(Mark mark, std::string path, std::string message);
  void warning(Mark mark, std::string path, std::string message);

  bool has_errors() const { return errors_ > 0; }
  /// In the order of the file; beyond the bound one line tells how many more there are.
  std::vector<Problem> take();

 private:
  void add(Mark mark, Gravity gravity, std::string path, std::string message);

  std::string file_;
  std::vector<Problem> list_;
  int errors_ = 0;
  int unlisted_ = 0;
};

}  // namespace weirpool::config
