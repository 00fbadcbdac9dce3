#include "proxy/secret_watch.hpp"

namespace weirpool::proxy {

std::optional<SecretWatch::Mark> SecretWatch::look(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return Mark{found.st_dev, found.st_ino, found.st_size,
              found.st_mtim.tv_sec * kNanoseconds + found.st_mtim.tv_nsec};
}

bool SecretWatch::moved(const std::string& path) {
  if (path.empty()) return false;
  const std::optional<Mark> now = look(path);
  if (!now) return false;
  const auto [known, first] = marks_.try_emplace(path, *now);
  if (first || known->second == *now) return false;
  known->second = *now;
  return true;
}

SecretWatch::Changes SecretWatch::changed(const config::Config& config) {
  Changes changes;
  for (const auto& [name, user] : config.users) {
    const bool newest = moved(user.password.file);
    const bool old = user.old_password && moved(user.old_password->file);
    if (newest || old) changes.users.push_back(name);
  }
  changes.user_file = moved(config.auth.user_file);
  return changes;
}

}  // namespace weirpool::proxy
