#include "config/password.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/limits.hpp"

namespace weirpool::config {

namespace {

/// Everything up to one byte over the bound, so that the caller sees that there was more.
bool read_all(int descriptor, std::string& text) {
  text.resize(kMaxSecretBytes + 1);
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t got = ::read(descriptor, text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  text.resize(length);
  return true;
}

void check(SecretFile& file) {
  if (file.text.size() > kMaxSecretBytes) file.error = "is larger than 64 KiB";
  if (file.text.ends_with("\r\n")) {
    file.text.resize(file.text.size() - 2);
  } else if (file.text.ends_with('\n')) {
    file.text.pop_back();
  }
  if (file.text.empty()) file.error = "is empty";
  if (file.text.find('\0') != std::string::npos) file.error = "holds a NUL byte";
}

}  // namespace

SecretFile read_secret_file(const std::string& path) {
  SecretFile file;
  // Non-blocking: a path that names a pipe must not hang the program.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    file.error = std::strerror(errno);
    return file;
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    file.error = "is not a regular file";
  } else if (!read_all(descriptor, file.text)) {
    file.error = std::strerror(errno);
  } else {
    check(file);
    file.readable_by_all = (status.st_mode & S_IROTH) != 0;
  }
  ::close(descriptor);
  if (!file.error.empty()) file.text.clear();
  return file;
}

std::string read_password(const PasswordSource& source) {
  if (source.file.empty()) return source.value.reveal();
  SecretFile file = read_secret_file(source.file);
  return file.error.empty() ? std::move(file.text) : source.value.reveal();
}

std::vector<std::string> read_passwords(const User& user) {
  std::vector<std::string> passwords;
  std::string newest = read_password(user.password);
  // An empty one can only be meant so; a file that says nothing is being written.
  const bool meant = user.password.file.empty();
  if (meant || !newest.empty()) passwords.push_back(std::move(newest));
  if (user.old_password) {
    std::string old = read_password(*user.old_password);
    const bool fresh = passwords.empty() || passwords.front() != old;
    if (!old.empty() && fresh) passwords.push_back(std::move(old));
  }
  return passwords;
}

}  // namespace weirpool::config
