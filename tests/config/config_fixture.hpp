// Small complete configurations and temporary files for the tests of config/.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "config/load.hpp"

namespace weirpool::config {

inline const std::string kSmall = R"(backends:
  shop:
    protocol: postgresql
    address: shop.example.com:5432
    max_connections: 20
listeners:
  - address: 127.0.0.1:6432
    backend: shop
users:
  app:
    password: secret
)";

/// What describe() says about a text.
inline std::string complaint(const std::string& yaml) {
  const Loaded loaded = load_text(yaml, "w.yaml");
  return describe(loaded.problems, loaded.source);
}

class TempFile {
 public:
  explicit TempFile(const std::string& content, mode_t mode = 0600) {
    char name[] = "/tmp/weirpool_test_XXXXXX";
    const int descriptor = ::mkstemp(name);
    ::close(descriptor);
    path_ = name;
    write(content);
    ::chmod(name, mode);
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { std::filesystem::remove(path_); }
  void write(const std::string& content) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace weirpool::config
