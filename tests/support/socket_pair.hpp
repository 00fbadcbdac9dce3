// Two connected, non-blocking stream sockets: one for the code under test, one for the test.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>

namespace weirpool::test {

class SocketPair {
 public:
  SocketPair() {
    std::array<int, 2> fds{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0) {
      ours_ = fds[0];
      theirs_ = fds[1];
    }
  }
  ~SocketPair() {
    close_ours();
    if (theirs_ >= 0) ::close(theirs_);
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  /// The end for the code under test, which owns it from now on.
  int give_theirs() { return std::exchange(theirs_, -1); }
  bool write(const std::string& text) {
    return ::send(ours_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  /// What has arrived by now; empty when nothing has.
  std::string read() {
    std::string text(1 << 20, '\0');
    const ssize_t count = ::recv(ours_, text.data(), text.size(), MSG_DONTWAIT);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }
  void close_ours() {
    if (ours_ >= 0) ::close(ours_);
    ours_ = -1;
  }
  int ours() const { return ours_; }

 private:
  int ours_ = -1;
  int theirs_ = -1;
};

}  // namespace weirpool::test
