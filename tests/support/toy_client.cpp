#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/support/toy_server.hpp"

namespace weirpool::test {

using Clock = std::chrono::steady_clock;

ToyClient::ToyClient(std::uint16_t port, Turn turn, int receive_buffer)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), turn_(std::move(turn)) {
  if (receive_buffer > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  ended_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0;
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

ToyClient::ToyClient(ToyClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      turn_(std::move(other.turn_)),
      in_(std::move(other.in_)),
      ended_(other.ended_),
      cancel_key_(std::move(other.cancel_key_)) {}

ToyClient::~ToyClient() { close(); }

void ToyClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  ended_ = true;
}

void ToyClient::close_with_reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

bool ToyClient::send(const std::string& bytes) {
  std::size_t sent = 0;
  const auto until = Clock::now() + kPatience;
  while (sent < bytes.size()) {
    const ssize_t count = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      continue;
    }
    if (errno != EAGAIN || Clock::now() > until) return false;
    if (turn_) {
      turn_();
    } else {
      pollfd wait{fd_, POLLOUT, 0};
      ::poll(&wait, 1, 100);
    }
  }
  return true;
}

bool ToyClient::receive() {
  std::array<char, 65536> buffer;
  if (ended_) return false;
  const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (count > 0) in_.append(buffer.data(), static_cast<std::size_t>(count));
  if (count == 0 || (count < 0 && errno != EAGAIN)) ended_ = true;
  return count > 0;
}

bool ToyClient::wait_for_more(Clock::time_point until) {
  if (receive()) return true;
  if (ended_ || Clock::now() > until) return false;
  if (turn_) {
    turn_();
  } else {
    pollfd wait{fd_, POLLIN, 0};
    ::poll(&wait, 1, 100);
  }
  return true;
}

bool ToyClient::has_line() {
  while (receive()) {
  }
  return in_.find('\n') != std::string::npos;
}

bool ToyClient::ended() {
  while (receive()) {
  }
  return ended_ && in_.empty();
}

std::string ToyClient::line() {
  const auto until = Clock::now() + kPatience;
  while (in_.find('\n') == std::string::npos) {
    if (!wait_for_more(until)) return ended_ ? "<closed>" : "<timeout>";
  }
  const std::size_t end = in_.find('\n');
  std::string line = in_.substr(0, end);
  in_.erase(0, end + 1);
  return line;
}

std::string ToyClient::bytes(std::size_t count) {
  const auto until = Clock::now() + kPatience;
  while (in_.size() < count && wait_for_more(until)) {
  }
  std::string taken = in_.substr(0, count);
  in_.erase(0, taken.size());
  return taken;
}

std::string ToyClient::answer() {
  std::string all;
  for (;;) {
    const std::string next = line();
    all += (all.empty() ? "" : ",") + next;
    if (next == "idle" || next == "idle!" || next == "open" || next.starts_with("fault ") ||
        next.starts_with("<")) {
      return all;
    }
  }
}

std::string ToyClient::ask(const std::string& command) {
  send(command + "\n");
  return answer();
}

std::string ToyClient::log_in(const std::string& user, const std::string& database) {
  send("user " + user + " " + database + "\n");
  const std::string said = line();
  if (!said.starts_with("welcome ")) return said;
  cancel_key_ = said.substr(8);
  return "welcome";
}

bool eventually(const std::function<bool()>& holds, const std::function<void()>& turn) {
  const auto until = Clock::now() + kPatience;
  while (!holds()) {
    if (Clock::now() > until) return false;
    if (turn) {
      turn();
    } else {
      ::poll(nullptr, 0, 1);
    }
  }
  return true;
}

}  // namespace weirpool::test
