#include "config/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weirpool::config {
namespace {

/// Everything up to one byte over the bound, so that the caller sees that there was more.
bool read_all(int descriptor, std::size_t most, std::string& text) {
  text.resize(most + 1);
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

}  // namespace

TextFile read_text_file(const std::string& path, std::size_t most) {
  TextFile file;
  // Non-blocking: a path that names a pipe must not hang the program.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    file.error = std::strerror(errno);
    return file;
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    file.error = "is not a regular file";
  } else if (!read_all(descriptor, most, file.text)) {
    file.error = std::strerror(errno);
  } else if (file.text.size() > most) {
    file.error = "is larger than " + std::to_string(most >> 10) + " KiB";
  } else {
    file.readable_by_all = (status.st_mode & S_IROTH) != 0;
  }
  ::close(descriptor);
  if (!file.error.empty()) file.text.clear();
  return file;
}

}  // namespace weirpool::config
