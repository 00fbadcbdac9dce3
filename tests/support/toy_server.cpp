#include "tests/support/toy_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace weirpool::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

struct ToyServer::Peer {
  int fd = -1;
  unsigned id = 0;
  std::string in;
  std::string out;
  std::size_t written = 0;  ///< of out
  std::string user;
  std::string database;
  std::size_t put_left = 0;  ///< bytes of a put still to come
  std::size_t put_size = 0;
  std::uint64_t put_sum = 0;
  std::string slow;  ///< the answer of a slow command that is waiting
  bool counted = false;
  bool cancels = false;  ///< this is a cancel connection
  bool chains = false;   ///< behind a rollback the next transaction begins at once
  bool logged_in = false;
  bool in_transaction = false;
  bool dirty = false;
  bool said_bye = false;
  bool ended = false;  ///< weirpool has closed
  bool dying = false;  ///< close as soon as everything is written
};

ToyServer::ToyServer() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  listen_on(0);
  thread_ = std::thread([this] { serve(); });
}

ToyServer::~ToyServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
  for (Peer& peer : peers_) ::close(peer.fd);
  if (listener_ >= 0) ::close(listener_);
  ::close(wake_);
}

void ToyServer::listen_on(std::uint16_t port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = loopback(port);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 128) != 0) {
    throw std::runtime_error("toy server: cannot listen");
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

void ToyServer::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_, &one, sizeof one));
}

// --- the test's side -----------------------------------------------------------------------------

ToyCounts ToyServer::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::vector<std::string> ToyServer::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

bool ToyServer::wait(const std::function<bool(const ToyCounts&)>& holds) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return holds(counts_); });
}

void ToyServer::answer_logins(LoginAnswer answer) {
  const std::lock_guard lock(mutex_);
  login_answer_ = std::move(answer);
}

void ToyServer::ask_for_keys(std::string salt) {
  const std::lock_guard lock(mutex_);
  salt_ = std::move(salt);
}

std::string ToyServer::last_key() const {
  const std::lock_guard lock(mutex_);
  return last_key_;
}

void ToyServer::hold_closes(bool held) {
  const std::lock_guard lock(mutex_);
  hold_closes_ = held;
  wake();
}

void ToyServer::hold_cancels(bool held) {
  const std::lock_guard lock(mutex_);
  hold_cancels_ = held;
  wake();
}

void ToyServer::reset_cancels() {
  const std::lock_guard lock(mutex_);
  reset_cancels_ = true;
}

void ToyServer::answer_resets(std::string answer) {
  const std::lock_guard lock(mutex_);
  reset_answer_ = std::move(answer);
}

void ToyServer::answer_pings(std::string answer) {
  const std::lock_guard lock(mutex_);
  ping_answer_ = std::move(answer);
}

void ToyServer::play_role(std::string role) {
  const std::lock_guard lock(mutex_);
  role_ = std::move(role) + "\n";
}

void ToyServer::release_slow(unsigned count) {
  const std::lock_guard lock(mutex_);
  for (Peer& peer : peers_) {
    if (count == 0) break;
    if (peer.slow.empty()) continue;
    --count;
    --counts_.slow;
    finish(peer, std::exchange(peer.slow, {}));
    understand(peer);
  }
  changed_.notify_all();
  wake();
}

void ToyServer::kill_all() {
  const std::lock_guard lock(mutex_);
  while (!peers_.empty()) close(peers_.front());
  changed_.notify_all();
  wake();
}

void ToyServer::say_to_all(const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  for (Peer& peer : peers_) {
    peer.out += bytes;
    write(peer);
  }
}

void ToyServer::stop() {
  kill_all();
  const std::lock_guard lock(mutex_);
  ::shutdown(listener_, SHUT_RDWR);
  ::close(std::exchange(listener_, -1));
  while (!peers_.empty()) close(peers_.front());
  wake();
}

void ToyServer::start() {
  const std::lock_guard lock(mutex_);
  listen_on(port_);
  wake();
}

// --- the thread's side ---------------------------------------------------------------------------

void ToyServer::serve() {
  std::vector<pollfd> fds;
  for (;;) {
    fds.clear();
    fds.push_back({wake_, POLLIN, 0});
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      if (listener_ >= 0) fds.push_back({listener_, POLLIN, 0});
      for (const Peer& peer : peers_) {
        const int wanted = (peer.ended ? 0 : POLLIN) | (peer.out.empty() ? 0 : POLLOUT);
        if (wanted != 0) fds.push_back({peer.fd, static_cast<short>(wanted), 0});
      }
    }
    ::poll(fds.data(), fds.size(), -1);
    std::uint64_t woken = 0;
    static_cast<void>(::read(wake_, &woken, sizeof woken));
    const std::lock_guard lock(mutex_);
    for (Peer& peer : peers_) {
      write(peer);
      read(peer);
    }
    close_what_ended();
    accept_all();
    changed_.notify_all();
  }
}

void ToyServer::accept_all() {
  while (listener_ >= 0) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    Peer& peer = peers_.emplace_back();
    peer.fd = fd;
    peer.id = next_id_++;
    ++counts_.accepted;
  }
}

void ToyServer::read(Peer& peer) {
  std::array<char, 65536> buffer;
  while (!peer.ended) {
    const ssize_t count = ::recv(peer.fd, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) break;
    peer.ended = count <= 0;
    if (count > 0) peer.in.append(buffer.data(), static_cast<std::size_t>(count));
  }
  understand(peer);
  if (peer.ended && !peer.said_bye && !peer.cancels && peer.counted && !peer.dying) {
    ++counts_.ends;
    peer.dying = true;
  }
}

void ToyServer::write(Peer& peer) {
  while (!peer.out.empty()) {
    const ssize_t count = ::send(peer.fd, peer.out.data() + peer.written,
                                 peer.out.size() - peer.written, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return;
    if (count > 0) {
      counts_.sent += static_cast<std::uint64_t>(count);
      peer.written += static_cast<std::size_t>(count);
    }
    if (count < 0 || peer.written == peer.out.size()) {
      peer.out.clear();
      peer.written = 0;
    }
  }
}

bool ToyServer::may_close(const Peer& peer) const {
  if (peer.cancels) return !hold_cancels_;
  if (hold_closes_) return false;
  // A server that executes does not look at its socket: only the end of the statement closes it.
  return peer.dying ? peer.out.empty() && peer.slow.empty() : peer.ended && peer.slow.empty();
}

void ToyServer::close_what_ended() {
  for (auto it = peers_.begin(); it != peers_.end();) {
    Peer& peer = *it++;
    const bool over = peer.ended || peer.dying || peer.said_bye || peer.cancels;
    if (over && may_close(peer)) close(peer);
  }
}

void ToyServer::close(Peer& peer) {
  // First the count, then the close that weirpool hears.
  if (peer.counted) --counts_.open;
  if (!peer.slow.empty()) --counts_.slow;
  if (peer.cancels && reset_cancels_) {
    const linger at_once{1, 0};
    ::setsockopt(peer.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  } else {
    // The thread's poll may hold the socket open behind a close; the end of the stream is at once.
    ::shutdown(peer.fd, SHUT_RDWR);
  }
  ::close(peer.fd);
  peers_.remove_if([&](const Peer& other) { return &other == &peer; });
}

void ToyServer::understand(Peer& peer) {
  while (peer.slow.empty() && !peer.dying && !peer.said_bye) {
    if (peer.put_left > 0) {
      const std::size_t now = std::min(peer.put_left, peer.in.size());
      if (now == 0) break;
      for (std::size_t i = 0; i < now; ++i) {
        peer.put_sum += static_cast<unsigned char>(peer.in[i]);
      }
      peer.in.erase(0, now);
      peer.put_left -= now;
      if (peer.put_left == 0) {
        finish(peer, "= put " + std::to_string(peer.put_size) + " " + std::to_string(peer.put_sum) +
                         "\n");
      }
      continue;
    }
    const std::size_t end = peer.in.find('\n');
    if (end == std::string::npos) break;
    const std::string line = peer.in.substr(0, end);
    peer.in.erase(0, end + 1);
    command(peer, line);
  }
  write(peer);
}

void ToyServer::login(Peer& peer, const std::string& line) {
  std::istringstream words(line);
  std::string word;
  std::string password;
  words >> word;
  if (word == "key") {
    words >> last_key_;
    peer.out += "ok " + std::to_string(peer.id) + "\n";
    peer.logged_in = true;
    ++counts_.logins;
    return;
  }
  words >> peer.user >> peer.database >> password;
  peer.counted = true;
  counts_.most_open = std::max(counts_.most_open, ++counts_.open);
  if (!salt_.empty()) {
    peer.out += "salt " + salt_ + "\n";
    return;
  }
  const std::string answer =
      login_answer_ ? login_answer_(peer.user, peer.database, password) : "ok";
  if (answer.empty()) return;
  peer.logged_in = answer == "ok";
  ++(peer.logged_in ? counts_.logins : counts_.refused);
  peer.out += peer.logged_in ? "ok " + std::to_string(peer.id) + "\n" : answer + "\n";
}

void ToyServer::cancel(unsigned id) {
  ++counts_.cancels;
  for (Peer& other : peers_) {
    if (other.id != id || other.slow.empty() || other.slow == "= stubborn\n") continue;
    other.slow.clear();
    --counts_.slow;
    finish(other, "= cancelled\n");
    understand(other);
  }
}

void ToyServer::finish(Peer& peer, const std::string& answer) {
  const std::string status = peer.in_transaction ? "open\n" : peer.dirty ? "idle!\n" : "idle\n";
  peer.out += answer + status;
}

void ToyServer::command(Peer& peer, const std::string& line) {
  std::istringstream words(line);
  std::string name;
  std::string rest;
  words >> name;
  std::getline(words >> std::ws, rest);
  if (name == "login" || name == "key") return login(peer, line);
  if (name == "cancel") {
    peer.cancels = true;
    return cancel(static_cast<unsigned>(std::atoi(rest.c_str())));
  }
  if (name == "kill") {
    cancel(static_cast<unsigned>(std::atoi(rest.c_str())));
    peer.out += "killed\n";
    return;
  }
  if (name == "bye") {
    peer.said_bye = true;
    ++counts_.goodbyes;
    return;
  }
  if (name == "reset") {
    ++counts_.resets;
    peer.dirty = false;
    peer.out += reset_answer_;
    return;
  }
  if (name == "ping") {
    ++counts_.pings;
    peer.out += ping_answer_;
    return;
  }
  if (name == "role") {
    peer.out += role_;
    return;
  }
  commands_.push_back(line);
  if (name == "slow") {
    peer.slow = "= " + rest + "\n";
    ++counts_.slow;
  } else if (name == "die") {
    peer.dying = true;
    if (rest == "half") peer.out += "data 100\nonly the beginning";
    if (rest == "aside") peer.out += "aside 100\nonly the beginning";
    if (rest == "word") peer.out += "= a whole line\n";
  } else if (name == "garbage") {
    peer.out += "\x01?!\n";
  } else if (name == "put") {
    peer.put_left = peer.put_size = static_cast<std::size_t>(std::atoll(rest.c_str()));
    peer.put_sum = 0;
  } else if (name == "big") {
    std::string body(static_cast<std::size_t>(std::atoll(rest.c_str())), '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    finish(peer, "data " + rest + "\n" + body);
  } else {
    if (name == "begin") {
      peer.in_transaction = true;
      peer.chains = rest == "stubborn";
    }
    if (name == "commit" || (name == "rollback" && !peer.chains)) peer.in_transaction = false;
    if (name == "dirty") peer.dirty = true;
    const std::string state = peer.dirty ? "= dirty\n" : "= clean\n";
    const std::string denied = name == "deny" ? "= read only\n" : "";
    finish(peer, name == "echo" ? "= " + rest + "\n" : name == "state" ? state : denied);
    if (name == "extra") peer.out += "= more than was asked for\n";
  }
}

}  // namespace weirpool::test
