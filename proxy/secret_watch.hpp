// Notices that password files and the user file have been rewritten, so that clients too are judged
// by what is in them now. (Logins at a backend read the file themselves, every time.)
#pragma once

#include <sys/stat.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace weirpool::proxy {

class SecretWatch {
 public:
  struct Changes {
    std::vector<std::string> users;  ///< one of their own files is another one
    bool user_file = false;
    bool any() const { return user_file || !users.empty(); }
  };

  /// What is not as it was at the last look. A file seen for the first time has not changed, nor
  /// has one that cannot be looked at now: what it said still counts.
  Changes changed(const config::Config& config);

 private:
  /// What a rewrite in place, a rename onto the file or a switched link changes.
  struct Mark {
    dev_t device;
    ino_t inode;
    off_t size;
    std::int64_t modified;  ///< nanoseconds
    bool operator==(const Mark&) const = default;
  };

  static std::optional<Mark> look(const std::string& path);
  bool moved(const std::string& path);

  std::map<std::string, Mark> marks_;  ///< by path
};

}  // namespace weirpool::proxy
