#include "bench/overload/loop.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace weirpool::bench {

namespace {

int switched_on(int fd, int level, int option) {
  const int on = 1;
  return setsockopt(fd, level, option, &on, sizeof on);
}

sockaddr_in address_of(in_addr host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = host;
  address.sin_port = htons(port);
  return address;
}

int new_socket() { return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

}  // namespace

Micros now() {
  using Clock = std::chrono::steady_clock;
  static const Clock::time_point began = Clock::now();
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began).count();
}

void die(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) die("epoll_create1 failed");
}

Loop::Id Loop::watch(int fd, std::uint32_t events, Ready ready) {
  const Id id = next_++;
  watched_[id] = {fd, events, std::make_shared<Ready>(std::move(ready))};
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl failed");
  return id;
}

void Loop::change(Id id, std::uint32_t events) {
  const auto found = watched_.find(id);
  if (found == watched_.end() || found->second.events == events) return;
  found->second.events = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, found->second.fd, &event);
}

void Loop::forget(Id id) {
  const auto found = watched_.find(id);
  if (found == watched_.end()) return;
  close(found->second.fd);
  watched_.erase(found);
}

void Loop::at(Micros when, std::function<void()> what) {
  timers_.push({when, next_++, std::make_shared<std::function<void()>>(std::move(what))});
}

void Loop::run_timers() {
  const Micros due = now();
  while (!timers_.empty() && timers_.top().when <= due && !stopped_) {
    const auto what = timers_.top().what;
    timers_.pop();
    (*what)();
  }
}

/// Rounded down: the last part of a millisecond is spent in the loop, so that nothing is late.
int Loop::milliseconds_to_next() const {
  if (timers_.empty()) return -1;
  return static_cast<int>(std::clamp<Micros>((timers_.top().when - now()) / 1000, 0, 1000));
}

void Loop::run() {
  std::array<epoll_event, 512> events{};
  while (!stopped_) {
    const int count =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds_to_next());
    for (int i = 0; i < count && !stopped_; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const auto found = watched_.find(event.data.u64);
      if (found == watched_.end()) continue;
      const auto ready = found->second.ready;
      (*ready)(event.events);
    }
    run_timers();
  }
}

bool Outgoing::flush(int fd) {
  while (!waiting_.empty()) {
    const ssize_t sent = send(fd, waiting_.data(), waiting_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    waiting_.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

in_addr loopback(std::uint32_t base, std::uint32_t number) {
  in_addr host{};
  host.s_addr = htonl((127U << 24) + base + number);
  return host;
}

void no_delay(int fd) { switched_on(fd, IPPROTO_TCP, TCP_NODELAY); }

int listen_on(std::uint16_t port) {
  const int fd = new_socket();
  switched_on(fd, SOL_SOCKET, SO_REUSEADDR);
  const sockaddr_in address = address_of(loopback(1), port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 4096) != 0) {
    die("cannot listen on port " + std::to_string(port));
  }
  return fd;
}

int connect_from(in_addr source, std::uint16_t port) {
  const int fd = new_socket();
  if (fd < 0) return -1;
  no_delay(fd);
  // The port is chosen at connect(), so that it has to be free for this destination only.
  switched_on(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
  const sockaddr_in from = address_of(source, 0);
  const sockaddr_in to = address_of(loopback(1), port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
      (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
       errno != EINPROGRESS)) {
    close(fd);
    return -1;
  }
  return fd;
}

std::vector<Settings> settings(int count, char** words, const std::string& opening) {
  std::vector<Settings> groups(1);
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) die("not key=value: " + word);
    const std::string key = word.substr(0, equals);
    if (key == opening) groups.emplace_back();
    groups.back()[key] = word.substr(equals + 1);
  }
  return groups;
}

double number(const Settings& settings, const std::string& key, double otherwise) {
  const auto found = settings.find(key);
  if (found == settings.end()) return otherwise;
  char* end = nullptr;
  const double value = std::strtod(found->second.c_str(), &end);
  if (end == found->second.c_str() || *end != '\0') die("not a number: " + key);
  return value;
}

std::string text(const Settings& settings, const std::string& key, const std::string& otherwise) {
  const auto found = settings.find(key);
  return found == settings.end() ? otherwise : found->second;
}

}  // namespace weirpool::bench
